//! Making an order, once.

pub(crate) mod rows;

use paywatch_core::{Event, EventKind, OrderId, Snapshot, Timestamp};
use sqlx::AnyConnection;

use crate::checkout;
use crate::create::rows::{Fresh, insert_belongings, insert_orders, keep_callback};
use crate::error::{StoreError, failed};
use crate::events::then::{Terms, kept, then};
use crate::events::{NewEvent, append};
use crate::fields::Fields;
use crate::load::load_orders;
use crate::record::{CreateOutcome, NewOrder, OrderRecord, SlotWish};
use crate::slots;
use crate::store::{Store, commit, take_event_numbers};

/// The version of an order that was just made.
pub(crate) const FIRST_VERSION: i64 = 1;

impl Store {
    /// Makes an order with its addresses, its amounts and its `order.created` event, unless its
    /// reference is taken or no amount is free. Two who ask at once get one order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_order(&self, new: &NewOrder) -> Result<CreateOutcome, StoreError> {
        let mut tx = self.write().await?;
        if let Some(outcome) = find(&mut tx, new).await? {
            return Ok(outcome);
        }
        let seq = take_event_numbers(&mut tx, 1).await?;
        let exact = match slots::choose(&mut tx, new).await? {
            Ok(options) => options,
            Err(SlotWish { token, .. }) => {
                let token = token.clone();
                return Ok(CreateOutcome::NoFreeAmount { token });
            },
        };
        let mut order = new.order.clone();
        order.options.extend(exact.iter().cloned());
        let snapshot = Snapshot::new();
        let checkout = checkout::mint();
        let fresh = [Fresh {
            order: &order,
            request_digest: &new.request_digest,
            seq,
            checkout,
            snapshot: &snapshot,
            version: FIRST_VERSION,
            event_count: 1,
            updated_at: order.created_at,
        }];
        note_setback(&mut tx, order.created_at).await?;
        if insert_orders(&mut tx, &fresh).await? == 0 {
            // A twin was faster. What it wrote is seen by a new transaction.
            tx.rollback().await.map_err(failed("undo"))?;
            let mut tx = self.read().await?;
            let outcome = find(&mut tx, new).await?;
            return outcome.ok_or_else(|| StoreError::stale("the order's reference"));
        }
        slots::take(&mut tx, new, &exact).await?;
        insert_belongings(&mut tx, &fresh).await?;
        if let Some(callback) = &new.callback {
            keep_callback(&mut tx, order.id, callback).await?;
        }
        let created = Event {
            kind: EventKind::OrderCreated,
            payment: None,
        };
        let then = then(Terms::of(&order), Vec::new(), &snapshot);
        let event = NewEvent {
            seq,
            order_id: order.id,
            order_seq: 1,
            event: &created,
            snapshot: &snapshot,
            told_before: 0,
            then: kept(&then, &[None]).concat(),
            at: order.created_at,
        };
        append(&mut tx, &[event]).await?;
        commit(tx).await?;
        Ok(CreateOutcome::Created(OrderRecord {
            updated_at: order.created_at,
            order,
            snapshot,
            version: FIRST_VERSION.unsigned_abs(),
            seq: seq.unsigned_abs(),
            checkout: Some(checkout),
            payments: Vec::new(),
            refunds: Vec::new(),
        }))
    }
}

/// The order that has `new`'s reference.
async fn find(
    connection: &mut AnyConnection,
    new: &NewOrder,
) -> Result<Option<CreateOutcome>, StoreError> {
    let row = sqlx::query("SELECT id, request_digest FROM orders WHERE reference = $1")
        .bind(new.order.reference.as_str())
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed("look up a reference"))?;
    let Some(row) = row else {
        return Ok(None);
    };
    let fields = Fields::of(&row, "orders", "id");
    let id: OrderId = fields.parsed("id")?;
    if fields.text("request_digest")? != new.request_digest {
        return Ok(Some(CreateOutcome::ReferenceTaken { by: id }));
    }
    let record = load_orders(connection, [id]).await?.remove(&id);
    Ok(record.map(CreateOutcome::Existing))
}

/// Notes by how much the clock was set back since the newest order by time was made, if it was
/// never set back by more. Whoever calls this holds the lock of the events' counter.
pub(crate) async fn note_setback(
    connection: &mut AnyConnection,
    created_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE counters SET value = (SELECT MAX(created_at) FROM orders) - $1 \
         WHERE name = 'clock_setback' AND value < (SELECT MAX(created_at) FROM orders) - $1",
    )
    .bind(created_at.unix_ms())
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("note the clock"))
}
