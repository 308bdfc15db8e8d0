//! Asks a node what contracts answer (`eth_call`).

use alloy_primitives::{Address, Bytes, U64, U256};
use paywatch_core::BlockRef;
use serde_json::{Value, json};

use crate::rpc::classify::{classify, knows_no_hashes, lacks_state};
use crate::rpc::envelope::Request;
use crate::rpc::failure::RpcFailure;
use crate::rpc::header_at;
use crate::rpc::node::{Given, Node};
use crate::rpc::wire::WireHeader;
use crate::{Call, CallAt, CallFailure, Contradiction, NotThere, SourceError};

const CALL: &str = "eth_call";
/// The selector of `decimals()`.
const DECIMALS: [u8; 4] = [0x31, 0x3c, 0xe5, 0x67];

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

/// The token's `decimals()`.
pub(super) async fn token_decimals(node: &Node, token: Address) -> Result<u8, SourceError> {
    let unusable = |cause: NoToken| SourceError::Unusable {
        cause: Box::new(cause),
    };
    let call = Call {
        to: token,
        data: Bytes::from_static(&DECIMALS),
    };
    let answer: Bytes = match node.call(request(&call, &json!("latest"))).await {
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

/// What the contracts answer to `calls`, all in one request.
pub(super) async fn answers(
    node: &Node,
    calls: &[Call],
    at: CallAt,
) -> Result<Vec<Bytes>, SourceError> {
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let place = match at {
        CallAt::Latest => json!("latest"),
        CallAt::Number(number) => json!(U64::from(number)),
        CallAt::Block(block) => json!({ "blockHash": block.hash }),
    };
    let requests = calls.iter().map(|call| request(call, &place)).collect();
    let asked = calls.to_vec();
    let read = move |answers: Vec<Result<Given<'_>, RpcFailure>>| read_all(&asked, answers, at);
    match (node.ask(requests, read).await, at) {
        (Ok(Err(Unread::KnowsNoHashes)), CallAt::Block(block)) => {
            answers_by_number(node, calls, block).await
        },
        (Ok(Ok(answers)), _) => Ok(answers),
        (Ok(Err(Unread::Failed(error))), _) => Err(error),
        (Ok(Err(Unread::KnowsNoHashes)), _) => Err(CallFailure::NoState { at, cause: None }.into()),
        (Err(failure), CallAt::Block(block)) if knows_no_hashes(&failure) => {
            answers_by_number(node, calls, block).await
        },
        (Err(failure), _) => Err(refused(failure, None, at)),
    }
}

/// The same from a node that takes no hashes: in the same request it says which block it has
/// there, which must be `block`.
async fn answers_by_number(
    node: &Node,
    calls: &[Call],
    block: BlockRef,
) -> Result<Vec<Bytes>, SourceError> {
    let (number, at) = (block.number, CallAt::Block(block));
    let place = json!(U64::from(number));
    let mut requests: Vec<Request> = calls.iter().map(|call| request(call, &place)).collect();
    requests.push(header_at(number));
    let asked = calls.to_vec();
    let read = move |mut answers: Vec<Result<Given<'_>, RpcFailure>>| {
        let header = answers.pop().ok_or(NotThere { number })?;
        let header: Option<WireHeader> = header.map_err(classify)?.parse()?;
        let found = header.ok_or(NotThere { number })?.to_header()?.block.hash;
        if found != block.hash {
            return Err(Contradiction::Changed {
                number,
                before: block.hash,
                after: found,
            }
            .into());
        }
        read_all(&asked, answers, at).map_err(|unread| match unread {
            Unread::Failed(error) => error,
            Unread::KnowsNoHashes => CallFailure::NoState { at, cause: None }.into(),
        })
    };
    match node.ask(requests, read).await {
        Ok(answers) => answers,
        Err(failure) => Err(refused(failure, None, at)),
    }
}

/// Why a batch was not read.
enum Unread {
    /// The node does not take a block by its hash here.
    KnowsNoHashes,
    Failed(SourceError),
}

fn read_all(
    calls: &[Call],
    answers: Vec<Result<Given<'_>, RpcFailure>>,
    at: CallAt,
) -> Result<Vec<Bytes>, Unread> {
    let mut all = Vec::with_capacity(calls.len());
    for (call, answer) in calls.iter().zip(answers) {
        all.push(match answer {
            Ok(given) => given.parse().map_err(Unread::Failed)?,
            Err(failure) if knows_no_hashes(&failure) => return Err(Unread::KnowsNoHashes),
            Err(failure) => return Err(Unread::Failed(refused(failure, Some(call.to), at))),
        });
    }
    Ok(all)
}

fn request(call: &Call, place: &Value) -> Request {
    Request::new(CALL, json!([{ "to": call.to, "data": call.data }, place]))
}

/// What it means that a call failed; the contract may have refused it, if it is known which.
fn refused(failure: RpcFailure, to: Option<Address>, at: CallAt) -> SourceError {
    match to {
        Some(to) if failure.is_revert() => CallFailure::Reverted {
            to,
            cause: Some(Box::new(failure)),
        }
        .into(),
        _ if lacks_state(&failure) => CallFailure::NoState {
            at,
            cause: Some(Box::new(failure)),
        }
        .into(),
        _ => classify(failure),
    }
}
