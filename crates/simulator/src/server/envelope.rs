//! JSON-RPC 2.0: questions alone or in batches, and their answers.

use alloy_primitives::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::server::Served;

/// What a node says instead of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcError {
    /// The code.
    pub code: i64,
    /// The words.
    pub message: String,
}

impl RpcError {
    /// An error with `code` and these words.
    #[must_use]
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// A parameter that cannot be read (-32602).
    #[must_use]
    pub fn params(message: impl Into<String>) -> Self {
        Self::new(-32_602, message)
    }
}

#[derive(Deserialize)]
struct Question<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: String,
    #[serde(default)]
    params: Option<Vec<Value>>,
}

/// What was asked in one message.
pub(super) struct Asked<'a> {
    questions: Vec<Question<'a>>,
    is_batch: bool,
}

/// One answer in pieces that are written one after the other.
pub(super) type Pieces = Vec<Bytes>;

impl<'a> Asked<'a> {
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        let is_batch = text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
        let questions = if is_batch {
            serde_json::from_slice(text).ok()?
        } else {
            vec![serde_json::from_slice(text).ok()?]
        };
        Some(Self {
            questions,
            is_batch,
        })
    }

    /// The id of a question for `method`, if it is the only one.
    pub(super) fn only(&self, method: &str) -> Option<String> {
        match self.questions.as_slice() {
            [one] if one.method == method => Some(id_of(one).to_owned()),
            _ => None,
        }
    }

    pub(super) async fn answer(&self, served: &Served) -> Pieces {
        let mut pieces = Pieces::new();
        if self.is_batch {
            pieces.push(Bytes::from_static(b"["));
        }
        for (index, question) in self.questions.iter().enumerate() {
            if index > 0 {
                pieces.push(Bytes::from_static(b","));
            }
            served.calls.count();
            let answer = question.answer(served).await;
            let id = id_of(question);
            match answer {
                Ok(result) => {
                    pieces.push(
                        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"#)
                            .into_bytes()
                            .into(),
                    );
                    pieces.extend(result);
                    pieces.push(Bytes::from_static(b"}"));
                },
                Err(error) => pieces.push(failure(id, &error)),
            }
        }
        if self.is_batch {
            pieces.push(Bytes::from_static(b"]"));
        }
        pieces
    }
}

impl Question<'_> {
    async fn answer(&self, served: &Served) -> Result<Pieces, RpcError> {
        let params = self.params.as_deref().unwrap_or_default();
        served.manners.check(&self.method, params)?;
        let result = served.node.call(&self.method, params).await?;
        served.manners.check_size(&self.method, result)
    }
}

fn id_of<'q>(question: &'q Question<'_>) -> &'q str {
    question.id.map_or("null", RawValue::get)
}

fn failure(id: &str, error: &RpcError) -> Bytes {
    let error = serde_json::json!({ "code": error.code, "message": error.message });
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
        .into_bytes()
        .into()
}
