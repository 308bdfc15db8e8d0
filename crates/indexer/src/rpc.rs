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
use serde_json::json;
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
        let params = numbers
            .iter()
            .map(|number| json!([U64::from(*number), false]))
            .collect();
        let answers = self
            .http
            .batch::<Option<Header>>("eth_getBlockByNumber", params)
            .await
            .map_err(classify)?;
        numbers
            .iter()
            .zip(answers)
            .map(|(number, answer)| numbered(*number, answer.map_err(classify)?))
            .collect()
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
            .call("eth_getBlockByNumber", json!(["latest", false]))
            .await
            .map_err(classify)?;
        Ok(header.ok_or(NotThere { number: 0 })?.to_block()?)
    }

    async fn finalized(&self) -> Result<Option<BlockNumber>, SourceError> {
        let answer: Result<Option<Header>, _> = self
            .http
            .call("eth_getBlockByNumber", json!(["finalized", false]))
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
            .call("eth_getBlockByNumber", json!([U64::from(number), false]))
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
        let filter = match query {
            LogQuery::Block(block) => filter.at_block_hash(block.hash),
            LogQuery::Range { from, to } => filter.from_block(from).to_block(to),
        };
        let answer: Result<Vec<Log>, _> = self.http.call("eth_getLogs", json!([filter])).await;
        let logs = answer.map_err(|failure| match query {
            // A range that takes too long is too wide, whatever the node would have said.
            LogQuery::Range { from, to } if from < to && failure.is_timeout() => {
                SourceError::TooWide {
                    suggested: None,
                    cause: Box::new(failure),
                }
            },
            LogQuery::Range { .. } | LogQuery::Block(_) => classify(failure),
        })?;
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
