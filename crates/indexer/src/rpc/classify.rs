//! Reads what nodes and providers say when they say no. The only file that does.

use std::time::Duration;

use paywatch_core::FinalityTag;

use crate::SourceError;
use crate::rpc::failure::{FailureKind, Refusal, RpcFailure};

/// What a refusal comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Later(Option<Duration>),
    TooWide(Option<u64>),
    Lagging,
    Unusable,
}

/// The plan, the key or the node lacks something. Waiting does not help, somebody must act.
const UNUSABLE: &[&str] = &[
    "api key",
    "apikey",
    "invalid project id",
    "project id does not have access",
    "unauthorized",
    "must be authenticated",
    "authentication",
    "reached the free tier",
    "payment required",
    "account is suspended",
    "account has been disabled",
    "method not found",
    "method is not available",
    "method not supported",
    "unsupported method",
    "does not exist/is not available",
    "is not whitelisted",
    "not allowed to call",
    "pruned history",
    "history has been pruned",
    "max addresses or topics per search position",
    "filters. the current limit is",
];

/// Too many requests: wait.
const RATE: &[&str] = &[
    "too many requests",
    "rate limit",
    "ratelimit",
    "rate-limit",
    "rate exceeded",
    "request limit",
    "request count exceeded",
    "requests per second",
    "calls per second",
    "compute units",
    "capacity",
    "throughput",
    "credits limited",
    "concurrent requests",
    "no backend is currently healthy",
    "lack of computing resources",
    "frequency limit",
    "try again later",
];

/// Another backend, or a node that is behind.
const LAGGING: &[&str] = &[
    "unknown block",
    "block not found",
    "header not found",
    "header for hash not found",
    "blockoutofrange",
    "block out of range",
    "block is out of range",
    "beyond current head",
    "after last accepted block",
    "greater than latest block",
    "cannot be found",
    "could not find block",
    "not yet available",
    "requested block is not available",
    "invalid block range",
];

/// Too many blocks or results at once.
const TOO_WIDE: &[&str] = &[
    "block range",
    "range is too wide",
    "range is too large",
    "range too large",
    "exceed max block range",
    "exceeds limit of",
    "exceeds the range",
    "exceed maximum block range",
    "query returned more than",
    "query returns too many",
    "query exceeds max",
    "logs matched by query",
    "narrow your filter",
    "ranges over",
    "range limit",
    "is limited to a",
    "limited to a ",
    "limited to n",
    "please limit the query",
    "number of requested blocks",
    "requested too many blocks",
    "must be smaller than size",
    "response size",
    "response too large",
    "response is too big",
    "query timeout",
    "query timed out",
    "batch size",
    "batch too large",
    "batch limit",
    "requests in batch",
    "too many results",
];

/// The state after an old block is gone.
const NO_STATE: &[&str] = &[
    "missing trie node",
    "header not found",
    "state not available",
    "state is not available",
    "state unavailable",
    "historical state",
    "state histories",
    "old data not available",
    "state already pruned",
    "state pruned",
    "pruned state",
    "state has been pruned",
    "distance to target block exceeds maximum proof window",
    "requires archive",
    "archive node",
    "archive request",
    "archive data",
    "archive state",
    "block is out of range for state",
    "no state available",
    "state at block",
    "layer stale",
    "quantity not supported",
];

/// Words after which a provider tells how many blocks it serves.
const WIDTH_FOLLOWS: &[&str] = &[
    "maximum block range: ",
    "max block range: ",
    "max block range ",
    "max range: ",
    "max: ",
    "max is ",
    "maximum is set to ",
    "(maximum ",
    "exceeds limit of ",
    "allowed for your plan (",
    "limited to a ",
    "limited to ",
    "up to a ",
    "narrow your filter: ",
    "smaller than size ",
    "at most ",
    "ranges over ",
    "requested blocks is ",
];

/// What the caller of a failed request does next.
pub(super) fn classify(failure: RpcFailure) -> SourceError {
    let verdict = match failure.kind() {
        FailureKind::Refused(refusal) => read(refusal),
        FailureKind::TooLong(_) => Verdict::TooWide(None),
        FailureKind::Transport { .. }
        | FailureKind::Unreadable { .. }
        | FailureKind::NoText(_)
        | FailureKind::Missing => Verdict::Later(None),
    };
    let cause = Box::new(failure);
    match verdict {
        Verdict::Later(after) => SourceError::Later { after, cause },
        Verdict::TooWide(suggested) => SourceError::TooWide { suggested, cause },
        Verdict::Lagging => SourceError::Lagging { cause },
        Verdict::Unusable => SourceError::Unusable { cause },
    }
}

/// Whether a failed question for the block of a tag means that there is none, not that the node is
/// in trouble.
pub(super) fn knows_no_tag(failure: &RpcFailure, tag: FinalityTag) -> bool {
    let FailureKind::Refused(refusal) = failure.kind() else {
        return false;
    };
    let text = refusal.text.to_lowercase();
    let is_busy = refusal.status == Some(429) || contains(&text, RATE);
    match refusal.code {
        Some(-39001) => true,
        Some(-32000 | -32001 | -32600 | -32602) => !is_busy,
        Some(_) | None => text.contains(tag.name()),
    }
}

/// Whether a call failed because the node has no state for its block.
pub(super) fn lacks_state(failure: &RpcFailure) -> bool {
    match failure.kind() {
        FailureKind::Refused(refusal) => contains(&refusal.text.to_lowercase(), NO_STATE),
        FailureKind::Transport { .. }
        | FailureKind::Unreadable { .. }
        | FailureKind::NoText(_)
        | FailureKind::TooLong(_)
        | FailureKind::Missing => false,
    }
}

/// Whether a call failed because the node does not take a block by its hash (EIP-1898).
pub(super) fn knows_no_hashes(failure: &RpcFailure) -> bool {
    match failure.kind() {
        FailureKind::Refused(refusal) => {
            let is_about_params = matches!(refusal.code, Some(-32600 | -32602 | -32700));
            is_about_params && !failure.is_revert() && !lacks_state(failure)
        },
        FailureKind::Transport { .. }
        | FailureKind::Unreadable { .. }
        | FailureKind::NoText(_)
        | FailureKind::TooLong(_)
        | FailureKind::Missing => false,
    }
}

/// Whether the text says that the called contract refused.
pub(super) fn tells_of_a_revert(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("revert") || text.contains("invalid opcode")
}

fn read(refusal: &Refusal) -> Verdict {
    let text = refusal.text.to_lowercase();
    let after = refusal.retry_after.or_else(|| wait_in(&text));
    match (refusal.status, refusal.code) {
        (Some(429), _) | (_, Some(429)) => return Verdict::Later(after),
        (Some(401 | 402), _) | (_, Some(-32601)) => return Verdict::Unusable,
        _ => {},
    }
    // The order matters: a plan's text may speak of ranges, a range's of "limit".
    if contains(&text, UNUSABLE) {
        Verdict::Unusable
    } else if contains(&text, LAGGING) && !contains(&text, WIDTH_FOLLOWS) {
        Verdict::Lagging
    } else if contains(&text, TOO_WIDE) || refusal.status == Some(413) {
        Verdict::TooWide(range_in(&text).or_else(|| width_in(&text)))
    } else {
        // Rate limits, outages, and everything that is new to us: wait, and ask again.
        Verdict::Later(after)
    }
}

fn contains(text: &str, any: &[&str]) -> bool {
    any.iter().any(|words| text.contains(words))
}

/// The width of a suggested range: `[0x1, 0xa]` or `range 1-10`.
fn range_in(text: &str) -> Option<u64> {
    let bracketed = text
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    let (from, to) = match bracketed {
        Some((inside, _)) => inside.split_once(',')?,
        None => text.split_once("with the range ")?.1.split_once('-')?,
    };
    let from = leading_number(from.trim())?;
    let to = leading_number(to.trim())?;
    to.checked_sub(from)?.checked_add(1)
}

/// A number of blocks that the text names.
fn width_in(text: &str) -> Option<u64> {
    WIDTH_FOLLOWS
        .iter()
        .find_map(|words| leading_number(text.split_once(words)?.1))
        .filter(|&width| width > 0)
}

/// A wait that the text names: "try again in 4ms".
fn wait_in(text: &str) -> Option<Duration> {
    let rest = text.split_once("try again in ")?.1;
    let count = leading_number(rest)?;
    let unit = rest
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start();
    Some(if unit.starts_with("ms") {
        Duration::from_millis(count)
    } else {
        Duration::from_secs(count)
    })
}

/// The number that `text` begins with: `0x1f`, `10,000`, `10k`, `2048`; `(N > M` gives M.
fn leading_number(text: &str) -> Option<u64> {
    if let Some(hex) = text.strip_prefix("0x") {
        let digits: String = hex.chars().take_while(char::is_ascii_hexdigit).collect();
        return u64::from_str_radix(&digits, 16).ok();
    }
    let number: String = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',')
        .filter(char::is_ascii_digit)
        .collect();
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ',');
    if let Some(limit) = rest.strip_prefix(" > ") {
        return leading_number(limit);
    }
    let value: u64 = number.parse().ok()?;
    if rest.starts_with('k') {
        value.checked_mul(1_000)
    } else {
        Some(value)
    }
}

#[cfg(test)]
mod tests;
