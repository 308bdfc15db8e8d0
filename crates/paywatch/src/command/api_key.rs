//! `paywatch api-key …`: the keys of the API, straight in the database.

mod blocks;
mod view;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use paywatch_api::signing::PublicKey;
use paywatch_api::{Clock as _, SystemClock, keys};
use paywatch_core::{DecisionKind, KeyMode, Reason, Scopes, Timestamp};
use paywatch_store::{ApiKeyRecord, KeyRate, KeyTerms, NewApiKey, NewDecision, Store};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use uuid::Uuid;

use crate::cli;
use crate::command::user::user;
use crate::config::{load_database, process_environment};
use crate::output::{self, Format};

/// Does what `api-key …` asks.
pub(crate) async fn run(config: &Path, args: cli::ApiKey, format: Format) -> anyhow::Result<()> {
    match &args {
        cli::ApiKey::Blocked { connection } => {
            return blocks::list(config, connection, format).await;
        },
        cli::ApiKey::Unblock { id, connection } => {
            return blocks::lift(config, connection, id, format).await;
        },
        cli::ApiKey::Create(_)
        | cli::ApiKey::List
        | cli::ApiKey::Show { .. }
        | cli::ApiKey::Rotate { .. }
        | cli::ApiKey::Revoke { .. } => {},
    }
    let url = load_database(config, &process_environment())?;
    let store = Store::open(&url)
        .await
        .context("the database cannot be used")?;
    let done = in_database(&store, args, format).await;
    store.close().await;
    done
}

async fn in_database(store: &Store, args: cli::ApiKey, format: Format) -> anyhow::Result<()> {
    let now = SystemClock.now();
    match args {
        cli::ApiKey::Create(args) => create(store, args, now, format).await,
        cli::ApiKey::List => list(store, now, format).await,
        cli::ApiKey::Show { id } => show(store, &id, now, format).await,
        cli::ApiKey::Rotate {
            id,
            overlap,
            reason,
        } => {
            let old = find(store, &id).await?;
            rotate(store, &old, (*overlap, now), &reason, format).await
        },
        cli::ApiKey::Revoke { id, reason } => revoke(store, &id, (&reason, now), format).await,
        cli::ApiKey::Blocked { .. } | cli::ApiKey::Unblock { .. } => Ok(()),
    }
}

async fn create(
    store: &Store,
    args: cli::CreateKey,
    now: Timestamp,
    format: Format,
) -> anyhow::Result<()> {
    let (name, reason) = (args.name.clone(), args.reason.clone());
    anyhow::ensure!(
        !name.trim().is_empty() && !name.chars().any(char::is_control),
        "--name must say on one line what the key is for"
    );
    let (secret, stored) = keys::mint_with(&name, terms(args, now)?, now);
    let detail = format!(
        "{} \"{name}\" made: {}",
        stored.id,
        view::in_one_line(&stored.terms)
    );
    let decision = decision(DecisionKind::CreateKey, &reason, detail, now);
    store.create_api_key(&stored, &decision).await?;
    tell(&secret, &stored, "", format)
}

/// What a key is to be made for.
fn terms(args: cli::CreateKey, now: Timestamp) -> anyhow::Result<KeyTerms> {
    let expires_at = match args.expires_in {
        Some(time) => Some(later(now, *time).context("--expires-in is too long")?),
        None => None,
    };
    let scopes = if args.scopes.is_empty() {
        Scopes::all()
    } else {
        args.scopes.into_iter().collect()
    };
    let rate = args.per_minute.zip(args.burst);
    let public_key = args.public_key.as_deref();
    let public_key = public_key
        .map(|path| public_key_in(path, "--public-key"))
        .transpose()?;
    let gateway = args.gateway_public_key.as_deref();
    let gateway = gateway
        .map(|path| public_key_in(path, "--gateway-public-key"))
        .transpose()?;
    anyhow::ensure!(
        gateway.as_ref().is_none_or(PublicKey::is_p256),
        "--gateway-public-key must be one of P-256"
    );
    Ok(KeyTerms {
        mode: if args.test {
            KeyMode::Test
        } else {
            KeyMode::Live
        },
        scopes,
        expires_at,
        networks: args.allow,
        rate: rate.map(|(per_minute, burst)| KeyRate { per_minute, burst }),
        public_key: public_key.map(|key| key.to_string()),
        gateway_public_key: gateway.map(|key| key.to_string()),
    })
}

fn public_key_in(path: &Path, option: &str) -> anyhow::Result<PublicKey> {
    let shown = path.display();
    let text =
        fs::read_to_string(path).with_context(|| format!("{option} {shown} cannot be read"))?;
    text.parse()
        .with_context(|| format!("{option} {shown} cannot be used"))
}

fn later(now: Timestamp, time: Duration) -> Option<Timestamp> {
    now.plus_ms(i64::try_from(time.as_millis()).ok()?)
}

/// Prints the key alone on stdout, so that it can be piped; what is to be said about it goes to
/// stderr.
fn tell(
    secret: &SecretString,
    stored: &NewApiKey,
    more: &str,
    format: Format,
) -> anyhow::Result<()> {
    let (id, name, secret) = (&stored.id, &stored.name, secret.expose_secret());
    match format {
        Format::Json => output::json(&json!({ "id": id, "name": name, "key": secret })),
        Format::Text => {
            output::line(secret)?;
            Ok(output::aside(&format!(
                "This is the key {id}, \"{name}\". It is shown once and kept only as a hash: store \
                 it now. `paywatch api-key revoke {id}` ends it.{more}"
            ))?)
        },
    }
}

async fn list(store: &Store, now: Timestamp, format: Format) -> anyhow::Result<()> {
    let keys = store.api_keys().await?;
    if format == Format::Json {
        let values = keys.iter().map(|key| view::as_value(key, now));
        return output::json(&values.collect::<Vec<_>>());
    }
    Ok(output::line(&view::table(&keys, now))?)
}

async fn show(store: &Store, id: &str, now: Timestamp, format: Format) -> anyhow::Result<()> {
    let key = find(store, id).await?;
    if format == Format::Json {
        return output::json(&view::as_value(&key, now));
    }
    Ok(output::line(&view::in_words(&key, now))?)
}

async fn find(store: &Store, id: &str) -> anyhow::Result<ApiKeyRecord> {
    let key = store.api_key(id).await?;
    key.with_context(|| format!("there is no key {id}; `paywatch api-key list` shows them"))
}

/// Makes a key in the place of `old`, which lives as long as that was to live.
async fn rotate(
    store: &Store,
    old: &ApiKeyRecord,
    (overlap, now): (Duration, Timestamp),
    reason: &Reason,
    format: Format,
) -> anyhow::Result<()> {
    let id = &old.id;
    anyhow::ensure!(
        old.is_valid(now),
        "{id} was revoked or has ended; make another key with `paywatch api-key create`"
    );
    if let Some(successor) = &old.successor {
        anyhow::bail!("{id} has the successor {successor} already; rotate that one");
    }
    let ends_at = later(now, overlap).context("--overlap is too long")?;
    let lifetime = old.terms.expires_at.map(|end| {
        let lifetime = end.unix_ms().saturating_sub(old.created_at.unix_ms());
        now.plus_ms(lifetime).unwrap_or(end)
    });
    let terms = KeyTerms {
        expires_at: lifetime,
        ..old.terms.clone()
    };
    let (secret, stored) = keys::mint_with(&old.name, terms, now);
    let ends = output::rfc3339(old.terms.expires_at.map_or(ends_at, |end| end.min(ends_at)));
    let detail = format!(
        "{id} \"{}\" ends at {ends}; in its place {}: {}",
        old.name,
        stored.id,
        view::in_one_line(&stored.terms)
    );
    let decision = decision(DecisionKind::RotateKey, reason, detail, now);
    store
        .rotate_api_key(id, ends_at, &stored, &decision)
        .await?;
    tell(
        &secret,
        &stored,
        &format!(" {id} is taken until {ends}."),
        format,
    )
}

async fn revoke(
    store: &Store,
    id: &str,
    (reason, now): (&Reason, Timestamp),
    format: Format,
) -> anyhow::Result<()> {
    let key = find(store, id).await?;
    let detail = format!("{id} \"{}\" revoked", key.name);
    let decision = decision(DecisionKind::RevokeKey, reason, detail, now);
    store.revoke_api_key(id, &decision).await?;
    match format {
        Format::Json => output::json(&json!({ "id": id, "revoked": true })),
        Format::Text => Ok(output::line(&format!("{id} is revoked"))?),
    }
}

fn decision(kind: DecisionKind, reason: &Reason, detail: String, at: Timestamp) -> NewDecision {
    NewDecision {
        id: format!("dec_{}", Uuid::now_v7().simple()),
        kind,
        reason: reason.clone(),
        by: user(),
        detail,
        at,
    }
}
