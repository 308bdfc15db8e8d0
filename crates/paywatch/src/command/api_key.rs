//! `paywatch api-key …`: the keys of the API, straight in the database.

use std::path::Path;

use anyhow::Context as _;
use paywatch_api::{Clock as _, SystemClock, keys};
use paywatch_core::Timestamp;
use paywatch_store::{ApiKeyRecord, Store};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::cli;
use crate::config::{load_database, process_environment};
use crate::output::{self, Format};

/// Does what `api-key …` asks.
pub(crate) async fn run(config: &Path, args: cli::ApiKey, format: Format) -> anyhow::Result<()> {
    let url = load_database(config, &process_environment())?;
    let store = Store::open(&url)
        .await
        .context("the database cannot be used")?;
    let done = match args {
        cli::ApiKey::Create { name } => create(&store, &name, format).await,
        cli::ApiKey::List => list(&store, format).await,
        cli::ApiKey::Revoke { id } => revoke(&store, &id, format).await,
    };
    store.close().await;
    done
}

/// Prints the key alone on stdout, so that it can be piped; what is to be said about it goes to
/// stderr.
async fn create(store: &Store, name: &str, format: Format) -> anyhow::Result<()> {
    let (secret, stored) = keys::mint(name, SystemClock.now());
    store.create_api_key(&stored).await?;
    let (id, secret) = (stored.id, secret.expose_secret());
    match format {
        Format::Json => output::json(&json!({ "id": id, "name": name, "key": secret })),
        Format::Text => {
            output::line(secret)?;
            Ok(output::aside(&format!(
                "This is the key {id}, \"{name}\". It is shown once and kept only as a hash: store \
                 it now. `paywatch api-key revoke {id}` ends it."
            ))?)
        },
    }
}

async fn list(store: &Store, format: Format) -> anyhow::Result<()> {
    let keys = store.api_keys().await?;
    if format == Format::Json {
        return output::json(&keys.iter().map(as_value).collect::<Vec<_>>());
    }
    let mut table = output::table(["id", "name", "made", "last used", "revoked"]);
    for key in &keys {
        let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), rfc3339);
        table.add_row([
            key.id.clone(),
            key.name.clone(),
            rfc3339(key.created_at),
            time(key.last_used_at),
            time(key.revoked_at),
        ]);
    }
    Ok(output::line(&table.to_string())?)
}

async fn revoke(store: &Store, id: &str, format: Format) -> anyhow::Result<()> {
    let was_there = store.revoke_api_key(id, SystemClock.now()).await?;
    anyhow::ensure!(
        was_there,
        "there is no key {id}; `paywatch api-key list` shows them"
    );
    match format {
        Format::Json => output::json(&json!({ "id": id, "revoked": true })),
        Format::Text => Ok(output::line(&format!("{id} is revoked"))?),
    }
}

fn as_value(key: &ApiKeyRecord) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "created_at": rfc3339(key.created_at),
        "last_used_at": key.last_used_at.map(rfc3339),
        "revoked_at": key.revoked_at.map(rfc3339),
    })
}

/// A time as people and programs read it.
fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.unix_ms())
        .map_or_else(|error| error.to_string(), |at| at.to_string())
}
