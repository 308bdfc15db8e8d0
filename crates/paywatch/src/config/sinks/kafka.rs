//! `[kafka]`

use std::sync::Arc;

use paywatch_core::EndpointKind;
use paywatch_notifier::{Kafka, KafkaLogin, KafkaOptions, KafkaSecurity};

use crate::config::problem::{Problems, Reported};
use crate::config::raw::RawKafka;
use crate::config::section::Section;
use crate::config::sinks::{FOR_BUSES, SinkConfig, login, timeout, types, word};

/// The topic if nothing is said.
const TOPIC: &str = "paywatch";
/// No topic has a longer name.
const LONGEST_TOPIC: usize = 249;

/// How user and password are shown to be known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mechanism {
    Scram,
    Plain,
}

/// Checks `[kafka]`.
pub(super) fn check(mut raw: RawKafka, problems: &mut Problems) -> Result<SinkConfig, Reported> {
    let section = &mut Section::new("kafka", problems);
    let brokers = check_brokers(section, raw.brokers.take().unwrap_or_default());
    let topic = check_topic(section, raw.topic.take());
    let securities = [("tls", KafkaSecurity::Tls), ("none", KafkaSecurity::None)];
    let security = word(section, "security", raw.security.as_deref(), &securities);
    let types = types(section, raw.types.as_deref(), &FOR_BUSES);
    let within = timeout(section, raw.timeout.as_deref());
    let login = check_login(section, raw);
    let (brokers, topic, security, login) = (brokers?, topic?, security?, login?);
    let place = brokers.join(",");
    let how = format!(
        "topic {topic}, {}, {}",
        match security {
            KafkaSecurity::Tls => "TLS",
            KafkaSecurity::None => "no TLS",
        },
        match &login {
            KafkaLogin::Nobody => "without a login".to_owned(),
            KafkaLogin::Plain { user, .. } | KafkaLogin::Scram { user, .. } => format!("as {user}"),
        }
    );
    let options = KafkaOptions {
        brokers,
        topic,
        login,
        security,
        within: within?,
    };
    Ok(SinkConfig {
        kind: EndpointKind::Kafka,
        name: "kafka".to_owned(),
        place,
        how,
        types: types?,
        sink: Arc::new(Kafka::new(options)),
    })
}

fn check_brokers(section: &mut Section<'_>, given: Vec<String>) -> Result<Vec<String>, Reported> {
    let allowed = "write some hosts with their ports, such as [\"kafka.internal:9092\"]";
    if given.is_empty() {
        return Err(section.wrong("brokers", "names nobody", allowed));
    }
    let is_broker = |text: &String| {
        text.rsplit_once(':').is_some_and(|(host, port)| {
            let is_host = !host.is_empty() && !host.contains(['/', '@', ' ']);
            is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
        })
    };
    // Its text is not repeated: somebody may have written a password into it.
    match given.iter().position(|text| !is_broker(text)) {
        None => Ok(given),
        Some(index) => {
            let number = index.saturating_add(1);
            let wrong = format!("number {number} is no host with a port");
            Err(section.wrong("brokers", wrong, allowed))
        },
    }
}

fn check_topic(section: &mut Section<'_>, given: Option<String>) -> Result<String, Reported> {
    let topic = given.unwrap_or_else(|| TOPIC.to_owned());
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let is_short = (1..=LONGEST_TOPIC).contains(&topic.len());
    if is_short && topic.bytes().all(is_plain) && topic != "." && topic != ".." {
        return Ok(topic);
    }
    let allowed = format!("write 1 to {LONGEST_TOPIC} letters, digits, dots, - and _");
    Err(section.wrong("topic", "is not the name of a topic", allowed))
}

fn check_login(section: &mut Section<'_>, raw: RawKafka) -> Result<KafkaLogin, Reported> {
    let mechanisms = [
        ("scram-sha-512", Mechanism::Scram),
        ("plain", Mechanism::Plain),
    ];
    let mechanism = word(section, "mechanism", raw.mechanism.as_deref(), &mechanisms)?;
    let login = login(section, raw.user, (raw.password, raw.password_file))?;
    Ok(match (login, mechanism) {
        (None, _) => KafkaLogin::Nobody,
        (Some((user, password)), Mechanism::Scram) => KafkaLogin::Scram { user, password },
        (Some((user, password)), Mechanism::Plain) => KafkaLogin::Plain { user, password },
    })
}
