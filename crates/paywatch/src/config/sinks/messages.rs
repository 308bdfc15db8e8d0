//! `[messages.NAME]`: people who are told by a request of theirs.

use std::error::Error as _;
use std::sync::Arc;

use paywatch_core::EndpointKind;
use paywatch_notifier::{Chat, JsonTemplate, Poster};
use secrecy::ExposeSecret as _;

use crate::config::chain::shown;
use crate::config::problem::{Problems, Reported};
use crate::config::raw::RawMessage;
use crate::config::section::Section;
use crate::config::sinks::{FOR_PEOPLE, SinkConfig, types};
use crate::config::webhooks::WebhooksConfig;

/// Longer names are in nobody's way, but in no table either.
const LONGEST_NAME: usize = 40;
/// What a body may look like.
const BODY: &str =
    "write JSON such as '{\"chat_id\": 42, \"text\": \"{type} {reference} {amount}\\n{detail}\"}'";

/// Checks the section of `name`. Its URL must be one that `webhooks` may go to.
pub(super) fn check(
    name: String,
    raw: RawMessage,
    webhooks: &Result<WebhooksConfig, Reported>,
    problems: &mut Problems,
) -> Result<SinkConfig, Reported> {
    let section = &mut Section::new(format!("messages.{name}"), problems);
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
        let allowed = format!("use 1 to {LONGEST_NAME} lower-case letters, digits and hyphens");
        return Err(section.wrong("", "is not a name", allowed));
    }
    let types = types(section, raw.types.as_deref(), &FOR_PEOPLE);
    let template = body(section, raw.body.as_deref());
    let Some(text) = section.secret("url", raw.url, raw.url_file)? else {
        let allowed = "give it, or url_file with the name of a file that holds it";
        return Err(section.wrong("url", "is missing", allowed));
    };
    let webhooks = webhooks.as_ref().map_err(|reported| *reported)?;
    // Not the error's cause: it could repeat a part of the URL, which may hold a key.
    let url = webhooks
        .guard
        .parse(text.expose_secret())
        .map_err(|error| {
            let allowed =
                "write an https URL, or allow it in [webhooks] by allow, allow_http and ports";
            section.wrong("url", error.to_string(), allowed)
        })?;
    let poster = Poster::new(webhooks.guard.clone(), &webhooks.post).map_err(|error| {
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        let wrong = format!("{error} ({cause})");
        section.wrong("url", wrong, "look at [webhooks] proxy")
    })?;
    Ok(SinkConfig {
        kind: EndpointKind::Message,
        name,
        place: shown(&url),
        how: "a request for each".to_owned(),
        types: types?,
        sink: Arc::new(Chat::new(poster, url, template?)),
    })
}

fn body(section: &mut Section<'_>, given: Option<&str>) -> Result<JsonTemplate, Reported> {
    let Some(text) = given else {
        return Err(section.wrong("body", "is missing", BODY));
    };
    JsonTemplate::parse(text).map_err(|error| {
        let cause = error.source().map(|cause| format!(" ({cause})"));
        let wrong = format!("{error}{}", cause.unwrap_or_default());
        section.wrong("body", wrong, BODY)
    })
}
