//! The event log: appended with the change that it tells of, read in order.

use alloy_primitives::{hex, keccak256};
use paywatch_core::{Event, OrderId, Snapshot, Timestamp};
use sqlx::AnyConnection;

use crate::batch::{Value, insert};
use crate::error::{StoreError, failed};
use crate::fields::{Fields, flags, number};
use crate::record::EventRecord;
use crate::store::Store;

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
            "SELECT seq, id, order_id, order_seq, kind, payment_id, status, flags, received, \
             counted, confirmed, excess, happened_at FROM events WHERE seq > $1 \
             ORDER BY seq LIMIT $2",
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

fn record(fields: Fields<'_>) -> Result<EventRecord, StoreError> {
    Ok(EventRecord {
        seq: fields.number("seq")?,
        id: fields.text("id")?,
        order_id: fields.parsed("order_id")?,
        order_seq: fields.number("order_seq")?,
        event: Event {
            kind: fields.parsed("kind")?,
            payment: fields.maybe_parsed("payment_id")?,
        },
        status: fields.parsed("status")?,
        flags: fields.flags("flags")?,
        received: fields.parsed("received")?,
        counted: fields.parsed("counted")?,
        confirmed: fields.parsed("confirmed")?,
        excess: fields.parsed("excess")?,
        at: fields.time("happened_at")?,
    })
}

/// Appends `events`, whose numbers were taken in the same transaction.
pub(crate) async fn append(
    connection: &mut AnyConnection,
    events: &[NewEvent<'_>],
) -> Result<(), StoreError> {
    let rows: Vec<[Value; 13]> = events
        .iter()
        .map(|new| {
            [
                new.seq.into(),
                event_id(new.order_id, new.order_seq).into(),
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
            ]
        })
        .collect();
    let before = "INSERT INTO events (seq, id, order_id, order_seq, kind, payment_id, status, \
        flags, received, counted, confirmed, excess, happened_at)";
    insert(connection, &rows, before, "", "append events").await
}

/// The id of an order's event. It follows from the order and the event's place, so whoever tells
/// an event twice tells it under the same id.
fn event_id(order_id: OrderId, order_seq: i64) -> String {
    let mut preimage = order_id.to_string().into_bytes();
    preimage.extend_from_slice(&order_seq.to_be_bytes());
    let digest = keccak256(preimage);
    let short: [u8; 16] = digest.0.first_chunk().copied().unwrap_or_default();
    format!("evt_{}", hex::encode(short))
}
