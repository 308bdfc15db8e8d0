//! `paywatch webhook deliveries`: what an endpoint was told, and how it answered.

use anyhow::Context as _;
use paywatch_api::{DeliveryView, DeliveryWithRequests};
use paywatch_core::DeliveryState;
use paywatch_store::DeliveryRecord;

use crate::cli::ListDeliveries;
use crate::command::webhook::manage::Office;
use crate::output::{self, Format, rfc3339};

/// Lists deliveries, or shows one.
pub(super) async fn run(office: &Office, args: &ListDeliveries) -> anyhow::Result<()> {
    office.find(args.id).await?;
    if let Some(seq) = args.sequence {
        return show(office, args, seq).await;
    }
    let found = office
        .store
        .deliveries(args.id, &args.state, args.before, args.limit)
        .await?;
    if office.format == Format::Json {
        return output::json(
            &found
                .into_iter()
                .map(DeliveryView::from)
                .collect::<Vec<_>>(),
        );
    }
    let mut table = output::table(["sequence", "event", "type", "state", "attempts", "when"]);
    for delivery in &found {
        table.add_row([
            delivery.seq.to_string(),
            delivery.event_id.clone(),
            delivery.kind.clone(),
            delivery.state.to_string(),
            delivery.attempts.to_string(),
            when(delivery),
        ]);
    }
    output::line(&table.to_string())?;
    let is_full = u32::try_from(found.len()).is_ok_and(|count| count == args.limit);
    if let Some(last) = found.last().filter(|_| is_full) {
        output::aside(&format!("there may be more: --before {}", last.seq))?;
    }
    Ok(())
}

async fn show(office: &Office, args: &ListDeliveries, seq: u64) -> anyhow::Result<()> {
    let found = office.store.delivery(args.id, seq).await?;
    let (delivery, attempts) = found.with_context(|| {
        format!(
            "event {seq} is not queued for {}, or that is forgotten",
            args.id
        )
    })?;
    if office.format == Format::Json {
        return output::json(&DeliveryWithRequests::from((delivery, attempts)));
    }
    output::line(&format!(
        "event {seq}, {} {}: {}, {}",
        delivery.kind,
        delivery.event_id,
        delivery.state,
        when(&delivery)
    ))?;
    let mut table = output::table([
        "request",
        "sent",
        "ms",
        "status",
        "what was wrong",
        "answer",
    ]);
    for attempt in &attempts {
        let status = attempt.status.map(|status| status.to_string());
        table.add_row([
            attempt.attempt.to_string(),
            rfc3339(attempt.sent_at),
            attempt.took_ms.to_string(),
            status.unwrap_or_else(|| "-".to_owned()),
            attempt.failure.clone().unwrap_or_default(),
            attempt.answer.clone(),
        ]);
    }
    Ok(output::line(&table.to_string())?)
}

fn when(delivery: &DeliveryRecord) -> String {
    match (delivery.state, delivery.finished_at) {
        (DeliveryState::Pending, _) => format!("next {}", rfc3339(delivery.next_at)),
        (DeliveryState::Delivered | DeliveryState::Failed | DeliveryState::Dropped, at) => {
            at.map_or_else(String::new, rfc3339)
        },
    }
}
