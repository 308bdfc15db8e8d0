//! The event log: appended with the change that it tells of, read in order.

use alloy_primitives::{hex, keccak256};
use paywatch_core::{ChainEvent, Event, OrderId, PaymentEvent, PaymentId, Snapshot, Timestamp};
use sqlx::AnyConnection;

use crate::batch::{Value, insert};
use crate::error::{StoreError, failed};
use crate::fields::{Fields, chain_number, flags, number};
use crate::record::{EventRecord, OrderEvent, Told};
use crate::store::{Store, commit, take_event_numbers};

/// An event to be appended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewEvent<'a> {
    pub(crate) seq: i64,
    pub(crate) order_id: OrderId,
    pub(crate) order_seq: i64,
    pub(crate) event: &'a Event,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) at: Timestamp,
}

impl Store {
    /// At most `limit` events after number `seq`, in order and without gaps.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events_after(&self, seq: u64, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, id, order_id, order_seq, chain_id, kind, payment_id, status, flags, \
             received, counted, confirmed, excess, detail, happened_at, refunded FROM events \
             WHERE seq > $1 ORDER BY seq LIMIT $2",
        )
        .bind(number(seq, "sequence number")?)
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map_err(failed("read events"))?;
        rows.iter()
            .map(|row| record(Fields::of(row, "events", "id")))
            .collect()
    }
}

impl Store {
    /// The number of the last event; 0 if there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_event(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT value FROM counters WHERE name = 'events'")
            .fetch_one(self.readers())
            .await
            .map_err(failed("read how far the events go"))?;
        Fields::of(&row, "counters", "name").number("value")
    }
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

fn record(fields: Fields<'_>) -> Result<EventRecord, StoreError> {
    let order = fields.maybe_parsed::<OrderId>("order_id")?;
    let payment = fields.maybe_parsed::<PaymentId>("payment_id")?;
    let told = match (order, payment) {
        (Some(order_id), payment) => Told::Order(OrderEvent {
            order_id,
            order_seq: fields.number("order_seq")?,
            event: Event {
                kind: fields.parsed("kind")?,
                payment,
            },
            status: fields.parsed("status")?,
            flags: fields.flags("flags")?,
            received: fields.parsed("received")?,
            counted: fields.parsed("counted")?,
            confirmed: fields.parsed("confirmed")?,
            excess: fields.parsed("excess")?,
            // Older events were told when nothing could be sent back.
            refunded: fields.maybe_parsed("refunded")?.unwrap_or_default(),
        }),
        (None, Some(payment)) => Told::Payment(PaymentEvent {
            chain_id: fields.chain_id("chain_id")?,
            payment,
            kind: fields.parsed("kind")?,
            detail: fields.text("detail")?,
        }),
        (None, None) => Told::Chain(ChainEvent {
            chain_id: fields.chain_id("chain_id")?,
            kind: fields.parsed("kind")?,
            detail: fields.text("detail")?,
        }),
    };
    Ok(EventRecord {
        seq: fields.number("seq")?,
        id: fields.text("id")?,
        told,
        at: fields.time("happened_at")?,
    })
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
    let rows: Vec<[Value; 14]> = events
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
            ]
        })
        .collect();
    let before = "INSERT INTO events (seq, id, order_id, order_seq, kind, payment_id, status, \
        flags, received, counted, confirmed, excess, happened_at, refunded)";
    insert(connection, &rows, before, "", "append events")
        .await
        .map(drop)
}

/// The id of an event. It follows from its subject and its place there, so whoever tells an event
/// twice tells it under the same id.
fn event_id(subject: &str, place: i64) -> String {
    let mut preimage = subject.as_bytes().to_vec();
    preimage.extend_from_slice(&place.to_be_bytes());
    let digest = keccak256(preimage);
    let short: [u8; 16] = digest.0.first_chunk().copied().unwrap_or_default();
    format!("evt_{}", hex::encode(short))
}
