//! What is shown of endpoints. No secret is.

use paywatch_api::{
    Clock as _, EndpointView, SystemClock, WebhookDesk as _, shown_url, signature_of,
};
use paywatch_core::{EndpointKind, SignatureKind};
use paywatch_store::{EndpointChange, EndpointRecord, EndpointSecret};

use crate::output::{self, rfc3339};
use crate::webhook_desk::Desk;

/// An endpoint, and how many deliveries are to be made to it.
type WithPending<'a> = (&'a EndpointRecord, u64);

/// Endpoints as a table.
pub(super) fn table(endpoints: &[WithPending<'_>]) -> String {
    let mut table = output::table(["id", "kind", "name", "where", "told of", "pending", "state"]);
    for (endpoint, pending) in endpoints {
        table.add_row([
            endpoint.id.to_string(),
            endpoint.kind.to_string(),
            endpoint.name.clone(),
            place(endpoint),
            endpoint.types.to_string(),
            pending.to_string(),
            state(endpoint).to_owned(),
        ]);
    }
    table.to_string()
}

/// All about an endpoint, for people.
pub(super) fn in_words((endpoint, pending): WithPending<'_>, desk: &Desk) -> String {
    let mut lines = vec![
        format!("endpoint   {}, \"{}\"", endpoint.id, endpoint.name),
        format!("kind       {}, {}", endpoint.kind, endpoint.format),
        format!("where      {}", place(endpoint)),
        format!("told of    {}", endpoint.types),
        format!("state      {}", state(endpoint)),
    ];
    if let Some((at, because)) = &endpoint.disabled {
        lines.push(format!("disabled   {}: {because}", rfc3339(*at)));
    }
    if let Some(since) = endpoint.health.failing_since {
        let failure = endpoint.health.last_failure.as_deref().unwrap_or_default();
        let failures = endpoint.health.failures;
        lines.push(format!(
            "failing    since {}, {failures} requests: {failure}",
            rfc3339(since)
        ));
    }
    for kept in signing(endpoint) {
        let ends = kept.expires_at.map_or_else(
            || "until it is replaced".to_owned(),
            |ends| format!("until {}", rfc3339(ends)),
        );
        let signs = match desk.public_key_of(&kept.secret) {
            Some(key) => format!("{}, {key}", signature_of(endpoint, desk)),
            None => SignatureKind::Hmac.to_string(),
        };
        let made = rfc3339(kept.created_at);
        lines.push(format!("signed by  {signs}, made {made}, {ends}"));
    }
    lines.push(format!("pending    {pending} deliveries"));
    lines.push(format!("queued to  event {}", endpoint.queued_to));
    lines.push(format!("made       {}", rfc3339(endpoint.created_at)));
    lines.join("\n")
}

/// All about an endpoint, for programs: as the API says it.
pub(super) fn for_programs((endpoint, pending): WithPending<'_>, desk: &Desk) -> EndpointView {
    EndpointView::new(endpoint, pending, (desk, SystemClock.now()))
}

/// A change, for the audit log.
pub(super) fn change_in_words(change: &EndpointChange) -> String {
    let name = change
        .name
        .as_ref()
        .map(|name| format!("called \"{name}\""));
    let url = change.url.as_ref().map(|url| {
        let url = shown_url(EndpointKind::Webhook, url);
        format!("at {}", url.unwrap_or_default())
    });
    let types = change
        .types
        .as_ref()
        .map(|types| format!("told of {types}"));
    let all: Vec<String> = [name, url, types].into_iter().flatten().collect();
    all.join(", ")
}

fn place(endpoint: &EndpointRecord) -> String {
    shown_url(endpoint.kind, &endpoint.url).unwrap_or_else(|| "-".to_owned())
}

fn state(endpoint: &EndpointRecord) -> &'static str {
    if endpoint.disabled.is_some() {
        "disabled"
    } else {
        "enabled"
    }
}

fn signing(endpoint: &EndpointRecord) -> impl Iterator<Item = &EndpointSecret> {
    let now = SystemClock.now();
    let kept = endpoint.secrets.iter();
    kept.filter(move |kept| kept.expires_at.is_none_or(|ends| ends > now))
}
