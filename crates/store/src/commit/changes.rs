//! What an update makes of the orders: their snapshots, their payments, their events.

use std::collections::BTreeMap;

use paywatch_core::{BlockNumber, OrderId, PaymentId, PaymentState, Timestamp, TransferId};
use sqlx::AnyConnection;

use crate::batch::{Value, insert, rows_of};
use crate::error::StoreError;
use crate::events::then::{Terms, kept, then};
use crate::events::{NewEvent, append};
use crate::fields::{Fields, chain_number, flags, hash, maybe_number, number};
use crate::record::{OrderChange, PaymentThen};
use crate::refunds;
use crate::store::take_event_numbers;

/// What the books hold of one payment beside its transfer.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Standing {
    state: PaymentState,
    is_late: bool,
    confirmed_at_tip: Option<BlockNumber>,
}

/// What the books hold of one payment, wherever it is.
struct Booked {
    transfer: TransferId,
    payment: PaymentId,
    /// By what payments are sorted: when it was seen, and where it is.
    place: (Timestamp, BlockNumber),
    is_canonical: bool,
    standing: Standing,
}

/// An order as its row is after a change.
struct Changed {
    /// How many events it had before.
    told: i64,
    terms: Terms,
}

/// Applies `changes` as of `at`.
pub(crate) async fn apply(
    connection: &mut AnyConnection,
    changes: &[OrderChange],
    at: Timestamp,
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    // By id, whatever order they come in: two chains that change the same orders at once then
    // wait for each other instead of both giving up.
    let by_id: BTreeMap<OrderId, &OrderChange> = changes
        .iter()
        .map(|change| (change.order_id, change))
        .collect();
    if by_id.len() != changes.len() {
        return Err(StoreError::refused("an order is changed twice"));
    }
    let changed = update_orders(connection, &by_id, at).await?;
    let booked = booked(connection, &by_id).await?;
    update_payments(connection, &by_id, &booked).await?;
    refunds::apply(connection, &by_id).await?;
    append_events(connection, changes, (&changed, &booked), at).await
}

/// Writes the orders' snapshots; returns what else they are.
async fn update_orders(
    connection: &mut AnyConnection,
    changes: &BTreeMap<OrderId, &OrderChange>,
    at: Timestamp,
) -> Result<BTreeMap<OrderId, Changed>, StoreError> {
    let mut rows: Vec<[Value; 11]> = Vec::with_capacity(changes.len());
    for (order_id, change) in changes {
        let snapshot = &change.snapshot;
        rows.push([
            order_id.to_string().into(),
            number(change.expected_version, "version")?.into(),
            snapshot.status.name().into(),
            flags(snapshot.flags).into(),
            snapshot.received.to_string().into(),
            snapshot.counted.to_string().into(),
            snapshot.confirmed.to_string().into(),
            snapshot.excess.to_string().into(),
            at.unix_ms().into(),
            events_in(change)?.into(),
            snapshot.refunded.to_string().into(),
        ]);
    }
    let before = "UPDATE orders SET status = new.column3, flags = new.column4, \
        received = new.column5, counted = new.column6, confirmed = new.column7, \
        excess = new.column8, updated_at = new.column9, version = version + 1, \
        event_count = event_count + new.column10, refunded = new.column11, \
        open_until = CASE WHEN new.column3 IN ('awaiting_payment', 'partially_paid') \
        THEN expires_at END FROM (";
    let after = ") AS new WHERE id = new.column1 AND version = new.column2 \
        RETURNING id, event_count, seq, expires_at, late_policy, accepted";
    let mut changed = BTreeMap::new();
    let mut places: Vec<[Value; 2]> = Vec::with_capacity(changes.len());
    let mut flagged: Vec<[Value; 3]> = Vec::new();
    for row in insert(connection, &rows, before, after, "write snapshots").await? {
        let fields = Fields::of(&row, "orders", "id");
        let id: OrderId = fields.parsed("id")?;
        let now: i64 = fields.number("event_count")?;
        let Some(change) = changes.get(&id) else {
            return Err(fields.corrupt("id", "an order changed that was not named"));
        };
        let terms = Terms {
            closes_at: fields.time("expires_at")?,
            late_policy: fields.parsed("late_policy")?,
            accepted: fields.maybe_parsed("accepted")?,
        };
        let told = now.saturating_sub(events_in(change)?);
        changed.insert(id, Changed { told, terms });
        let status = change.snapshot.status.name();
        let seq: i64 = fields.number("seq")?;
        places.push([seq.into(), status.into()]);
        let flags = change.snapshot.flags.names().into_iter();
        flagged.extend(flags.map(|flag| [seq.into(), flag.into(), status.into()]));
    }
    update_places(connection, &places).await?;
    update_flags(connection, &places, &flagged).await?;
    match changes.keys().find(|id| !changed.contains_key(id)) {
        Some(moved_on) => Err(StoreError::stale(format!("order {moved_on}"))),
        None => Ok(changed),
    }
}

/// Keeps what lists by chain and address go by: the orders' numbers and what their status is.
async fn update_places(
    connection: &mut AnyConnection,
    rows: &[[Value; 2]],
) -> Result<(), StoreError> {
    let before = "UPDATE order_places SET status = new.column2 FROM (";
    let after = ") AS new WHERE seq = new.column1 AND status <> new.column2";
    insert(connection, rows, before, after, "write places")
        .await
        .map(drop)
}

/// Keeps what lists by flag go by: of each changed order the flags that it has now.
async fn update_flags(
    connection: &mut AnyConnection,
    changed: &[[Value; 2]],
    flagged: &[[Value; 3]],
) -> Result<(), StoreError> {
    let before = "DELETE FROM order_places WHERE place IN ('overpaid', \
        'underpaid_within_tolerance', 'late', 'reverted', 'resolved', 'refunded', \
        'partially_refunded') AND seq IN (SELECT new.column1 FROM (";
    let after = ") AS new)";
    insert(connection, changed, before, after, "forget flags").await?;
    let before = "INSERT INTO order_places (seq, place, status)";
    insert(connection, flagged, before, "", "write flags")
        .await
        .map(drop)
}

/// How many events a change tells.
fn events_in(change: &OrderChange) -> Result<i64, StoreError> {
    let count = u64::try_from(change.events.len()).unwrap_or(u64::MAX);
    number(count, "events")
}

/// What the books hold of the payments of the orders in `changes`, each order's oldest first.
async fn booked(
    connection: &mut AnyConnection,
    changes: &BTreeMap<OrderId, &OrderChange>,
) -> Result<BTreeMap<OrderId, Vec<Booked>>, StoreError> {
    let ids: Vec<String> = changes.keys().map(ToString::to_string).collect();
    let before = "SELECT order_id, chain_id, block_hash, log_index, state, is_late, \
        confirmed_at_tip, payment_id, detected_at, block_number, canonical FROM transfers \
        WHERE order_id IN";
    let mut booked: BTreeMap<OrderId, Vec<Booked>> = BTreeMap::new();
    for row in rows_of(connection, &ids, before, "", "read payments").await? {
        let fields = Fields::of(&row, "transfers", "block_hash");
        let of_order = booked.entry(fields.parsed("order_id")?).or_default();
        of_order.push(Booked {
            transfer: fields.transfer_id()?,
            payment: fields.parsed("payment_id")?,
            place: (fields.time("detected_at")?, fields.number("block_number")?),
            is_canonical: fields.flag("canonical")?,
            standing: Standing {
                state: fields.parsed("state")?,
                is_late: fields.flag("is_late")?,
                confirmed_at_tip: fields.maybe_number("confirmed_at_tip")?,
            },
        });
    }
    for of_order in booked.values_mut() {
        of_order.sort_by_key(Booked::place_among_others);
    }
    Ok(booked)
}

impl Booked {
    /// As a loaded order's payments are sorted.
    fn place_among_others(&self) -> impl Ord + use<> {
        let (detected_at, block_number) = self.place;
        let id = self.transfer;
        let in_block = (id.log_index, id.block_hash);
        (detected_at, id.chain_id, block_number, in_block)
    }

    /// What it is after its order's `change`.
    fn after(&self, change: &OrderChange) -> PaymentThen {
        let snapshot = &change.snapshot;
        let state = snapshot.payments.get(&self.transfer).copied();
        PaymentThen {
            id: self.payment,
            state,
            is_late: match state {
                Some(_) => snapshot.late.contains(&self.transfer),
                None => self.standing.is_late,
            },
        }
    }
}

/// Writes what the payments have become. The snapshots must name exactly those that are there.
async fn update_payments(
    connection: &mut AnyConnection,
    changes: &BTreeMap<OrderId, &OrderChange>,
    booked: &BTreeMap<OrderId, Vec<Booked>>,
) -> Result<(), StoreError> {
    let mut rows: Vec<[Value; 6]> = Vec::new();
    for (order_id, change) in changes {
        let booked = booked.get(order_id).into_iter().flatten();
        let stored: BTreeMap<TransferId, Standing> = booked
            .filter(|booked| booked.is_canonical)
            .map(|booked| (booked.transfer, booked.standing))
            .collect();
        let snapshot = &change.snapshot;
        if !snapshot.payments.keys().eq(stored.keys()) {
            let what =
                format!("the snapshot of order {order_id} names other payments than the books");
            return Err(StoreError::refused(what));
        }
        for (id, state) in &snapshot.payments {
            let standing = Standing {
                state: *state,
                is_late: snapshot.late.contains(id),
                confirmed_at_tip: change.confirmed_at_tip.get(id).copied(),
            };
            if stored.get(id) != Some(&standing) {
                rows.push(payment_row(id, standing)?);
            }
        }
    }
    let before = "UPDATE transfers SET state = new.column4, is_late = new.column5, \
        confirmed_at_tip = new.column6, \
        waits_for = CASE WHEN new.column4 = 'seen' THEN chain_id END FROM (";
    let after = ") AS new WHERE chain_id = new.column1 AND block_hash = new.column2 \
        AND log_index = new.column3";
    let written = insert(connection, &rows, before, after, "write payments").await;
    written.map(drop)
}

fn payment_row(id: &TransferId, standing: Standing) -> Result<[Value; 6], StoreError> {
    Ok([
        chain_number(id.chain_id)?.into(),
        hash(&id.block_hash).into(),
        number(id.log_index, "log index")?.into(),
        standing.state.name().into(),
        standing.is_late.into(),
        maybe_number(standing.confirmed_at_tip, "block")?.into(),
    ])
}

/// Appends the events of `changes` in their order.
async fn append_events(
    connection: &mut AnyConnection,
    changes: &[OrderChange],
    (changed, booked): (&BTreeMap<OrderId, Changed>, &BTreeMap<OrderId, Vec<Booked>>),
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut events = Vec::new();
    for change in changes {
        let Some(Changed { told, terms }) = changed.get(&change.order_id) else {
            continue;
        };
        let booked = booked.get(&change.order_id).into_iter().flatten();
        let payments = booked.map(|booked| booked.after(change)).collect();
        let then = then(*terms, payments, &change.snapshot);
        let about: Vec<_> = change.events.iter().map(|event| event.payment).collect();
        let texts = kept(&then, &about).into_iter();
        let places = told.saturating_add(1)..;
        for ((event, then), order_seq) in change.events.iter().zip(texts).zip(places) {
            events.push(NewEvent {
                seq: 0,
                order_id: change.order_id,
                order_seq,
                event,
                snapshot: &change.snapshot,
                told_before: *told,
                then,
                at,
            });
        }
    }
    if events.is_empty() {
        return Ok(());
    }
    let count = number(u64::try_from(events.len()).unwrap_or(u64::MAX), "events")?;
    let last = take_event_numbers(connection, count).await?;
    let first = last.saturating_sub(count).saturating_add(1);
    for (event, seq) in events.iter_mut().zip(first..) {
        event.seq = seq;
    }
    append(connection, &events).await
}
