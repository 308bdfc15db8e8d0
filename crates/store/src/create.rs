//! Making an order, once.

pub(crate) mod queue;
pub(crate) mod rows;

use std::collections::BTreeMap;

use paywatch_core::{Event, EventKind, OrderId, Snapshot, Timestamp, Token};
use sqlx::AnyConnection;

use crate::batch::rows_of;
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
    /// reference is taken or no amount is free. Two who ask at once get one order. Once it is begun, it
    /// is made though nobody waits for the outcome any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_order(&self, new: &NewOrder) -> Result<CreateOutcome, StoreError> {
        let store = self.clone();
        let make = move |new: Vec<NewOrder>| {
            let store = store.clone();
            async move { store.make(&new).await }
        };
        self.queue.ask(new.clone(), make).await
    }

    /// Makes orders together, since to wait for the disk is what takes the time; none, if somebody else was
    /// faster with one of several.
    async fn make(&self, new: &[NewOrder]) -> Result<Option<Vec<CreateOutcome>>, StoreError> {
        match new {
            [alone] => Ok(Some(vec![self.create_alone(alone).await?])),
            several => self.create_together(several).await,
        }
    }

    async fn create_alone(&self, new: &NewOrder) -> Result<CreateOutcome, StoreError> {
        let made = self.create_together(std::slice::from_ref(new)).await?;
        if let Some(outcome) = made.into_iter().flatten().next() {
            return Ok(outcome);
        }
        // A twin was faster. What it wrote is seen by a new transaction.
        let mut tx = self.read().await?;
        let found = find(&mut tx, &[new]).await?.into_values().next();
        found.ok_or_else(|| StoreError::stale("the order's reference"))
    }

    /// Makes orders of different references in one transaction; one that needs an amount of its own is
    /// alone. `None`, and nothing is written, when a twin of one of them was faster.
    async fn create_together(
        &self,
        wanted: &[NewOrder],
    ) -> Result<Option<Vec<CreateOutcome>>, StoreError> {
        let mut tx = self.write().await?;
        let wanted: Vec<&NewOrder> = wanted.iter().collect();
        let mut outcomes = find(&mut tx, &wanted).await?;
        let is_new = |new: &&&NewOrder| !outcomes.contains_key(&new.order.id);
        let mut fresh: Vec<&NewOrder> = wanted.iter().filter(is_new).copied().collect();
        if !fresh.is_empty() {
            // So that the clock's setbacks are those between transactions.
            fresh.sort_by_key(|new| new.order.created_at);
            match write(&mut tx, &fresh).await? {
                Written::All(made) => {
                    commit(tx).await?;
                    outcomes.extend(made);
                },
                Written::NoFreeAmount(id, token) => {
                    tx.rollback().await.map_err(failed("undo"))?;
                    outcomes.insert(id, CreateOutcome::NoFreeAmount { token });
                },
                Written::TwinWasFaster => {
                    tx.rollback().await.map_err(failed("undo"))?;
                    return Ok(None);
                },
            }
        }
        let outcome = |new: &&NewOrder| outcomes.remove(&new.order.id);
        Ok(wanted.iter().map(outcome).collect())
    }
}

/// What came of writing new orders.
#[derive(Debug)]
enum Written {
    /// They are there.
    All(BTreeMap<OrderId, CreateOutcome>),
    /// For this order no amount is free of this token. What was written is to be undone.
    NoFreeAmount(OrderId, Token),
    /// One of the references is not free any more. What was written is to be undone.
    TwinWasFaster,
}

/// Writes `new`, whose references were free.
async fn write(tx: &mut AnyConnection, new: &[&NewOrder]) -> Result<Written, StoreError> {
    // Whoever takes the numbers holds the lock of the counter, and with it of the amounts.
    let count = i64::try_from(new.len()).unwrap_or(i64::MAX);
    let last = take_event_numbers(tx, count).await?;
    let first = last.saturating_sub(count).saturating_add(1);
    let snapshot = Snapshot::new();
    let mut orders = Vec::with_capacity(new.len());
    for (seq, new) in (first..).zip(new) {
        let exact = match slots::choose(tx, new).await? {
            Ok(options) => options,
            Err(SlotWish { token, .. }) => {
                return Ok(Written::NoFreeAmount(new.order.id, token.clone()));
            },
        };
        let mut order = new.order.clone();
        order.options.extend(exact.iter().cloned());
        orders.push((*new, order, exact, seq, checkout::mint()));
    }
    let fresh = orders.iter().map(|(new, order, _, seq, checkout)| Fresh {
        order,
        request_digest: &new.request_digest,
        seq: *seq,
        checkout: *checkout,
        snapshot: &snapshot,
        version: FIRST_VERSION,
        event_count: 1,
        updated_at: order.created_at,
    });
    let fresh: Vec<Fresh<'_>> = fresh.collect();
    if let Some(oldest) = fresh.first() {
        note_setback(tx, oldest.order.created_at).await?;
    }
    if insert_orders(tx, &fresh).await? < fresh.len() {
        return Ok(Written::TwinWasFaster);
    }
    insert_belongings(tx, &fresh).await?;
    for (new, order, exact, ..) in &orders {
        slots::take(tx, new, exact).await?;
        if let Some(callback) = &new.callback {
            keep_callback(tx, order.id, callback).await?;
        }
    }
    tell(tx, &fresh).await?;
    let made = orders.into_iter().map(|(_, order, _, seq, checkout)| {
        let record = OrderRecord {
            updated_at: order.created_at,
            snapshot: snapshot.clone(),
            version: FIRST_VERSION.unsigned_abs(),
            seq: seq.unsigned_abs(),
            checkout: Some(checkout),
            payments: Vec::new(),
            refunds: Vec::new(),
            order,
        };
        (record.order.id, CreateOutcome::Created(record))
    });
    Ok(Written::All(made.collect()))
}

/// Appends that the orders were made.
async fn tell(tx: &mut AnyConnection, fresh: &[Fresh<'_>]) -> Result<(), StoreError> {
    let created = Event {
        kind: EventKind::OrderCreated,
        payment: None,
    };
    let told = fresh.iter().map(|fresh| {
        let then = then(Terms::of(fresh.order), Vec::new(), fresh.snapshot);
        NewEvent {
            seq: fresh.seq,
            order_id: fresh.order.id,
            order_seq: 1,
            event: &created,
            snapshot: fresh.snapshot,
            told_before: 0,
            then: kept(&then, &[None]).concat(),
            at: fresh.order.created_at,
        }
    });
    let told: Vec<NewEvent<'_>> = told.collect();
    append(tx, &told).await
}

/// What is to be said of those of `wanted` whose references the books have, by the ids they wanted.
async fn find(
    connection: &mut AnyConnection,
    wanted: &[&NewOrder],
) -> Result<BTreeMap<OrderId, CreateOutcome>, StoreError> {
    let references = wanted.iter().map(|new| new.order.reference.to_string());
    let references: Vec<String> = references.collect();
    let before = "SELECT reference, id, request_digest FROM orders WHERE reference IN";
    let rows = rows_of(connection, &references, before, "", "look up references").await?;
    let mut outcomes = BTreeMap::new();
    for row in rows {
        let fields = Fields::of(&row, "orders", "id");
        let (by, reference): (OrderId, _) = (fields.parsed("id")?, fields.text("reference")?);
        let mut wanted = wanted.iter();
        let Some(new) = wanted.find(|new| new.order.reference.as_str() == reference) else {
            continue;
        };
        let outcome = if fields.text("request_digest")? == new.request_digest {
            let record = load_orders(connection, [by]).await?.remove(&by);
            let there = record.ok_or_else(|| StoreError::stale("the order's reference"))?;
            CreateOutcome::Existing(there)
        } else {
            CreateOutcome::ReferenceTaken { by }
        };
        outcomes.insert(new.order.id, outcome);
    }
    Ok(outcomes)
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
