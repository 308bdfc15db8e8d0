//! Publishes events to Kafka, or to what speaks its protocol.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use rskafka::BackoffConfig;
use rskafka::client::error::{Error, ProtocolError};
use rskafka::client::partition::{Compression, PartitionClient, UnknownTopicHandling};
use rskafka::client::{ClientBuilder, Credentials, SaslConfig};
use rskafka::record::Record;
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::OnceCell;

use crate::post::install_tls;
use crate::sink::partition::place;
use crate::sink::{Outgoing, Sink, SinkFailure, SinkFailureKind};

/// The headers of a record.
const ID_HEADER: &str = "id";
const KIND_HEADER: &str = "type";

/// By whom the brokers know us.
#[derive(Clone, Debug)]
pub enum KafkaLogin {
    /// They do not ask.
    Nobody,
    /// SASL PLAIN: the password is sent, so use TLS.
    Plain {
        /// The user.
        user: String,
        /// His password.
        password: SecretString,
    },
    /// SASL SCRAM-SHA-512.
    Scram {
        /// The user.
        user: String,
        /// His password.
        password: SecretString,
    },
}

/// How connections to brokers are kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KafkaSecurity {
    /// TLS, with certificates that the system trusts.
    Tls,
    /// Not at all: for brokers on this machine or a network that is nobody else's.
    None,
}

/// How events are published to Kafka.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    /// Some brokers of the cluster, each like `kafka.internal:9092`.
    pub brokers: Vec<String>,
    /// The topic, which must be there.
    pub topic: String,
    /// By whom the brokers know us.
    pub login: KafkaLogin,
    /// How the connection is kept from others.
    pub security: KafkaSecurity,
    /// How long to connect, or to have one batch of records acknowledged.
    pub within: Duration,
}

/// Publishes to a topic. The key decides on the partition as with Kafka's own producers, so the events
/// of an order stay in order. Each record holds the event's id: the protocol's own defence against
/// doubles is not spoken here, so after a failure a record may be there twice.
pub struct Kafka {
    options: KafkaOptions,
    /// Made when there is something to publish: one client for each partition.
    partitions: OnceCell<Vec<PartitionClient>>,
}

impl Kafka {
    /// Nothing is connected to before there is something to publish.
    #[must_use]
    pub fn new(options: KafkaOptions) -> Self {
        Self {
            options,
            partitions: OnceCell::new(),
        }
    }

    async fn partitions(&self) -> Result<&[PartitionClient], SinkFailure> {
        // The client would look for brokers for ever.
        let connected = self.partitions.get_or_try_init(|| self.connect());
        match tokio::time::timeout(self.options.within, connected).await {
            Ok(Ok(partitions)) => Ok(partitions),
            Ok(Err(failure)) => Err(failure),
            Err(_elapsed) => Err(SinkFailure::new(
                SinkFailureKind::Unreachable,
                &format!(
                    "Kafka: no connection after {} ms",
                    self.options.within.as_millis()
                ),
                0,
            )),
        }
    }

    async fn connect(&self) -> Result<Vec<PartitionClient>, SinkFailure> {
        let failed = |error: Error| self.failure(&error, 0);
        let builder = ClientBuilder::new(self.options.brokers.clone())
            .client_id("paywatch")
            .backoff_config(BackoffConfig {
                max_backoff: self.options.within,
                deadline: Some(self.options.within),
                ..BackoffConfig::default()
            });
        let builder = match sasl(&self.options.login) {
            None => builder,
            Some(login) => builder.sasl_config(login),
        };
        let builder = match self.options.security {
            KafkaSecurity::None => builder,
            KafkaSecurity::Tls => builder.tls_config(tls()?),
        };
        let client = builder.build().await.map_err(failed)?;
        let topic = &self.options.topic;
        let topics = client.list_topics().await.map_err(failed)?;
        let numbers = topics.into_iter().find(|known| known.name == *topic);
        let numbers = numbers.map(|known| known.partitions).unwrap_or_default();
        if numbers.is_empty() {
            let text = format!(
                "Kafka: there is no topic {topic}; make it, with as many partitions as you like"
            );
            return Err(SinkFailure::new(SinkFailureKind::Refused, &text, 0));
        }
        let mut partitions = Vec::with_capacity(numbers.len());
        for number in numbers {
            let handling = UnknownTopicHandling::Error;
            let partition = client
                .partition_client(topic.as_str(), number, handling)
                .await;
            partitions.push(partition.map_err(failed)?);
        }
        Ok(partitions)
    }

    fn failure(&self, error: &Error, acknowledged: usize) -> SinkFailure {
        let text = format!("Kafka, topic {}: {error}", self.options.topic);
        SinkFailure::new(kind_of(error), &text, acknowledged)
    }
}

fn sasl(login: &KafkaLogin) -> Option<SaslConfig> {
    let credentials = |user: &str, password: &SecretString| {
        Credentials::new(user.to_owned(), password.expose_secret().to_owned())
    };
    match login {
        KafkaLogin::Nobody => None,
        KafkaLogin::Plain { user, password } => {
            Some(SaslConfig::Plain(credentials(user, password)))
        },
        KafkaLogin::Scram { user, password } => {
            Some(SaslConfig::ScramSha512(credentials(user, password)))
        },
    }
}

fn tls() -> Result<Arc<ClientConfig>, SinkFailure> {
    install_tls();
    let config = ClientConfig::with_platform_verifier().map_err(|error| {
        let text = format!("Kafka: TLS cannot be set up: {error}");
        SinkFailure::new(SinkFailureKind::Refused, &text, 0)
    })?;
    Ok(Arc::new(config))
}

/// What the library has tried again in vain helps to try later; what it gave up at once does not.
fn kind_of(error: &Error) -> SinkFailureKind {
    match error {
        Error::Connection(_) | Error::Request(_) | Error::RetryFailed(_) => {
            SinkFailureKind::Unreachable
        },
        Error::Timeout => SinkFailureKind::TimedOut,
        Error::ServerError {
            protocol_error: ProtocolError::RequestTimedOut,
            ..
        } => SinkFailureKind::TimedOut,
        Error::ServerError {
            protocol_error:
                ProtocolError::MessageTooLarge
                | ProtocolError::RecordListTooLarge
                | ProtocolError::InvalidRecord,
            ..
        } => SinkFailureKind::Unfit,
        Error::ServerError { .. } | Error::InvalidResponse(_) => SinkFailureKind::Refused,
        // The library may come to know other errors.
        _ => SinkFailureKind::Refused,
    }
}

fn record(event: &Outgoing) -> Record {
    Record {
        key: Some(event.key.clone().into_bytes()),
        value: Some(event.body.to_vec()),
        headers: BTreeMap::from([
            (ID_HEADER.to_owned(), event.id.clone().into_bytes()),
            (KIND_HEADER.to_owned(), event.kind.clone().into_bytes()),
        ]),
        timestamp: Utc::now(),
    }
}

#[async_trait]
impl Sink for Kafka {
    /// One batch for each partition, since between partitions there is no order anyway.
    async fn publish(&self, events: &[Outgoing]) -> Result<(), SinkFailure> {
        if events.is_empty() {
            return Ok(());
        }
        let partitions = self.partitions().await?;
        let mut batches: BTreeMap<usize, (usize, Vec<Record>)> = BTreeMap::new();
        for (index, event) in events.iter().enumerate() {
            let place = place(event.key.as_bytes(), partitions.len());
            let (_, records) = batches.entry(place).or_insert_with(|| (index, Vec::new()));
            records.push(record(event));
        }
        // In the order of their first events: when one fails, every event before its first belongs to
        // a batch that was acknowledged.
        let mut batches: Vec<_> = batches.into_iter().collect();
        batches.sort_by_key(|(_, (first, _))| *first);
        for (place, (first, records)) in batches {
            let Some(partition) = partitions.get(place) else {
                continue;
            };
            // The library limits how often it tries and not how long it waits for an answer.
            let produced = partition.produce(records, Compression::NoCompression);
            let produced = tokio::time::timeout(self.options.within, produced).await;
            let produced = produced.map_err(|_elapsed| {
                let ms = self.options.within.as_millis();
                let text = format!("Kafka: no acknowledgement after {ms} ms");
                SinkFailure::new(SinkFailureKind::TimedOut, &text, first)
            })?;
            produced.map_err(|error| self.failure(&error, first))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Kafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { options, .. } = self;
        f.debug_struct("Kafka")
            .field("brokers", &options.brokers)
            .field("topic", &options.topic)
            .finish_non_exhaustive()
    }
}
