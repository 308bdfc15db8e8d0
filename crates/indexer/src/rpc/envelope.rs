//! What goes over the wire around a question and its answer (JSON-RPC 2.0).

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::rpc::endpoint::Endpoint;
use crate::rpc::failure::{FailureKind, Refusal};

/// One question.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) params: Value,
}

impl Request {
    pub(super) const fn new(method: &'static str, params: Value) -> Self {
        Self { method, params }
    }
}

/// The text of `requests`, numbered from `first_id`: one as it is, several as a batch.
pub(super) fn written(requests: &[Request], first_id: u64) -> String {
    let mut texts: Vec<Value> = requests
        .iter()
        .zip(first_id..)
        .map(|(request, id)| {
            json!({"jsonrpc": "2.0", "id": id, "method": request.method, "params": request.params})
        })
        .collect();
    match (texts.len(), texts.pop()) {
        (1, Some(single)) => single.to_string(),
        (_, Some(last)) => {
            texts.push(last);
            Value::Array(texts).to_string()
        },
        (_, None) => Value::Array(Vec::new()).to_string(),
    }
}

/// What a node sends back.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<ErrorBody>,
    /// Tron's rate limiter answers outside of the protocol.
    #[serde(default, rename = "Error")]
    outside: Option<String>,
    /// That of a subscription.
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Option<Box<RawValue>>,
}

/// A `null` is an answer, too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The answer to one question: its result as it stands in the message.
pub(super) type Answer<'a> = Result<&'a RawValue, FailureKind>;

/// The answers in `body` to `count` questions numbered from `first_id`, in their order.
pub(super) fn answers<'a>(
    body: &'a str,
    first_id: u64,
    count: usize,
    endpoint: &Endpoint,
) -> Result<Vec<Answer<'a>>, FailureKind> {
    let unreadable = |cause| FailureKind::unreadable(cause, body, endpoint);
    if !body.trim_start().starts_with('[') {
        let single: Envelope<'_> = serde_json::from_str(body).map_err(unreadable)?;
        let answer = single.into_answer(endpoint);
        // A single answer to a batch is a refusal of the whole.
        return match answer {
            answer if count == 1 => Ok(vec![answer]),
            Ok(_) => Err(FailureKind::Missing),
            Err(refused) => Err(refused),
        };
    }
    let many: Vec<Envelope<'_>> = serde_json::from_str(body).map_err(unreadable)?;
    let mut by_id: HashMap<u64, Envelope<'_>> = many
        .into_iter()
        .filter_map(|envelope| Some((envelope.number()?, envelope)))
        .collect();
    Ok((first_id..)
        .take(count)
        .map(|id| match by_id.remove(&id) {
            Some(envelope) => envelope.into_answer(endpoint),
            None => Err(FailureKind::Missing),
        })
        .collect())
}

/// What a message that came over a socket is.
pub(super) enum Message<'a> {
    /// It answers the question, or the batch, that holds this number.
    Answer(u64),
    /// A new head of the subscription.
    Announcement(&'a RawValue),
    /// Nothing of ours.
    Other,
}

/// What `text`, which came over a socket, is.
pub(super) fn message(text: &str) -> Result<Message<'_>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Subscription<'a> {
        #[serde(borrow)]
        result: &'a RawValue,
    }
    if text.trim_start().starts_with('[') {
        let many: Vec<Envelope<'_>> = serde_json::from_str(text)?;
        let id = many.iter().find_map(Envelope::number);
        return Ok(id.map_or(Message::Other, Message::Answer));
    }
    let single: Envelope<'_> = serde_json::from_str(text)?;
    if let Some(id) = single.number() {
        return Ok(Message::Answer(id));
    }
    let Some(params) = single.params else {
        return Ok(Message::Other);
    };
    let subscription: Subscription<'_> = serde_json::from_str(params.get())?;
    Ok(Message::Announcement(subscription.result))
}

impl<'a> Envelope<'a> {
    /// The number of the question; some nodes give it back as a text.
    fn number(&self) -> Option<u64> {
        let text = self.id?.get();
        text.trim_matches('"').parse().ok()
    }

    fn into_answer(self, endpoint: &Endpoint) -> Answer<'a> {
        if let Some(error) = self.error {
            return Err(FailureKind::Refused(error.into_refusal(endpoint)));
        }
        if let Some(text) = self.outside {
            return Err(FailureKind::Refused(Refusal {
                text: endpoint.scrub(&text),
                ..Refusal::default()
            }));
        }
        self.result.ok_or(FailureKind::Missing)
    }
}

impl ErrorBody {
    /// Some nodes say what matters in the error's data.
    fn into_refusal(self, endpoint: &Endpoint) -> Refusal {
        let data = self.data.as_ref().map_or("", |data| data.get());
        let text = match data {
            "" | "null" | "{}" | "\"\"" => self.message,
            data => format!("{} {data}", self.message),
        };
        Refusal {
            code: Some(self.code),
            text: endpoint.scrub(&text),
            ..Refusal::default()
        }
    }
}

/// The refusal in `body`, which came with an HTTP status that is no success.
pub(super) fn refusal(body: &str, endpoint: &Endpoint) -> Refusal {
    let envelope = serde_json::from_str::<Envelope<'_>>(body);
    match envelope.ok().and_then(|envelope| envelope.error) {
        Some(error) => error.into_refusal(endpoint),
        None => Refusal {
            text: endpoint.scrub(body),
            ..Refusal::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint::new(&"http://node".parse().unwrap())
    }

    #[test]
    fn answers_come_in_the_order_of_the_questions() {
        let body = r#"[{"id":8,"result":"b"},{"id":"7","result":null},{"id":99,"result":1}]"#;
        let read = answers(body, 7, 3, &endpoint()).unwrap();
        let texts: Vec<_> = read
            .iter()
            .map(|answer| answer.as_ref().map(|raw| raw.get()).ok())
            .collect();
        assert_eq!(texts, [Some("null"), Some("\"b\""), None]);
    }

    #[test]
    fn refusals_are_told_with_their_data() {
        let body = r#"{"id":1,"error":{"code":-32005,"message":"limit","data":{"from":"0x1"}}}"#;
        let read = answers(body, 1, 1, &endpoint()).unwrap();
        let text = read.first().unwrap().as_ref().unwrap_err().to_string();
        assert!(text.contains("-32005") && text.contains("0x1"), "{text}");
        let outside = r#"{"Error":"lack of computing resources"}"#;
        let read = answers(outside, 1, 1, &endpoint()).unwrap();
        let text = read.first().unwrap().as_ref().unwrap_err().to_string();
        assert!(text.contains("computing resources"), "{text}");
    }

    #[test]
    fn one_refusal_of_a_batch_refuses_all() {
        let body = r#"{"id":null,"error":{"code":-32000,"message":"no batches here"}}"#;
        assert!(answers(body, 1, 2, &endpoint()).is_err());
        assert!(answers("<html>", 1, 1, &endpoint()).is_err());
    }

    #[test]
    fn messages_of_a_socket_are_told_apart() {
        let head = r#"{"method":"eth_subscription","params":{"subscription":"0x1","result":{}}}"#;
        assert!(matches!(message(head), Ok(Message::Announcement(raw)) if raw.get() == "{}"));
        let batch = r#"[{"id":3,"result":1},{"id":4,"result":2}]"#;
        assert!(matches!(message(batch), Ok(Message::Answer(3))));
        assert!(matches!(
            message(r#"{"id":5,"result":1}"#),
            Ok(Message::Answer(5))
        ));
        assert!(matches!(message("{}"), Ok(Message::Other)));
        assert!(message("no").is_err());
    }
}
