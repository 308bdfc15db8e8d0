//! The endpoint that stands for the URLs that orders of plugins for epusdt name.

use anyhow::Context as _;
use paywatch_api::{Clock as _, Epusdt, SystemClock};
use paywatch_core::{DecisionKind, EndpointId, EndpointKind, EventFormat, Reason};
use paywatch_store::{EndpointOutcome, EndpointRecord, NewDecision, NewEndpoint, Store};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::daemon::telling::sinks::BY;

const NAME: &str = "URLs that orders of epusdt's plugins name";
const CHANGED: &str = "the token in the configuration is another one";

/// Keeps the endpoint, which signs by the token that is configured now.
///
/// # Errors
/// When the database fails.
pub(super) async fn keep(store: &Store, epusdt: &Epusdt) -> anyhow::Result<()> {
    let token = epusdt.token();
    let format = EventFormat::Epusdt;
    let new = NewEndpoint {
        id: EndpointId::from_bytes(*Uuid::now_v7().as_bytes()),
        kind: EndpointKind::Callbacks,
        name: NAME.to_owned(),
        url: String::new(),
        format,
        types: format.types(),
        secrets: vec![token.clone()],
        created_at: SystemClock.now(),
    };
    let endpoint = store.ensure_endpoint(&new).await?;
    let signs = endpoint.secrets.first();
    if signs.is_none_or(|kept| kept.secret.expose_secret() != token.expose_secret()) {
        let decision = changed(&endpoint)?;
        let secret = (token, decision.at);
        let kept = store
            .rotate_endpoint_secret(endpoint.id, secret, &decision)
            .await?;
        anyhow::ensure!(
            matches!(kept, EndpointOutcome::Done(_)),
            "the new token cannot be kept"
        );
        tracing::info!(endpoint.id = %endpoint.id, "{CHANGED}: it signs from now on");
    }
    Ok(())
}

fn changed(endpoint: &EndpointRecord) -> anyhow::Result<NewDecision> {
    let reason: Reason = CHANGED
        .parse()
        .context("the reason cannot be written down")?;
    Ok(NewDecision {
        id: format!("dec_{}", Uuid::now_v7().simple()),
        kind: DecisionKind::RotateSecret,
        reason,
        by: BY.to_owned(),
        detail: format!("{} ({})", endpoint.name, endpoint.id),
        at: SystemClock.now(),
    })
}
