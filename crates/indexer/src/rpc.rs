//! The source that speaks JSON-RPC: HTTP for answers, a WebSocket for hints.

mod classify;
mod endpoint;
mod failure;
mod http;
mod wake;
mod wire;

use std::fmt;
use std::time::Duration;

use alloy::rpc::types::{Filter, Log};
use alloy_primitives::{Address, Bytes, U64, U256};
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use paywatch_core::{Block, BlockNumber, ChainId};
use serde_json::{Value, json};
use url::Url;

pub use crate::rpc::failure::RpcFailure;

use crate::rpc::classify::{classify, knows_no_finality};
use crate::rpc::endpoint::Endpoint;
use crate::rpc::http::HttpRpc;
use crate::rpc::wake::Wake;
use crate::rpc::wire::Header;
use crate::{
    ChainSource, Contradiction, LogQuery, NotThere, SourceError, TRANSFER_TOPIC, TransferLog,
    decode,
};

/// How many headers go into one JSON-RPC batch.
const HEADERS_PER_BATCH: usize = 50;
/// How many batches are under way at the same time.
const BATCHES_AT_ONCE: usize = 4;
/// The selector of `decimals()`.
const DECIMALS: [u8; 4] = [0x31, 0x3c, 0xe5, 0x67];

const BLOCK_BY_NUMBER: &str = "eth_getBlockByNumber";
const GET_LOGS: &str = "eth_getLogs";

/// Where a node is.
#[derive(Clone)]
pub struct RpcSettings {
    /// Its HTTP endpoint, which answers everything. The URL may hold a key: it is never shown.
    pub http: Url,
    /// Its WebSocket endpoint, which says that there is a new block. As secret as the other.
    pub ws: Option<Url>,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl fmt::Debug for RpcSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcSettings")
            .field("http", &Endpoint::new(&self.http))
            .field("ws", &self.ws.as_ref().map(Endpoint::new))
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// One node over JSON-RPC.
#[derive(Debug)]
pub struct RpcSource {
    http: HttpRpc,
    wake: Option<Wake>,
}

/// An endpoint that cannot even be tried.
#[derive(Debug, thiserror::Error)]
#[error("the endpoint begins with {scheme}:// and should begin with {wanted}")]
struct WrongScheme {
    scheme: String,
    wanted: &'static str,
}

/// A token that is none.
#[derive(Debug, thiserror::Error)]
enum NoToken {
    #[error(
        "there is no token contract at {0}: decimals() answers nothing; check its address and chain"
    )]
    Nothing(Address),
    #[error("the contract {0} is no token: decimals() fails; check its address and chain")]
    Fails(Address, #[source] RpcFailure),
    #[error(
        "the contract {token} is no token: decimals() answers {answer}; check its address and chain"
    )]
    Odd { token: Address, answer: Bytes },
}

impl RpcSource {
    /// A source at `settings`. Nothing is asked yet, so the node may be down; a WebSocket is
    /// connected, and connected again, in the background for as long as the source lives.
    ///
    /// # Errors
    /// [`SourceError::Unusable`] for URLs that are neither HTTP nor WebSocket.
    #[expect(
        clippy::unused_async,
        reason = "its background task needs a runtime, which an async function has"
    )]
    pub async fn connect(settings: RpcSettings) -> Result<Self, SourceError> {
        check_scheme(&settings.http, &["http", "https"], "http or https")?;
        let wake = match settings.ws {
            Some(url) => {
                check_scheme(&url, &["ws", "wss"], "ws or wss")?;
                Some(Wake::listen(url, settings.timeout))
            },
            None => None,
        };
        let http = HttpRpc::new(settings.http, settings.timeout).map_err(|cause| {
            SourceError::Unusable {
                cause: Box::new(cause),
            }
        })?;
        Ok(Self { http, wake })
    }

    async fn headers(&self, numbers: &[BlockNumber]) -> Result<Vec<Option<Block>>, SourceError> {
        let requests = numbers.iter().map(|number| header_at(*number)).collect();
        let answers = self.http.batch(requests).await.map_err(classify)?;
        numbers
            .iter()
            .zip(answers)
            .map(|(number, answer)| {
                let answer = answer.map_err(classify)?;
                let header = self
                    .http
                    .parse(BLOCK_BY_NUMBER, &answer)
                    .map_err(classify)?;
                numbered(*number, header)
            })
            .collect()
    }

    /// The logs of one block, which a node that does not have it refuses to answer.
    async fn logs_of(&self, filter: Filter) -> Result<Vec<Log>, SourceError> {
        self.http
            .call(GET_LOGS, json!([filter]))
            .await
            .map_err(classify)
    }

    /// The logs of a range, and in the same request its last block: behind one address there may
    /// be many nodes, and one that does not have the block yet answers with fewer logs, or none.
    async fn logs_up_to(&self, filter: Filter, to: BlockNumber) -> Result<Vec<Log>, RangeFailure> {
        let requests = vec![(GET_LOGS, json!([filter])), header_at(to)];
        let mut answers = self.http.batch(requests).await?.into_iter();
        let (Some(logs), Some(last)) = (answers.next(), answers.next()) else {
            return Err(NotThere { number: to }.into());
        };
        let logs = self.http.parse(GET_LOGS, &logs?)?;
        let last: Option<Header> = self.http.parse(BLOCK_BY_NUMBER, &last?)?;
        match last {
            Some(_) => Ok(logs),
            None => Err(NotThere { number: to }.into()),
        }
    }
}

/// Why the logs of a range did not come.
enum RangeFailure {
    Rpc(RpcFailure),
    NotThere(NotThere),
}

impl From<RpcFailure> for RangeFailure {
    fn from(failure: RpcFailure) -> Self {
        Self::Rpc(failure)
    }
}

impl From<NotThere> for RangeFailure {
    fn from(missing: NotThere) -> Self {
        Self::NotThere(missing)
    }
}

impl From<RangeFailure> for SourceError {
    fn from(failure: RangeFailure) -> Self {
        match failure {
            RangeFailure::NotThere(missing) => missing.into(),
            // A range that takes too long is too wide, whatever the node would have said.
            RangeFailure::Rpc(failure) if failure.is_timeout() => Self::TooWide {
                suggested: None,
                cause: Box::new(failure),
            },
            RangeFailure::Rpc(failure) => classify(failure),
        }
    }
}

#[async_trait]
impl ChainSource for RpcSource {
    async fn chain_id(&self) -> Result<ChainId, SourceError> {
        let id: U64 = self
            .http
            .call("eth_chainId", json!([]))
            .await
            .map_err(classify)?;
        ChainId::new(id.to()).map_err(|cause| SourceError::Unusable {
            cause: Box::new(cause),
        })
    }

    async fn token_decimals(&self, token: Address) -> Result<u8, SourceError> {
        let call = json!([{"to": token, "data": Bytes::from_static(&DECIMALS)}, "latest"]);
        let unusable = |cause: NoToken| SourceError::Unusable {
            cause: Box::new(cause),
        };
        let answer: Bytes = match self.http.call("eth_call", call).await {
            Ok(answer) => answer,
            Err(failure) if failure.is_revert() => {
                return Err(unusable(NoToken::Fails(token, failure)));
            },
            Err(failure) => return Err(classify(failure)),
        };
        if answer.is_empty() {
            return Err(unusable(NoToken::Nothing(token)));
        }
        U256::try_from_be_slice(&answer)
            .filter(|_| answer.len() == 32)
            .and_then(|decimals| u8::try_from(decimals).ok())
            .ok_or_else(|| unusable(NoToken::Odd { token, answer }))
    }

    async fn latest(&self) -> Result<Block, SourceError> {
        let header: Option<Header> = self
            .http
            .call(BLOCK_BY_NUMBER, json!(["latest", false]))
            .await
            .map_err(classify)?;
        Ok(header.ok_or(NotThere { number: 0 })?.to_block()?)
    }

    async fn finalized(&self) -> Result<Option<BlockNumber>, SourceError> {
        let answer: Result<Option<Header>, _> = self
            .http
            .call(BLOCK_BY_NUMBER, json!(["finalized", false]))
            .await;
        match answer {
            Ok(header) => Ok(header.map(|header| header.number())),
            Err(failure) if knows_no_finality(&failure) => Ok(None),
            Err(failure) => Err(classify(failure)),
        }
    }

    async fn block(&self, number: BlockNumber) -> Result<Option<Block>, SourceError> {
        let header: Option<Header> = self
            .http
            .call(BLOCK_BY_NUMBER, json!([U64::from(number), false]))
            .await
            .map_err(classify)?;
        numbered(number, header)
    }

    async fn blocks(&self, numbers: &[BlockNumber]) -> Result<Vec<Option<Block>>, SourceError> {
        let batches: Vec<_> = numbers
            .chunks(HEADERS_PER_BATCH)
            .map(|numbers| self.headers(numbers))
            .collect();
        let batches: Vec<Vec<Option<Block>>> = stream::iter(batches)
            .buffered(BATCHES_AT_ONCE)
            .try_collect()
            .await?;
        Ok(batches.concat())
    }

    async fn transfer_logs(
        &self,
        query: LogQuery,
        tokens: &[Address],
    ) -> Result<Vec<TransferLog>, SourceError> {
        // To a node, no address means every contract.
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let filter = Filter::new()
            .address(tokens.to_vec())
            .event_signature(TRANSFER_TOPIC);
        let logs = match query {
            LogQuery::Block(block) => self.logs_of(filter.at_block_hash(block.hash)).await?,
            LogQuery::Range { from, to } => {
                self.logs_up_to(filter.from_block(from).to_block(to), to)
                    .await?
            },
        };
        logs.iter()
            .filter_map(|log| read_log(log, query, tokens).transpose())
            .collect()
    }

    async fn woken(&self) {
        match &self.wake {
            Some(wake) => wake.woken().await,
            None => std::future::pending().await,
        }
    }
}

fn header_at(number: BlockNumber) -> (&'static str, Value) {
    (BLOCK_BY_NUMBER, json!([U64::from(number), false]))
}

/// The transfer in `log`, which must be one that was asked for.
fn read_log(
    log: &Log,
    query: LogQuery,
    tokens: &[Address],
) -> Result<Option<TransferLog>, SourceError> {
    if !tokens.contains(&log.address()) {
        return Err(Contradiction::ForeignToken {
            token: log.address(),
            tx_hash: log.transaction_hash.unwrap_or_default(),
        }
        .into());
    }
    let Some(log) = decode(log).map_err(Contradiction::from)? else {
        return Ok(None);
    };
    let is_asked = match query {
        LogQuery::Block(block) => log.block_hash == block.hash && log.block_number == block.number,
        LogQuery::Range { from, to } => (from..=to).contains(&log.block_number),
    };
    if is_asked {
        Ok(Some(log))
    } else {
        Err(Contradiction::ForeignLog {
            asked: query,
            number: log.block_number,
            hash: log.block_hash,
        }
        .into())
    }
}

/// The block in `header`, which must be the one at `number`.
fn numbered(number: BlockNumber, header: Option<Header>) -> Result<Option<Block>, SourceError> {
    let Some(header) = header else {
        return Ok(None);
    };
    let block = header.to_block()?;
    if block.number != number {
        return Err(Contradiction::OtherNumber {
            asked: number,
            answered: block.number,
        }
        .into());
    }
    Ok(Some(block))
}

fn check_scheme(url: &Url, allowed: &[&str], wanted: &'static str) -> Result<(), SourceError> {
    if allowed.contains(&url.scheme()) {
        return Ok(());
    }
    Err(SourceError::Unusable {
        cause: Box::new(WrongScheme {
            scheme: url.scheme().to_owned(),
            wanted,
        }),
    })
}
