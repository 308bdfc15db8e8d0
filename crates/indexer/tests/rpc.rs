//! The JSON-RPC source against a server that says what it is told to, over a real socket.
#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Bloom;
use paywatch_core::{Address, B256, Block, ChainId, FinalityTag, Timestamp};
use paywatch_indexer::{
    ChainSource, Contradiction, Header, LogFilter, LogQuery, RpcSettings, RpcSource, SourceError,
    TRANSFER_TOPIC,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

const TOKEN: Address = Address::repeat_byte(0x70);
const KEY: &str = "0123456789abcdef0123456789abcdef";
const TIMEOUT: Duration = Duration::from_secs(5);

/// What the node answers to one request: a result, an error, or nothing in time.
enum Answer {
    Result(Value),
    Error(i64, &'static str),
    Status(u16, &'static str, &'static str),
    Silence,
}

use Answer::{Error as Refuses, Result as Says, Silence, Status};

/// A node whose answers come from a function of method and parameters.
struct Node {
    address: String,
    task: AbortHandle,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Node {
    async fn answering(answer: impl Fn(&str, &Value) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = Arc::clone(&answer);
                tokio::spawn(serve(stream, move |method, params| answer(method, params)));
            }
        });
        let task = task.abort_handle();
        Self { address, task }
    }

    async fn source(&self) -> RpcSource {
        self.source_within(TIMEOUT).await
    }

    async fn source_within(&self, timeout: Duration) -> RpcSource {
        let http = format!("http://{}/v3/{KEY}", self.address).parse().unwrap();
        let settings = RpcSettings {
            http: Some(http),
            ws: None,
            timeout,
        };
        RpcSource::connect(settings).await.unwrap()
    }
}

/// Answers one request, batches in reverse order.
async fn serve(mut stream: TcpStream, answer: impl Fn(&str, &Value) -> Answer) {
    let request = read_request(&mut stream).await;
    let (status, extra, body) = match &request {
        Value::Array(requests) => {
            let replies = requests.iter().rev().map(|request| reply(request, &answer));
            match replies.collect::<Option<Vec<_>>>() {
                Some(replies) => {
                    let bodies = replies.into_iter().map(|(_, _, body)| body).collect();
                    (200, "", Value::Array(bodies))
                },
                None => return std::future::pending().await,
            }
        },
        single => match reply(single, &answer) {
            Some(reply) => reply,
            None => return std::future::pending().await,
        },
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} Told\r\ncontent-length: {}\r\n{extra}connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
}

fn reply(
    request: &Value,
    answer: &impl Fn(&str, &Value) -> Answer,
) -> Option<(u16, &'static str, Value)> {
    let id = &request["id"];
    Some(
        match answer(request["method"].as_str().unwrap(), &request["params"]) {
            Says(result) => (
                200,
                "",
                json!({"jsonrpc": "2.0", "id": id, "result": result}),
            ),
            Refuses(code, message) => {
                let error = json!({"code": code, "message": message});
                (200, "", json!({"jsonrpc": "2.0", "id": id, "error": error}))
            },
            Status(status, header, text) => (status, header, json!(text)),
            Silence => return None,
        },
    )
}

async fn read_request(stream: &mut TcpStream) -> Value {
    let mut bytes = Vec::new();
    loop {
        let read = stream.read_buf(&mut bytes).await.unwrap();
        assert!(read > 0, "the request ended early");
        let text = String::from_utf8_lossy(&bytes);
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && let Ok(request) = serde_json::from_str(body)
        {
            return request;
        }
    }
}

fn hash(number: u64) -> B256 {
    B256::from(paywatch_core::U256::from(number))
}

fn header(number: u64) -> Value {
    json!({
        "number": format!("{number:#x}"),
        "hash": hash(number),
        "parentHash": hash(number.saturating_sub(1)),
        "timestamp": "0x6553f100",
        "transactions": [],
        "stateRoot": "0x",
    })
}

fn log(number: u64, token: Address) -> Value {
    json!({
        "address": token,
        "topics": [TRANSFER_TOPIC, Address::repeat_byte(1).into_word(), Address::repeat_byte(2).into_word()],
        "data": format!("{:#066x}", 5_000_000),
        "blockNumber": format!("{number:#x}"),
        "blockHash": hash(number),
        "transactionHash": hash(0x77),
        "transactionIndex": "0x0",
        "logIndex": "0x3",
        "removed": false,
    })
}

fn of(tokens: &[Address]) -> LogFilter {
    LogFilter::of(tokens.to_vec())
}

fn asked_number(params: &Value) -> u64 {
    let digits = params[0].as_str().unwrap().strip_prefix("0x").unwrap();
    u64::from_str_radix(digits, 16).unwrap()
}

/// An error with all its causes, as text and for debugging.
fn everything(error: &SourceError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!("; {cause} {cause:?}"));
        next = cause.source();
    }
    text
}

#[tokio::test]
async fn headers_come_in_the_order_they_were_asked_for() {
    let node = Node::answering(|_, params| {
        let number = asked_number(params);
        Says(if number > 100 {
            Value::Null
        } else {
            header(number)
        })
    })
    .await;
    let source = node.source().await;
    let blocks = source.headers(&[3, 99, 101, 7]).await.unwrap();
    let numbers: Vec<_> = blocks
        .iter()
        .map(|block| block.as_ref().map(|header| header.block.number))
        .collect();
    assert_eq!(numbers, [Some(3), Some(99), None, Some(7)]);
    let many: Vec<u64> = (0..=100).rev().collect();
    let blocks = source.headers(&many).await.unwrap();
    assert!(
        blocks
            .iter()
            .zip(&many)
            .all(|(block, number)| block.as_ref().unwrap().block.number == *number)
    );
    assert_eq!(source.headers(&[101]).await.unwrap(), [None]);
}

#[tokio::test]
async fn another_block_than_asked_for_is_a_contradiction() {
    let node = Node::answering(|_, _| Says(header(8))).await;
    let error = node.source().await.headers(&[7]).await.unwrap_err();
    let expected = Contradiction::OtherNumber {
        asked: 7,
        answered: 8,
    };
    match error {
        SourceError::Inconsistent { cause } => assert_eq!(cause, expected),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_chain_without_finality_has_none_and_a_busy_node_is_busy() {
    let none = [
        Says(Value::Null),
        Refuses(-32000, "finalized block not found"),
        Refuses(-39001, "Unknown block"),
        Refuses(-32602, "unsupported tag"),
    ];
    for answer in none {
        let answer = std::sync::Mutex::new(Some(answer));
        let node = Node::answering(move |_, _| answer.lock().unwrap().take().unwrap()).await;
        assert_eq!(
            node.source()
                .await
                .tagged(FinalityTag::Finalized)
                .await
                .unwrap(),
            None
        );
    }
    let node = Node::answering(|_, _| Status(429, "retry-after: 7\r\n", "slow down")).await;
    match node
        .source()
        .await
        .tagged(FinalityTag::Finalized)
        .await
        .unwrap_err()
    {
        SourceError::Later { after, .. } => assert_eq!(after, Some(Duration::from_secs(7))),
        other => panic!("{other:?}"),
    }
    let node = Node::answering(|_, _| Says(header(90))).await;
    let finalized = node.source().await.tagged(FinalityTag::Finalized).await;
    assert_eq!(finalized.unwrap().unwrap().number, 90);
}

#[tokio::test]
async fn logs_of_a_block_are_those_of_that_block() {
    let node = Node::answering(|_, params| {
        assert_eq!(params[0]["blockHash"], json!(hash(5)));
        Says(json!([log(5, TOKEN)]))
    })
    .await;
    let source = node.source().await;
    let query = LogQuery::block(&Header {
        block: Block {
            number: 5,
            hash: hash(5),
            parent_hash: hash(4),
            timestamp: Timestamp::EPOCH,
        },
        bloom: Bloom::ZERO,
    });
    let logs = source.transfer_logs(&query, &of(&[TOKEN])).await.unwrap();
    let logs = logs.transfers;
    assert_eq!(logs.len(), 1);
    assert_eq!((logs[0].block_number, logs[0].log_index), (5, 3));
    let error = source
        .transfer_logs(&query, &of(&[Address::ZERO]))
        .await
        .unwrap_err();
    assert!(
        matches!(error, SourceError::Inconsistent { .. }),
        "{error:?}"
    );
    let nothing = source.transfer_logs(&query, &of(&[])).await.unwrap();
    assert_eq!(nothing.transfers, []);
    let unknown = Node::answering(|_, _| Refuses(-32000, "unknown block")).await;
    let error = unknown
        .source()
        .await
        .transfer_logs(&query, &of(&[TOKEN]))
        .await
        .unwrap_err();
    assert!(matches!(error, SourceError::Lagging { .. }), "{error:?}");
}

#[tokio::test]
async fn a_range_is_only_as_good_as_its_last_block() {
    let node = |head: u64| {
        Node::answering(move |method, params| match method {
            "eth_getLogs" => Says(json!([log(5, TOKEN)])),
            _ if asked_number(params) > head => Says(Value::Null),
            _ => Says(header(asked_number(params))),
        })
    };
    let query = LogQuery::Range { from: 1, to: 9 };
    let logs = node(9)
        .await
        .source()
        .await
        .transfer_logs(&query, &of(&[TOKEN]))
        .await
        .unwrap();
    assert_eq!(logs.transfers.len(), 1);
    let error = node(8)
        .await
        .source()
        .await
        .transfer_logs(&query, &of(&[TOKEN]))
        .await
        .unwrap_err();
    assert!(matches!(error, SourceError::Lagging { .. }), "{error:?}");
    let beyond = LogQuery::Range { from: 6, to: 9 };
    let error = node(9)
        .await
        .source()
        .await
        .transfer_logs(&beyond, &of(&[TOKEN]))
        .await
        .unwrap_err();
    assert!(
        matches!(error, SourceError::Inconsistent { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_range_that_takes_too_long_is_too_wide() {
    let node = Node::answering(|_, _| Silence).await;
    let source = node.source_within(Duration::from_millis(200)).await;
    let query = LogQuery::Range { from: 1, to: 9 };
    let error = source
        .transfer_logs(&query, &of(&[TOKEN]))
        .await
        .unwrap_err();
    assert!(matches!(error, SourceError::TooWide { .. }), "{error:?}");
    let error = source.latest().await.unwrap_err();
    assert!(matches!(error, SourceError::Later { .. }), "{error:?}");
}

#[tokio::test]
async fn decimals_are_read_or_the_token_is_named() {
    let node = |answer: &'static str| Node::answering(move |_, _| Says(json!(answer)));
    let six = "0x0000000000000000000000000000000000000000000000000000000000000006";
    assert_eq!(
        node(six)
            .await
            .source()
            .await
            .token_decimals(TOKEN)
            .await
            .unwrap(),
        6
    );
    let large = "0x0000000000000000000000000000000000000000000000000000000000000106";
    for odd in ["0x", "0x06", large] {
        let error = node(odd)
            .await
            .source()
            .await
            .token_decimals(TOKEN)
            .await
            .unwrap_err();
        assert!(matches!(error, SourceError::Unusable { .. }), "{error:?}");
        assert!(everything(&error).contains(&TOKEN.to_string()), "{error:?}");
    }
    let reverting = Node::answering(|_, _| Refuses(3, "execution reverted")).await;
    let error = reverting
        .source()
        .await
        .token_decimals(TOKEN)
        .await
        .unwrap_err();
    assert!(matches!(error, SourceError::Unusable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_key_in_the_url_is_never_shown() {
    let leaky = Node::answering(|_, _| {
        Status(403, "", "key 0123456789abcdef0123456789abcdef: daily limit")
    })
    .await;
    let source = leaky.source().await;
    let mut texts = vec![format!("{source:?}")];
    texts.push(everything(&source.chain_id().await.unwrap_err()));
    drop(leaky);
    let unreachable = source.chain_id().await.unwrap_err();
    assert!(
        matches!(unreachable, SourceError::Later { .. }),
        "{unreachable:?}"
    );
    texts.push(everything(&unreachable));
    let secret = format!("https://{KEY}:{KEY}@node.invalid/{KEY}?apikey={KEY}");
    let settings = RpcSettings {
        http: Some(secret.parse().unwrap()),
        ws: Some(secret.replace("https", "wss").parse().unwrap()),
        timeout: TIMEOUT,
    };
    texts.push(format!("{settings:?}"));
    let source = RpcSource::connect(settings)
        .await
        .expect("an unreachable node is no error yet");
    texts.push(format!("{source:?}"));
    texts.push(everything(&source.latest().await.unwrap_err()));
    for text in texts {
        assert!(!text.contains("0123456789abcdef"), "{text}");
        assert!(
            text.contains("127.0.0.1") || text.contains("node.invalid"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn garbage_is_no_answer() {
    let node = Node::answering(|_, _| Says(json!({"number": "0x1"}))).await;
    let error = node.source().await.latest().await.unwrap_err();
    assert!(matches!(error, SourceError::Later { .. }), "{error:?}");
    let node = Node::answering(|_, _| Says(json!("0x38"))).await;
    let id = node.source().await.chain_id().await.unwrap();
    assert_eq!(id, ChainId::new(56).unwrap());
}
