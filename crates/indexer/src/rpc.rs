//! One node that speaks JSON-RPC, over HTTP, a WebSocket, or both.

mod classify;
mod contract;
mod endpoint;
mod envelope;
mod failure;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod heads;
mod http;
mod logs;
mod node;
mod questions;
mod receipt;
mod socket;
mod strangers;
mod wire;

use std::fmt;
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U64};
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use paywatch_core::{BlockNumber, BlockRef, ChainId, FinalityTag};
use paywatch_proof::{BlockEvidence, EvidenceError};
use serde_json::json;
use serde_json::value::RawValue;
use url::Url;

pub use crate::rpc::failure::RpcFailure;

use crate::rpc::classify::{classify, knows_no_tag};
use crate::rpc::endpoint::Endpoint;
use crate::rpc::envelope::Request;
use crate::rpc::logs::{LogsError, read_logs};
use crate::rpc::node::{Given, Node};
use crate::rpc::questions::{questions, together};
use crate::rpc::wire::WireHeader;
use crate::source::only;
use crate::{
    Call, CallAt, ChainSource, Contradiction, Header, LogAnswer, LogFilter, LogQuery, NotThere,
    SourceError, TransferLog, TxReceipt,
};

/// How many headers go into one JSON-RPC batch.
const HEADERS_PER_BATCH: usize = 50;
/// How many batches are under way at the same time.
const BATCHES_AT_ONCE: usize = 4;

const BLOCK_BY_NUMBER: &str = "eth_getBlockByNumber";
const BLOCK_BY_HASH: &str = "eth_getBlockByHash";
const BLOCK_RECEIPTS: &str = "eth_getBlockReceipts";
const GET_LOGS: &str = "eth_getLogs";

/// Where a node is. At least one of the URLs is needed.
#[derive(Clone)]
pub struct RpcSettings {
    /// Its HTTP endpoint, which answers everything. The URL may hold a key: it is never shown.
    pub http: Option<Url>,
    /// Its WebSocket endpoint, which announces new blocks, and answers if there is no other. As
    /// secret as the other.
    pub ws: Option<Url>,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl fmt::Debug for RpcSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcSettings")
            .field("http", &self.http.as_ref().map(Endpoint::new))
            .field("ws", &self.ws.as_ref().map(Endpoint::new))
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// One node over JSON-RPC.
#[derive(Debug)]
pub struct RpcSource {
    node: Node,
}

/// An endpoint that cannot even be tried.
#[derive(Debug, thiserror::Error)]
enum NoEndpoint {
    #[error("the endpoint begins with {scheme}:// and should begin with {wanted}")]
    Scheme {
        scheme: String,
        wanted: &'static str,
    },
    #[error("the endpoint has neither an HTTP nor a WebSocket URL")]
    Nothing,
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
        let unusable = |cause: NoEndpoint| SourceError::Unusable {
            cause: Box::new(cause),
        };
        if let Some(http) = &settings.http {
            check_scheme(http, &["http", "https"], "http or https").map_err(unusable)?;
        }
        if let Some(ws) = &settings.ws {
            check_scheme(ws, &["ws", "wss"], "ws or wss").map_err(unusable)?;
        }
        let node = Node::open(settings.http, settings.ws, settings.timeout).map_err(|cause| {
            SourceError::Unusable {
                cause: Box::new(cause),
            }
        })?;
        let node = node.ok_or(NoEndpoint::Nothing).map_err(unusable)?;
        Ok(Self { node })
    }

    /// The endpoint as it may be shown.
    #[must_use]
    pub fn name(&self) -> String {
        self.node.endpoint().to_string()
    }

    async fn batch_of_headers(
        &self,
        numbers: Vec<BlockNumber>,
    ) -> Result<Vec<Option<Header>>, SourceError> {
        let requests = numbers.iter().map(|number| header_at(*number)).collect();
        self.node
            .ask(requests, move |answers| {
                numbers
                    .iter()
                    .zip(answers)
                    .map(|(number, answer)| numbered(*number, answer?.parse()?))
                    .collect()
            })
            .await
            .map_err(classify)?
    }

    /// The logs of a range, and in the same request its last block: behind one address there may
    /// be many nodes, and one that does not have the block yet answers with fewer logs, or none.
    async fn logs_up_to(
        &self,
        query: LogQuery,
        filter: LogFilter,
        to: BlockNumber,
    ) -> Result<LogAnswer, SourceError> {
        let mut requests = questions(&query, &filter);
        requests.push(header_at(to));
        let answer = self
            .node
            .ask(requests, move |mut answers| {
                let last = answers.pop().ok_or(NotThere { number: to })?;
                let logs: Vec<Given<'_>> = answers
                    .into_iter()
                    .collect::<Result<_, _>>()
                    .map_err(too_wide_if_slow)?;
                let last: Option<WireHeader> = last.map_err(too_wide_if_slow)?.parse()?;
                if last.is_none() {
                    return Err(NotThere { number: to }.into());
                }
                let logs = logs.iter().map(|logs| logs.read(&query, &filter));
                Ok(together(logs.collect::<Result<_, _>>()?))
            })
            .await;
        answer.map_err(too_wide_if_slow)?
    }
}

/// A range that takes too long is too wide, whatever the node would have said.
fn too_wide_if_slow(failure: RpcFailure) -> SourceError {
    if failure.is_timeout() {
        return SourceError::TooWide {
            suggested: None,
            cause: Box::new(failure),
        };
    }
    classify(failure)
}

impl Given<'_> {
    /// What is wanted of an answer to `eth_getLogs`.
    fn read(&self, query: &LogQuery, filter: &LogFilter) -> Result<LogAnswer, SourceError> {
        read_logs(self.raw.get(), query, filter).map_err(|error| match error {
            LogsError::Contradiction(contradiction) => contradiction.into(),
            LogsError::Unreadable(cause) => classify(self.unreadable(cause)),
        })
    }
}

#[async_trait]
impl ChainSource for RpcSource {
    async fn chain_id(&self) -> Result<ChainId, SourceError> {
        let request = Request::new("eth_chainId", json!([]));
        let id: U64 = self.node.call(request).await.map_err(classify)?;
        ChainId::new(id.to()).map_err(|cause| SourceError::Unusable {
            cause: Box::new(cause),
        })
    }

    async fn token_decimals(&self, token: Address) -> Result<u8, SourceError> {
        contract::token_decimals(&self.node, token).await
    }

    async fn receipt(&self, tx: B256) -> Result<Option<TxReceipt>, SourceError> {
        receipt::receipt(&self.node, tx).await
    }

    async fn call(&self, to: Address, data: Bytes, at: CallAt) -> Result<Bytes, SourceError> {
        let call = Call { to, data };
        only(contract::answers(&self.node, std::slice::from_ref(&call), at).await?)
    }

    async fn calls(&self, calls: &[Call], at: CallAt) -> Result<Vec<Bytes>, SourceError> {
        contract::answers(&self.node, calls, at).await
    }

    async fn latest(&self) -> Result<Header, SourceError> {
        if let Some(announced) = self.node.heads().and_then(|heads| heads.take()) {
            return Ok(announced);
        }
        let request = Request::new(BLOCK_BY_NUMBER, json!(["latest", false]));
        let header: Option<WireHeader> = self.node.call(request).await.map_err(classify)?;
        let header = header.ok_or(NotThere { number: 0 })?.to_header()?;
        if let Some(heads) = self.node.heads() {
            heads.compare(header.block.number);
        }
        Ok(header)
    }

    async fn tagged(&self, tag: FinalityTag) -> Result<Option<BlockRef>, SourceError> {
        let request = Request::new(BLOCK_BY_NUMBER, json!([tag.name(), false]));
        match self.node.call::<Option<WireHeader>>(request).await {
            Ok(None) => Ok(None),
            Ok(Some(header)) => Ok(Some(header.to_header()?.block.to_ref())),
            Err(failure) if knows_no_tag(&failure, tag) => Ok(None),
            Err(failure) => Err(classify(failure)),
        }
    }

    async fn headers(&self, numbers: &[BlockNumber]) -> Result<Vec<Option<Header>>, SourceError> {
        let batches: Vec<_> = numbers
            .chunks(HEADERS_PER_BATCH)
            .map(|numbers| self.batch_of_headers(numbers.to_vec()))
            .collect();
        let batches: Vec<Vec<Option<Header>>> = stream::iter(batches)
            .buffered(BATCHES_AT_ONCE)
            .try_collect()
            .await?;
        Ok(batches.concat())
    }

    async fn transfer_logs(
        &self,
        query: &LogQuery,
        filter: &LogFilter,
    ) -> Result<LogAnswer, SourceError> {
        // To a node, no address means every contract.
        if filter.tokens.is_empty() {
            return Ok(LogAnswer::default());
        }
        let (query, filter) = (query.clone(), filter.clone());
        match query {
            LogQuery::Range { to, .. } => self.logs_up_to(query, filter, to).await,
            LogQuery::Block(_) => {
                let requests = questions(&query, &filter);
                let read = move |answers: Vec<Result<Given<'_>, RpcFailure>>| {
                    let logs = answers
                        .into_iter()
                        .map(|logs| logs.map_err(classify)?.read(&query, &filter))
                        .collect::<Result<Vec<_>, _>>()?;
                    Ok(together(logs))
                };
                self.node.ask(requests, read).await.map_err(classify)?
            },
        }
    }

    async fn transfers_to(
        &self,
        blocks: (BlockNumber, BlockNumber),
        recipients: &[Address],
    ) -> Result<Vec<TransferLog>, SourceError> {
        strangers::transfers_to(&self.node, blocks, recipients).await
    }

    async fn evidence(&self, block: BlockRef) -> Result<BlockEvidence, SourceError> {
        let receipts = Request::new(BLOCK_RECEIPTS, json!([block.hash]));
        let header = Request::new(BLOCK_BY_HASH, json!([block.hash, false]));
        // Most blocks that pay somebody were announced a moment ago.
        let known = self.node.heads().and_then(|heads| heads.rlp_of(block.hash));
        let answer = match known {
            Some(rlp) => {
                let read = move |receipts: Given<'_>| {
                    BlockEvidence::of_header(rlp, there(&receipts, block)?.get())
                        .map_err(|cause| unprovable(block, cause))
                };
                self.node.ask_one(receipts, read).await
            },
            None => {
                let read = move |answers: Vec<Result<Given<'_>, RpcFailure>>| {
                    let mut answers = answers.into_iter();
                    let (Some(receipts), Some(header)) = (answers.next(), answers.next()) else {
                        return Err(not_there(block));
                    };
                    let header = there(&header.map_err(classify)?, block)?;
                    let receipts = there(&receipts.map_err(classify)?, block)?;
                    BlockEvidence::from_json(header.get(), receipts.get())
                        .map_err(|cause| unprovable(block, cause))
                };
                self.node.ask(vec![receipts, header], read).await
            },
        };
        answer.map_err(classify)?
    }

    async fn woken(&self) {
        match self.node.heads() {
            Some(heads) => heads.woken().await,
            None => std::future::pending().await,
        }
    }

    fn announces(&self) -> bool {
        self.node.heads().is_some_and(|heads| heads.is_live())
    }

    fn silences(&self) -> u64 {
        self.node.heads().map_or(0, |heads| heads.silences())
    }

    fn announced(&self, hash: B256) -> Option<Header> {
        self.node.heads().and_then(|heads| heads.with_hash(hash))
    }
}

fn not_there(block: BlockRef) -> SourceError {
    let number = block.number;
    NotThere { number }.into()
}

fn unprovable(block: BlockRef, cause: EvidenceError) -> SourceError {
    SourceError::Unprovable {
        number: block.number,
        cause: Box::new(cause),
    }
}

/// What is given of `block`, if the node has it at all.
fn there<'a>(given: &Given<'a>, block: BlockRef) -> Result<&'a RawValue, SourceError> {
    let raw = given.raw;
    (raw.get() != "null")
        .then_some(raw)
        .ok_or_else(|| not_there(block))
}

fn header_at(number: BlockNumber) -> Request {
    Request::new(BLOCK_BY_NUMBER, json!([U64::from(number), false]))
}

/// The header, which must be the one at `number`.
fn numbered(
    number: BlockNumber,
    header: Option<WireHeader>,
) -> Result<Option<Header>, SourceError> {
    let Some(header) = header else {
        return Ok(None);
    };
    if header.number() != number {
        return Err(Contradiction::OtherNumber {
            asked: number,
            answered: header.number(),
        }
        .into());
    }
    Ok(Some(header.to_header()?))
}

fn check_scheme(url: &Url, allowed: &[&str], wanted: &'static str) -> Result<(), NoEndpoint> {
    if allowed.contains(&url.scheme()) {
        return Ok(());
    }
    Err(NoEndpoint::Scheme {
        scheme: url.scheme().to_owned(),
        wanted,
    })
}
