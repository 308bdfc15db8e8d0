//! Endpoints with manners of their own.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and its numbers are small"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use paywatch_core::{Address, B256, ChainId, Decimals, Token, U256};
use paywatch_sweep::{Candidate, Deposit, Node, survey};
use serde_json::{Value, json};

/// How many questions each request held.
type Seen = Arc<Mutex<Vec<usize>>>;

/// Serves `answer` to each request's questions, on a thread that ends with the test. A batch of
/// more than `most` is refused.
fn serve(most: usize, answer: fn(&Value) -> Value) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let count = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            respond(stream.unwrap(), most, answer, &count);
        }
    });
    (format!("http://{address}/v3/0123456789abcdef"), seen)
}

/// Answers one request and hangs up.
fn respond(stream: TcpStream, most: usize, answer: fn(&Value) -> Value, seen: &Seen) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let question: Value = serde_json::from_slice(&body).unwrap();
    let many = question.as_array().map_or(1, Vec::len);
    seen.lock().unwrap().push(many);
    let (status, body) = if many > most {
        (
            "400 Bad Request",
            json!({"error": {"code": -32600, "message": "too many"}}),
        )
    } else {
        let reply = |question: &Value| {
            let mut reply = answer(question);
            reply["id"] = question["id"].clone();
            reply
        };
        let body = match question.as_array() {
            // In another order than they were asked.
            Some(questions) => questions.iter().rev().map(reply).collect(),
            None => reply(&question),
        };
        ("200 OK", body)
    };
    let body = body.to_string();
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    reader.get_mut().write_all(text.as_bytes()).unwrap();
}

fn node(url: &str) -> Node {
    Node::new(url.parse().unwrap(), Duration::from_secs(10)).unwrap()
}

/// Deposit `number`, and a token with 6 decimals.
fn candidate(number: u64) -> Candidate {
    Candidate {
        deposit: Deposit {
            factory: Address::repeat_byte(0xfa),
            treasury: Address::repeat_byte(0x7e),
            salt: B256::from(U256::from(number)),
        },
        token: Token {
            chain_id: ChainId::new(1).unwrap(),
            address: Address::repeat_byte(0xda),
            symbol: "USDT".to_owned(),
            decimals: Decimals::new(6).unwrap(),
        },
    }
}

/// `balanceOf` answers with the last two digits of its owner; a transfer reverts for every owner
/// whose address ends in an odd digit.
fn token(question: &Value) -> Value {
    let call = &question["params"][0];
    let data = call["data"].as_str().unwrap();
    if data.starts_with("0x70a08231") {
        let digits: String = data.chars().skip(data.len() - 2).collect();
        return json!({ "result": format!("0x{digits:0>64}") });
    }
    let from = call["from"].as_str().unwrap();
    if from.ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']) {
        return json!({"error": {"code": 3, "message": "execution reverted", "data": "0x"}});
    }
    json!({ "result": "0x" })
}

#[tokio::test]
async fn balances_are_those_of_their_deposits_however_few_are_asked_at_once() {
    let candidates: Vec<_> = (0..150).map(candidate).collect();
    for most in [1, 7, 1_000] {
        let (url, seen) = serve(most, token);
        let found = survey(&node(&url), &candidates).await.unwrap();
        for holding in &found.holdings {
            let last = u64::from(holding.deposit.address()[19]);
            assert_eq!(last % 2, 0);
            assert_eq!(
                holding.value().to_string(),
                format!("0.{last:06}").trim_end_matches('0')
            );
        }
        let empty = candidates
            .iter()
            .filter(|candidate| candidate.deposit.address()[19] == 0)
            .count();
        let told = found.holdings.len() + found.frozen.len() + empty;
        assert_eq!(told, candidates.len(), "at most {most}");
        assert!(
            found
                .frozen
                .iter()
                .all(|frozen| frozen.cause.contains("reverted"))
        );
        let largest = seen.lock().unwrap().iter().copied().max();
        assert_eq!(largest, Some(100), "at most {most}");
    }
}

#[tokio::test]
async fn no_error_shows_the_key_in_the_url() {
    let (url, _) = serve(9, |_| {
        let message = "project 0123456789abcdef is not allowed";
        json!({"error": {"code": -32001, "message": message}})
    });
    let error = node(&url).chain_id().await.unwrap_err();
    let mut said = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        said = format!("{said} {next}");
        cause = next.source();
    }
    assert!(said.contains("is not allowed"), "{said}");
    assert!(!said.contains("0123456789abcdef"), "{said}");
    let error = node("http://127.0.0.1:1/secret-secret")
        .chain_id()
        .await
        .unwrap_err();
    assert!(!format!("{error:?}").contains("secret-secret"), "{error:?}");
}
