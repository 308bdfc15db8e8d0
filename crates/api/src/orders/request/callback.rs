//! Where an order is to be told of.

use serde_json::Value;

use crate::orders::callbacks::{CallbackUrl, Callbacks};
use crate::orders::request::text;
use crate::problem::FieldError;

const FIELD: &str = "callback_url";
/// Longer URLs are refused.
const LONGEST: usize = 2_000;

/// Reads `callback_url`, which `callbacks` must allow.
pub(super) fn read(
    value: Option<&Value>,
    callbacks: &Callbacks,
) -> Result<Option<CallbackUrl>, FieldError> {
    if matches!(value, None | Some(Value::Null)) {
        return Ok(None);
    }
    let text = text(FIELD, value)?;
    if text.len() > LONGEST {
        let detail = format!("may have at most {LONGEST} bytes");
        return Err(FieldError::new(FIELD, "too_long", detail));
    }
    match callbacks.check(text) {
        None => {
            let detail = "orders name no URLs here; set [webhooks] callbacks = true in the \
                configuration of the daemon, or leave it out and add a webhook endpoint";
            Err(FieldError::new(FIELD, "not_enabled", detail))
        },
        Some(Err(because)) => Err(FieldError::new(FIELD, "not_allowed", because)),
        Some(Ok(url)) => Ok(Some(url)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shops() -> Callbacks {
        Callbacks::new(|text| match text.strip_prefix("https://shop/") {
            Some(_) => Ok(CallbackUrl {
                url: text.to_owned(),
                origin: "https://shop".to_owned(),
            }),
            None => Err("only the shop is told".to_owned()),
        })
    }

    #[test]
    fn what_is_not_given_needs_nobody() {
        for value in [None, Some(&Value::Null)] {
            assert_eq!(read(value, &Callbacks::default()).unwrap(), None);
        }
    }

    #[test]
    fn a_url_is_read_where_orders_may_name_one_and_it_is_allowed() {
        let url = json!("https://shop/hook");
        let read_by = |callbacks: &Callbacks, value: &Value| read(Some(value), callbacks);
        let read_url = read_by(&shops(), &url).unwrap().unwrap();
        assert_eq!(read_url.origin, "https://shop");
        let refused = |callbacks: &Callbacks, value: &Value| {
            let error = read_by(callbacks, value).unwrap_err();
            assert_eq!(error.field, "callback_url");
            (error.code, error.detail)
        };
        let (code, detail) = refused(&Callbacks::default(), &url);
        assert_eq!(code, "not_enabled");
        assert!(detail.contains("callbacks = true"), "{detail}");
        let (code, detail) = refused(&shops(), &json!("https://other/"));
        assert_eq!(
            (code, detail.as_str()),
            ("not_allowed", "only the shop is told")
        );
        let long = format!("https://shop/{}", "x".repeat(LONGEST));
        assert_eq!(refused(&shops(), &json!(long)).0, "too_long");
        assert_eq!(refused(&shops(), &json!(7)).0, "not_a_string");
    }
}
