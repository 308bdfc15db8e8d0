//! One call of a webhook, as a line for people and as JSON for programs.

use axum::http::StatusCode;
use paywatch_notifier::VerifyError;
use serde_json::{Value, json};

/// What of an event is shown in a line, if it has it.
const SHOWN: [&str; 9] = [
    "reference",
    "order",
    "order_id",
    "payment",
    "payment_id",
    "chain",
    "status",
    "amount",
    "received",
];

/// Why a call is not taken for an event.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// It is no post.
    #[error("webhooks are sent by POST, and this came by {0}")]
    NoPost(String),
    /// Its body could not be read.
    #[error("its body could not be read: {0}")]
    Body(String),
    /// It is not to be believed.
    #[error(transparent)]
    Unverified(#[from] VerifyError),
}

impl Trouble {
    /// What it is answered with.
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::NoPost(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Body(_) | Self::Unverified(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// A call and what became of it.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) at: jiff::Timestamp,
    pub(super) path: &'a str,
    /// Empty if there was none.
    pub(super) id: &'a str,
    /// How often this event came and verified, this time included.
    pub(super) times: u64,
    pub(super) trouble: Option<&'a Trouble>,
    pub(super) status: StatusCode,
    pub(super) body: &'a [u8],
}

impl Call<'_> {
    /// For people.
    pub(super) fn line(&self) -> String {
        let id = if self.id.is_empty() {
            "(no id)"
        } else {
            self.id
        };
        let judgement = match self.trouble {
            Some(trouble) => format!("NOT VERIFIED: {trouble}"),
            None if self.times > 1 => {
                format!("verified, for the {}. time: once is enough", self.times)
            },
            None => "verified".to_owned(),
        };
        let at = self.at.strftime("%H:%M:%SZ");
        let status = self.status.as_u16();
        let line = format!("{at}  {id}  {}  {judgement}  → {status}", self.told());
        // Whoever can reach this port could write to the terminal.
        line.chars()
            .map(|letter| if letter.is_control() { '?' } else { letter })
            .collect()
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "at": self.at.to_string(),
            "path": self.path,
            "id": self.id,
            "verified": self.trouble.is_none(),
            "problem": self.trouble.map(ToString::to_string),
            "times": self.times,
            "status": self.status.as_u16(),
            "body": self.body(),
        })
    }

    /// The body as JSON, or else as text.
    fn body(&self) -> Value {
        serde_json::from_slice(self.body)
            .unwrap_or_else(|_no_json| Value::from(String::from_utf8_lossy(self.body)))
    }

    /// What it says, in a few words.
    fn told(&self) -> String {
        let body = self.body();
        let Value::Object(event) = &body else {
            return format!("({} bytes that are no JSON object)", self.body.len());
        };
        let kind = event
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or("(no type)");
        let data = event
            .get("data")
            .and_then(Value::as_object)
            .unwrap_or(event);
        let shown = SHOWN.iter().filter_map(|name| {
            let value = data.get(*name)?;
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Object(inner) => inner.get("id")?.as_str()?.to_owned(),
                Value::Null | Value::Bool(_) | Value::Array(_) => return None,
            };
            Some(format!(
                "{name} {}",
                text.chars().take(80).collect::<String>()
            ))
        });
        std::iter::once(kind.to_owned())
            .chain(shown)
            .collect::<Vec<_>>()
            .join("  ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call<'a>(body: &'a str, trouble: Option<&'a Trouble>) -> Call<'a> {
        Call {
            at: "2026-11-25T12:00:01.5Z".parse().unwrap(),
            path: "/hook",
            id: "evt_1",
            times: 1,
            trouble,
            status: trouble.map_or(StatusCode::NO_CONTENT, Trouble::status),
            body: body.as_bytes(),
        }
    }

    #[test]
    fn a_line_says_what_came_and_what_became_of_it() {
        let body = r#"{"type":"order.paid","data":{"reference":"INV-1","order":{"id":"ord_1"},"received":"12.5"}}"#;
        assert_eq!(
            call(body, None).line(),
            "12:00:01Z  evt_1  order.paid  reference INV-1  order ord_1  received 12.5  verified  → 204"
        );
        let again = Call {
            times: 3,
            ..call(r#"{"type":"a","status":"paid"}"#, None)
        };
        assert_eq!(
            again.line(),
            "12:00:01Z  evt_1  a  status paid  verified, for the 3. time: once is enough  → 204"
        );
    }

    #[test]
    fn what_is_wrong_is_said_and_nothing_reaches_the_terminal() {
        let trouble = Trouble::Unverified(VerifyError::Mismatch);
        let strange = Call {
            id: "",
            ..call("\u{1b}[2J", Some(&trouble))
        };
        let line = strange.line();
        assert!(
            line.contains("(no id)  (4 bytes that are no JSON object)  NOT VERIFIED: no signature")
        );
        assert!(line.ends_with("→ 400"), "{line}");
        let typed = call("{\"type\":\"a\\u001b[2J\"}", None).line();
        assert!(!typed.contains('\u{1b}'), "{typed}");

        let json = strange.json();
        assert_eq!(json["verified"], false);
        assert_eq!(json["body"], "\u{1b}[2J");
        assert!(
            json["problem"]
                .as_str()
                .is_some_and(|text| text.contains("byte for byte"))
        );
        assert_eq!(call("{\"a\":1}", None).json()["body"]["a"], 1);
    }
}
