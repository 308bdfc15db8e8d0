//! Buses and people as the configuration names them: each has an endpoint in the books, which ends and
//! comes back with its section.

use std::sync::Arc;

use anyhow::Context as _;
use paywatch_api::{Clock as _, SystemClock};
use paywatch_core::{AddressForm, DecisionKind, EndpointId, EndpointKind, EventFormat, Reason};
use paywatch_notifier::{Carrier, Names, SinkCarrier};
use paywatch_store::{DisabledBy, EndpointRecord, NewDecision, NewEndpoint, Store};
use uuid::Uuid;

use crate::config::{ChainConfig, SinkConfig};

/// Why an endpoint is disabled whose section is gone. By these words it is known again, so that what an
/// operator disabled stays so.
const GONE: &str = "its section is not in the configuration any more";
/// Why it is enabled.
const BACK: &str = "its section is in the configuration again";
/// Who decides so.
pub(super) const BY: &str = "configuration";

/// How chains and tokens are called where people are told of them.
pub(crate) fn names(chains: &[ChainConfig]) -> Names {
    let tokens = chains.iter().flat_map(|chain| {
        let form = AddressForm::of(chain.id);
        let tokens = chain.tokens.iter();
        tokens.map(move |token| {
            let place = (chain.id.get(), form.write(&token.address));
            (place, token.symbol.clone())
        })
    });
    Names {
        chains: chains
            .iter()
            .map(|chain| (chain.id.get(), chain.name.clone()))
            .collect(),
        tokens: tokens.collect(),
    }
}

/// Keeps an endpoint for each of `sinks`, and says by what it is reached. What has no section any more
/// is told nothing, so that nothing waits for it.
///
/// # Errors
/// When the database fails.
pub(super) async fn keep(
    store: &Store,
    sinks: &[SinkConfig],
    names: Names,
) -> anyhow::Result<Vec<(EndpointId, Arc<dyn Carrier>)>> {
    let known = store.endpoints().await?;
    for endpoint in known.iter().filter(|known| is_gone(known, sinks)) {
        end(store, endpoint).await?;
    }
    let names = Arc::new(names);
    let mut carriers: Vec<(EndpointId, Arc<dyn Carrier>)> = Vec::new();
    for sink in sinks {
        let endpoint = store.ensure_endpoint(&endpoint(sink)).await?;
        if endpoint
            .disabled
            .as_ref()
            .is_some_and(|(_, because)| because == GONE)
        {
            let enable = decision(DecisionKind::EnableEndpoint, BACK, &endpoint)?;
            store.enable_endpoint(endpoint.id, &enable).await?;
            tracing::info!(endpoint.id = %endpoint.id, "{} {} is told again: {BACK}", sink.kind, sink.name);
        } else if let Some((_, because)) = &endpoint.disabled {
            tracing::warn!(
                endpoint.id = %endpoint.id,
                "{} {} is told nothing: {because}",
                sink.kind,
                sink.name
            );
        }
        let carrier = SinkCarrier::new(Arc::clone(&sink.sink), Arc::clone(&names));
        carriers.push((endpoint.id, Arc::new(carrier)));
    }
    Ok(carriers)
}

/// Disables an endpoint whose section is gone, and tells the others: it may be gone by mistake.
async fn end(store: &Store, endpoint: &EndpointRecord) -> anyhow::Result<()> {
    let id = endpoint.id;
    let decision = decision(DecisionKind::DisableEndpoint, GONE, endpoint)?;
    let because = (GONE, decision.at);
    let by = DisabledBy::Configuration(&decision);
    if !store.disable_endpoint(id, because, by).await? {
        // Another instance has.
        return Ok(());
    }
    tracing::warn!(
        endpoint.id = %id,
        "{} {} is told nothing any more: {GONE}",
        endpoint.kind,
        endpoint.name
    );
    Ok(())
}

/// Whether it is one that only the configuration makes, and does not name.
fn is_gone(known: &EndpointRecord, sinks: &[SinkConfig]) -> bool {
    let is_configured = match known.kind {
        EndpointKind::Webhook | EndpointKind::Callbacks => false,
        EndpointKind::Nats | EndpointKind::Kafka | EndpointKind::Email | EndpointKind::Message => {
            true
        },
    };
    let is_named = |sink: &SinkConfig| sink.kind == known.kind && sink.name == known.name;
    is_configured && known.disabled.is_none() && !sinks.iter().any(is_named)
}

fn endpoint(sink: &SinkConfig) -> NewEndpoint {
    NewEndpoint {
        id: EndpointId::from_bytes(*Uuid::now_v7().as_bytes()),
        kind: sink.kind,
        name: sink.name.clone(),
        url: sink.place.clone(),
        format: EventFormat::Standard,
        types: sink.types.clone(),
        secrets: Vec::new(),
        created_at: SystemClock.now(),
    }
}

fn decision(
    kind: DecisionKind,
    because: &str,
    endpoint: &EndpointRecord,
) -> anyhow::Result<NewDecision> {
    let reason: Reason = because
        .parse()
        .context("the reason cannot be written down")?;
    Ok(NewDecision {
        id: format!("dec_{}", Uuid::now_v7().simple()),
        kind,
        reason,
        by: BY.to_owned(),
        detail: format!("{} {} ({})", endpoint.kind, endpoint.name, endpoint.id),
        at: SystemClock.now(),
    })
}
