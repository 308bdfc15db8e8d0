//! The event log: appended with the change that it tells of, read in order.

mod context;
mod read;
pub(crate) mod then;

use alloy_primitives::{hex, keccak256};
use paywatch_core::{ChainEvent, EndpointEvent, Event, OrderId, PaymentEvent, Snapshot, Timestamp};
use sqlx::AnyConnection;

use crate::batch::{Value, insert};
use crate::error::StoreError;
use crate::fields::{chain_number, flags, number};
use crate::store::{Store, commit, take_event_numbers};

/// An event to be appended.
#[derive(Clone, Debug)]
pub(crate) struct NewEvent<'a> {
    pub(crate) seq: i64,
    pub(crate) order_id: OrderId,
    pub(crate) order_seq: i64,
    pub(crate) event: &'a Event,
    pub(crate) snapshot: &'a Snapshot,
    /// How many events the order had before the change.
    pub(crate) told_before: i64,
    /// What else the order is after it: one of [`then::kept`].
    pub(crate) then: String,
    pub(crate) at: Timestamp,
}

impl Store {
    /// Tells of a chain itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell_of_chain(&self, event: &ChainEvent, at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        append_chain_events(&mut tx, std::slice::from_ref(event), at).await?;
        commit(tx).await
    }
}

/// Appends what is to be told of endpoints, and takes the numbers for it.
pub(crate) async fn append_endpoint_events(
    connection: &mut AnyConnection,
    events: &[EndpointEvent],
    at: Timestamp,
) -> Result<(), StoreError> {
    for event in events {
        let seq = take_event_numbers(connection, 1).await?;
        let row: [Value; 6] = [
            seq.into(),
            event_id(&event.endpoint.to_string(), seq).into(),
            event.endpoint.to_string().into(),
            event.kind.name().into(),
            event.detail.as_str().into(),
            at.unix_ms().into(),
        ];
        let before = "INSERT INTO events (seq, id, endpoint_id, kind, detail, happened_at)";
        insert(connection, &[row], before, "", "append an event").await?;
    }
    Ok(())
}

/// Appends what is to be told of chains, and takes the numbers for it.
pub(crate) async fn append_chain_events(
    connection: &mut AnyConnection,
    events: &[ChainEvent],
    at: Timestamp,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let count = number(u64::try_from(events.len()).unwrap_or(u64::MAX), "events")?;
    let last = take_event_numbers(connection, count).await?;
    let first = last.saturating_sub(count).saturating_add(1);
    let mut rows: Vec<[Value; 6]> = Vec::with_capacity(events.len());
    for (seq, event) in (first..).zip(events) {
        rows.push([
            seq.into(),
            event_id(&format!("chain {}", event.chain_id), seq).into(),
            chain_number(event.chain_id)?.into(),
            event.kind.name().into(),
            event.detail.as_str().into(),
            at.unix_ms().into(),
        ]);
    }
    let before = "INSERT INTO events (seq, id, chain_id, kind, detail, happened_at)";
    insert(connection, &rows, before, "", "append events")
        .await
        .map(drop)
}

/// Appends what is to be told of payments that belong to no order, and takes the numbers for it.
pub(crate) async fn append_payment_events(
    connection: &mut AnyConnection,
    events: &[PaymentEvent],
    at: Timestamp,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let count = number(u64::try_from(events.len()).unwrap_or(u64::MAX), "events")?;
    let last = take_event_numbers(connection, count).await?;
    let first = last.saturating_sub(count).saturating_add(1);
    let mut rows: Vec<[Value; 7]> = Vec::with_capacity(events.len());
    for (seq, event) in (first..).zip(events) {
        rows.push([
            seq.into(),
            event_id(&event.payment.to_string(), seq).into(),
            chain_number(event.chain_id)?.into(),
            event.payment.to_string().into(),
            event.kind.name().into(),
            event.detail.as_str().into(),
            at.unix_ms().into(),
        ]);
    }
    let before = "INSERT INTO events (seq, id, chain_id, payment_id, kind, detail, happened_at)";
    insert(connection, &rows, before, "", "append events")
        .await
        .map(drop)
}

/// Appends `events`, whose numbers were taken in the same transaction.
pub(crate) async fn append(
    connection: &mut AnyConnection,
    events: &[NewEvent<'_>],
) -> Result<(), StoreError> {
    let rows: Vec<[Value; 16]> = events
        .iter()
        .map(|new| {
            [
                new.seq.into(),
                event_id(&new.order_id.to_string(), new.order_seq).into(),
                new.order_id.to_string().into(),
                new.order_seq.into(),
                new.event.kind.name().into(),
                new.event.payment.map(|id| id.to_string()).into(),
                new.snapshot.status.name().into(),
                flags(new.snapshot.flags).into(),
                new.snapshot.received.to_string().into(),
                new.snapshot.counted.to_string().into(),
                new.snapshot.confirmed.to_string().into(),
                new.snapshot.excess.to_string().into(),
                new.at.unix_ms().into(),
                new.snapshot.refunded.to_string().into(),
                new.told_before.into(),
                new.then.as_str().into(),
            ]
        })
        .collect();
    let before = "INSERT INTO events (seq, id, order_id, order_seq, kind, payment_id, status, \
        flags, received, counted, confirmed, excess, happened_at, refunded, told_before, \
        order_then)";
    insert(connection, &rows, before, "", "append events")
        .await
        .map(drop)
}

/// The id of an event. It follows from its subject and its place there, so whoever tells an event
/// twice tells it under the same id.
pub(crate) fn event_id(subject: &str, place: i64) -> String {
    let mut preimage = subject.as_bytes().to_vec();
    preimage.extend_from_slice(&place.to_be_bytes());
    let digest = keccak256(preimage);
    let short: [u8; 16] = digest.0.first_chunk().copied().unwrap_or_default();
    format!("evt_{}", hex::encode(short))
}
