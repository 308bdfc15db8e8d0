//! What is shown of keys.

use ipnet::IpNet;
use paywatch_api::signing::PublicKey;
use paywatch_core::{KeyMode, Timestamp};
use paywatch_store::{ApiKeyRecord, KeyTerms};
use serde_json::{Value, json};

use crate::output::{self, rfc3339};

/// Keys as a table.
pub(super) fn table(keys: &[ApiKeyRecord], now: Timestamp) -> String {
    let mut table = output::table(["id", "name", "may", "made", "last used", "ends", "state"]);
    for key in keys {
        let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), rfc3339);
        table.add_row([
            key.id.clone(),
            key.name.clone(),
            scopes(&key.terms),
            rfc3339(key.created_at),
            time(key.last_used_at),
            time(key.terms.expires_at),
            state(key, now).to_owned(),
        ]);
    }
    table.to_string()
}

/// All about a key, for people.
pub(super) fn in_words(key: &ApiKeyRecord, now: Timestamp) -> String {
    let time = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), rfc3339);
    let mut lines = vec![
        format!("key        {}, \"{}\"", key.id, key.name),
        format!("state      {}", state(key, now)),
        format!("made       {}", rfc3339(key.created_at)),
        format!("last used  {}", time(key.last_used_at)),
        format!("ends       {}", time(key.terms.expires_at)),
    ];
    if let Some(at) = key.revoked_at {
        lines.push(format!("revoked    {}", rfc3339(at)));
    }
    if let Some(successor) = &key.successor {
        lines.push(format!("successor  {successor}"));
    }
    lines.push(format!("may        {}", scopes(&key.terms)));
    lines.push(format!("from       {}", networks(&key.terms.networks)));
    lines.push(format!("rate       {}", rate(&key.terms)));
    lines.push(format!("signed     {}", signed(&key.terms)));
    if let Some(gateway) = &key.terms.gateway_public_key {
        lines.push(format!("gateway    {gateway}"));
    }
    lines.join("\n")
}

/// All about a key, for programs.
pub(super) fn as_value(key: &ApiKeyRecord, now: Timestamp) -> Value {
    let terms = &key.terms;
    let networks = terms.networks.iter().map(ToString::to_string);
    json!({
        "id": key.id,
        "name": key.name,
        "state": state(key, now),
        "mode": terms.mode.name(),
        "scopes": terms.scopes.names(),
        "created_at": rfc3339(key.created_at),
        "last_used_at": key.last_used_at.map(rfc3339),
        "expires_at": terms.expires_at.map(rfc3339),
        "revoked_at": key.revoked_at.map(rfc3339),
        "successor": key.successor,
        "networks": networks.collect::<Vec<_>>(),
        "per_minute": terms.rate.map(|rate| rate.per_minute),
        "burst": terms.rate.map(|rate| rate.burst),
        "public_key": terms.public_key,
        "gateway_public_key": terms.gateway_public_key,
    })
}

/// What a key may, in one line for the audit log.
pub(super) fn in_one_line(terms: &KeyTerms) -> String {
    let ends = terms.expires_at.map_or_else(|| "never".to_owned(), rfc3339);
    let gateway = match &terms.gateway_public_key {
        Some(key) => format!("; gateway {key}"),
        None => String::new(),
    };
    format!(
        "may {}; ends {ends}; from {}; rate {}; signed {}{gateway}",
        scopes(terms),
        networks(&terms.networks),
        rate(terms),
        signed(terms),
    )
}

fn scopes(terms: &KeyTerms) -> String {
    let test = match terms.mode {
        KeyMode::Live => "",
        KeyMode::Test => " (test)",
    };
    format!("{}{test}", terms.scopes)
}

fn networks(networks: &[IpNet]) -> String {
    if networks.is_empty() {
        return "everywhere".to_owned();
    }
    let networks: Vec<_> = networks.iter().map(ToString::to_string).collect();
    networks.join(", ")
}

fn rate(terms: &KeyTerms) -> String {
    terms.rate.map_or_else(
        || "as configured".to_owned(),
        |rate| format!("{} a minute, {} at once", rate.per_minute, rate.burst),
    )
}

fn signed(terms: &KeyTerms) -> String {
    let Some(stored) = &terms.public_key else {
        return "no".to_owned();
    };
    let algorithm = match stored.parse::<PublicKey>() {
        Ok(key) => key.algorithm(),
        Err(_unreadable) => "unreadable",
    };
    format!("{algorithm} {stored}")
}

fn state(key: &ApiKeyRecord, now: Timestamp) -> &'static str {
    if key.revoked_at.is_some() {
        "revoked"
    } else if !key.is_valid(now) {
        "ended"
    } else if key.successor.is_some() {
        "ending"
    } else {
        "valid"
    }
}
