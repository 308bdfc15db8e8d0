//! The texts of FACTS, and what follows from each.

use super::*;

fn of(code: i64, text: &str) -> Verdict {
    read(&Refusal {
        code: Some(code),
        text: text.to_owned(),
        ..Refusal::default()
    })
}

/// Code, text, suggested width.
const RANGE_LIMITS: &[(i64, &str, Option<u64>)] = &[
    (
        -32600,
        "You can make eth_getLogs requests with up to a 10 block range. Based on your parameters, this block range should work: [0x10d4f, 0x10d58]",
        Some(10),
    ),
    (
        -32602,
        "Log response size exceeded. this block range should work: [0x1, 0x7d0]",
        Some(2_000),
    ),
    (
        -32005,
        "query returned more than 10000 results. Try with this block range [0x100, 0x1ff].",
        Some(256),
    ),
    (-32602, "range 1000000 exceeds limit of 10000", Some(10_000)),
    (
        -32614,
        "eth_getLogs is limited to a 10,000 range",
        Some(10_000),
    ),
    (-32600, "block range is too wide", None),
    (
        -32602,
        "query exceeds max results 20000, retry with the range 100-199",
        Some(100),
    ),
    (
        -32000,
        "Block range limit exceeded. See more details at https://docs.example",
        None,
    ),
    (
        35,
        "ranges over 10000 blocks are not supported on freetier",
        Some(10_000),
    ),
    (-32701, "exceed maximum block range: 50000", Some(50_000)),
    (-32000, "exceed maximum block range: 5000", Some(5_000)),
    (
        -32000,
        "eth_getLogs block range too large, range: 99991, max: 3500",
        Some(3_500),
    ),
    (-32000, "Block range is too large", None),
    (
        -32047,
        "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800",
        Some(800),
    ),
    (
        -32600,
        "eth_getLogs exceeds the range allowed for your plan (5000 > 1000)",
        Some(1_000),
    ),
    (
        -32602,
        "eth_getLogs is limited to 1024 block range",
        Some(1_024),
    ),
    (
        -32000,
        "response size should not greater than 10000000 bytes",
        None,
    ),
    (-32000, "query exceeds max results 10000", None),
    (
        -32000,
        "please limit the query to at most 1000 blocks",
        Some(1_000),
    ),
    (
        -32602,
        "eth_getLogs range is too large, max is 10k blocks",
        Some(10_000),
    ),
    (
        -32005,
        "Maximum allowed number of requested blocks is 100",
        Some(100),
    ),
    (
        -32000,
        "requested too many blocks from 1 to 9000, maximum is set to 2048",
        Some(2_048),
    ),
    (
        -32000,
        "logs matched by query exceeds limit of 10000",
        Some(10_000),
    ),
    (-32020, "backend response too large", None),
    (-32000, "block range too large", None),
    (
        -32602,
        "query exceeds max block range 100000",
        Some(100_000),
    ),
    (-32008, "Response is too big", None),
    (
        -32000,
        "query block range exceeds server limit, narrow your filter: 1000",
        Some(1_000),
    ),
    (
        -32000,
        "query returns too many logs, narrow your filter: 20000",
        Some(20_000),
    ),
    (
        -32000,
        "block range is too wide (maximum 1024)",
        Some(1_024),
    ),
    (-32000, "query must be smaller than size 1024", Some(1_024)),
    (-32602, "exceed max block range: 5000", Some(5_000)),
    (-32005, "query timeout exceeded", None),
];

#[test]
fn range_and_result_limits_narrow_the_span() {
    for (code, text, suggested) in RANGE_LIMITS {
        assert_eq!(of(*code, text), Verdict::TooWide(*suggested), "{text}");
    }
    let too_long = Refusal {
        status: Some(413),
        ..Refusal::default()
    };
    assert_eq!(read(&too_long), Verdict::TooWide(None));
}

#[test]
fn rate_limits_and_outages_wait() {
    let cases = [
        (429, "Too Many Requests"),
        (-32005, "limit exceeded"),
        (-32005, "project ID request rate exceeded"),
        (-32005, "daily request count exceeded, request rate limited"),
        (
            -32007,
            "100/second request limit reached - reduce calls per second or upgrade your account",
        ),
        (-32016, "over rate limit"),
        (
            -32097,
            "Your app has exceeded its compute units per second capacity",
        ),
        (-32011, "no backend is currently healthy to serve traffic"),
        (-32603, "Internal error"),
        (-32000, "something nobody has said before"),
    ];
    for (code, text) in cases {
        assert_eq!(of(code, text), Verdict::Later(None), "{text}");
    }
    assert_eq!(
        of(-32005, "rate limited, try again in 4ms"),
        Verdict::Later(Some(Duration::from_millis(4)))
    );
    for status in [403, 429, 500, 502, 503] {
        let refusal = Refusal {
            status: Some(status),
            retry_after: Some(Duration::from_secs(52)),
            ..Refusal::default()
        };
        assert_eq!(
            read(&refusal),
            Verdict::Later(Some(Duration::from_secs(52)))
        );
    }
}

#[test]
fn an_unknown_block_is_a_lagging_node_and_never_no_logs() {
    let cases = [
        (-32000, "unknown block"),
        (
            -32602,
            "BlockOutOfRangeError: block height is 10 but requested was 20",
        ),
        (-32000, "header not found"),
        (-32000, "block is out of range"),
        (-32602, "block range extends beyond current head block"),
        (
            -32000,
            "One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be found.",
        ),
        (-32001, "requested block is not available"),
    ];
    for (code, text) in cases {
        assert_eq!(of(code, text), Verdict::Lagging, "{text}");
    }
}

#[test]
fn plans_keys_and_missing_methods_need_somebody() {
    let cases = [
        (
            -32601,
            "the method eth_getLogs does not exist/is not available",
        ),
        (-32000, "You have reached the free tier limit of this month"),
        (-32002, "invalid api key"),
        (4444, "pruned history unavailable"),
        (-32602, "exceed max addresses or topics per search position"),
        (
            -32602,
            "This query contains 6000 filters. The current limit is 5000.",
        ),
    ];
    for (code, text) in cases {
        assert_eq!(of(code, text), Verdict::Unusable, "{text}");
    }
    for status in [401, 402] {
        let refusal = Refusal {
            status: Some(status),
            ..Refusal::default()
        };
        assert_eq!(read(&refusal), Verdict::Unusable);
    }
}

#[test]
fn a_node_without_finality_is_not_in_trouble() {
    let failure = |code: Option<i64>, status: Option<u16>, text: &str| {
        let refusal = Refusal {
            status,
            code,
            text: text.to_owned(),
            ..Refusal::default()
        };
        let url = "http://node.example".parse().unwrap();
        let endpoint = crate::rpc::endpoint::Endpoint::new(&url);
        RpcFailure::new(
            endpoint,
            "eth_getBlockByNumber",
            FailureKind::Refused(refusal),
        )
    };
    assert!(knows_no_tag(
        &failure(Some(-39001), None, "Unknown block"),
        FinalityTag::Finalized
    ));
    assert!(knows_no_tag(
        &failure(Some(-32000), None, "finalized block not found"),
        FinalityTag::Finalized
    ));
    assert!(knows_no_tag(
        &failure(Some(-32602), None, "invalid block tag"),
        FinalityTag::Finalized
    ));
    assert!(!knows_no_tag(
        &failure(Some(-32000), None, "rate limit reached"),
        FinalityTag::Finalized
    ));
    assert!(!knows_no_tag(
        &failure(Some(-32602), Some(429), "slow down"),
        FinalityTag::Finalized
    ));
    assert!(!knows_no_tag(
        &failure(None, Some(503), ""),
        FinalityTag::Finalized
    ));
}

#[test]
fn numbers_are_read_in_all_their_spellings() {
    let cases = [
        ("10,000 range", Some(10_000)),
        ("10k blocks", Some(10_000)),
        ("2048", Some(2_048)),
        ("0x7d0]", Some(2_000)),
        ("5000 > 1000)", Some(1_000)),
        ("none", None),
        ("", None),
        ("99999999999999999999999", None),
    ];
    for (text, expected) in cases {
        assert_eq!(leading_number(text), expected, "{text:?}");
    }
}

fn failed(code: i64, text: &str) -> RpcFailure {
    let url = "http://node".parse().unwrap();
    let refusal = Refusal {
        code: Some(code),
        text: text.to_owned(),
        ..Refusal::default()
    };
    let endpoint = crate::rpc::endpoint::Endpoint::new(&url);
    RpcFailure::new(endpoint, "eth_call", FailureKind::Refused(refusal))
}

#[test]
fn a_node_without_the_state_is_told_from_one_that_takes_no_hash() {
    for (code, text) in [
        (
            -32000,
            "missing trie node 5f (path ) state 0x1 is not available",
        ),
        (-32000, "header not found"),
        (-32000, "historical state 0xabc is not available"),
        (-32000, "required historical state unavailable (reexec=128)"),
        (-32002, "No state available for block 17"),
        (
            -32801,
            "Requested data is older than 128 blocks and requires archive access",
        ),
        (-32602, "QUANTITY not supported, just support TAG as latest"),
    ] {
        assert!(lacks_state(&failed(code, text)), "{text}");
        assert!(!knows_no_hashes(&failed(code, text)), "{text}");
    }
    let old = failed(-32602, "invalid argument 1: json: cannot unmarshal object");
    assert!(knows_no_hashes(&old) && !lacks_state(&old));
    for (code, text) in [(3, "execution reverted"), (-32005, "too many requests")] {
        let other = failed(code, text);
        assert!(!lacks_state(&other) && !knows_no_hashes(&other), "{text}");
    }
}
