//! Many orders with their whole history in few statements, so that benchmarks find large books.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{
    Event, EventKind, MethodKind, OrderId, PaymentState, Place, Snapshot, Timestamp, Transfer,
};
use sqlx::{AnyConnection, Executor as _};

use crate::batch::{Value, insert};
use crate::checkout;
use crate::commit::transfer_row;
use crate::create::rows::{Fresh, insert_belongings, insert_orders};
use crate::create::{FIRST_VERSION, note_setback};
use crate::error::{StoreError, failed};
use crate::events::then::{Terms, kept, then};
use crate::events::{NewEvent, append};
use crate::fields::{maybe_number, number};
use crate::record::{NewOrder, OrderChange, PaymentThen};
use crate::store::{Store, commit, take_event_numbers};

/// An order and all that has become of it.
#[derive(Clone, Debug)]
pub struct History {
    /// How it was made. Exact amounts are not supported.
    pub new: NewOrder,
    /// Its payments, all on their chains, and when they were seen.
    pub transfers: Vec<(Transfer, Timestamp)>,
    /// What it became, one after the other.
    pub changes: Vec<(OrderChange, Timestamp)>,
}

impl Store {
    /// Gathers the statistics by which the database plans: PostgreSQL does so by itself after a
    /// while, SQLite only when it is told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn analyze(&self) -> Result<(), StoreError> {
        let mut connection = self.writers().acquire().await.map_err(failed("connect"))?;
        let analyzed = connection.execute("ANALYZE").await;
        analyzed.map(drop).map_err(failed("gather statistics"))
    }

    /// Writes the rows that [`Self::create_order`] and [`Self::commit_update`] leave behind when
    /// they tell `histories` one after the other, except those of chains.
    ///
    /// # Errors
    /// When the database fails, a reference is taken, orders do not come in the order in which
    /// they were made, or a history contradicts itself.
    pub async fn fill(&self, histories: &[History]) -> Result<(), StoreError> {
        let Some(first) = histories.first() else {
            return Ok(());
        };
        let start = Snapshot::new();
        check(histories)?;
        let mut tx = self.write().await?;
        let total = histories.iter().map(events_in).fold(0, i64::saturating_add);
        let last = take_event_numbers(&mut tx, total).await?;
        // The others were made later.
        note_setback(&mut tx, first.new.order.created_at).await?;
        let mut orders = Vec::with_capacity(histories.len());
        let mut seq = last.saturating_sub(total).saturating_add(1);
        for history in histories {
            orders.push(fresh(history, seq, &start)?);
            seq = seq.saturating_add(events_in(history));
        }
        if insert_orders(&mut tx, &orders).await? != orders.len() {
            return Err(StoreError::refused("a reference is taken"));
        }
        insert_belongings(&mut tx, &orders).await?;
        insert_transfers(&mut tx, histories).await?;
        let created = Event {
            kind: EventKind::OrderCreated,
            payment: None,
        };
        let events: Vec<NewEvent<'_>> = histories
            .iter()
            .zip(&orders)
            .flat_map(|(history, fresh)| events(history, fresh.seq, &created, &start))
            .collect();
        append(&mut tx, &events).await?;
        commit(tx).await
    }
}

/// What a single history cannot tell of itself, and the order of all.
fn check(histories: &[History]) -> Result<(), StoreError> {
    let times = histories.iter().map(|history| history.new.order.created_at);
    if !times.is_sorted() {
        return Err(StoreError::refused("orders come before older ones"));
    }
    for History {
        new,
        transfers,
        changes,
    } in histories
    {
        let id = new.order.id;
        let mut methods = new.order.options.iter().map(|option| option.method.kind());
        if !new.slots.is_empty() || methods.any(|method| method == MethodKind::ExactAmount) {
            return Err(StoreError::refused(format!("order {id} has exact amounts")));
        }
        let paid: BTreeSet<_> = transfers.iter().map(|(transfer, _)| transfer.id).collect();
        let named: BTreeSet<_> = changes
            .last()
            .into_iter()
            .flat_map(|(change, _)| change.snapshot.payments.keys().copied())
            .collect();
        if paid != named {
            let what = format!("the last change of order {id} names other payments than it has");
            return Err(StoreError::refused(what));
        }
    }
    Ok(())
}

/// How many events a history tells.
fn events_in(history: &History) -> i64 {
    let changes = history.changes.iter();
    let told = changes.map(|(change, _)| change.events.len());
    i64::try_from(told.fold(1, usize::saturating_add)).unwrap_or(i64::MAX)
}

fn fresh<'a>(
    History { new, changes, .. }: &'a History,
    seq: i64,
    start: &'a Snapshot,
) -> Result<Fresh<'a>, StoreError> {
    let made = (start, new.order.created_at);
    let (snapshot, updated_at) = changes
        .last()
        .map_or(made, |(change, at)| (&change.snapshot, *at));
    let changed = number(u64::try_from(changes.len()).unwrap_or(u64::MAX), "changes")?;
    let told: usize = changes.iter().map(|(change, _)| change.events.len()).sum();
    let told = number(u64::try_from(told).unwrap_or(u64::MAX), "events")?;
    Ok(Fresh {
        order: &new.order,
        request_digest: &new.request_digest,
        seq,
        checkout: checkout::mint(),
        snapshot,
        version: FIRST_VERSION.saturating_add(changed),
        event_count: told.saturating_add(1),
        updated_at,
    })
}

/// The events of a history whose first has the number `seq`.
fn events<'a>(
    history: &'a History,
    seq: i64,
    created: &'a Event,
    start: &'a Snapshot,
) -> Vec<NewEvent<'a>> {
    let order = &history.new.order;
    let terms = Terms::of(order);
    let mut events: Vec<NewEvent<'a>> = Vec::new();
    let mut tell = |told: &[&'a Event], snapshot: &'a Snapshot, at| {
        let then = then(terms, payments(history, snapshot), snapshot);
        let about: Vec<_> = told.iter().map(|event| event.payment).collect();
        let told_before = i64::try_from(events.len()).unwrap_or(i64::MAX);
        let places = told_before.saturating_add(1)..;
        for ((event, then), place) in told.iter().zip(kept(&then, &about)).zip(places) {
            events.push(NewEvent {
                seq: seq.saturating_add(place).saturating_sub(1),
                order_id: order.id,
                order_seq: place,
                event,
                snapshot,
                told_before,
                then,
                at,
            });
        }
    };
    tell(&[created], start, order.created_at);
    for (change, at) in &history.changes {
        let told: Vec<&Event> = change.events.iter().collect();
        tell(&told, &change.snapshot, *at);
    }
    events
}

/// The payments of `snapshot`, oldest first.
fn payments(history: &History, snapshot: &Snapshot) -> Vec<PaymentThen> {
    let mut named: Vec<_> = history
        .transfers
        .iter()
        .filter_map(|(transfer, at)| Some((transfer, at, *snapshot.payments.get(&transfer.id)?)))
        .collect();
    named.sort_by_key(
        |(
            Transfer {
                id, block_number, ..
            },
            at,
            _,
        )| {
            (
                **at,
                id.chain_id,
                *block_number,
                id.log_index,
                id.block_hash,
            )
        },
    );
    let then = named.into_iter().map(|(transfer, _, state)| PaymentThen {
        id: transfer.payment_id(),
        state: Some(state),
        is_late: snapshot.late.contains(&transfer.id),
    });
    then.collect()
}

async fn insert_transfers(
    connection: &mut AnyConnection,
    histories: &[History],
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for history in histories {
        let Some((last, _)) = history.changes.last() else {
            continue;
        };
        for (transfer, at) in &history.transfers {
            rows.push(final_row(transfer, history.new.order.id, *at, last)?);
        }
    }
    let before = "INSERT INTO transfers (chain_id, block_hash, log_index, payment_id, order_id, \
        block_number, block_timestamp, tx_hash, token, sender, recipient, amount, state, \
        detected_at, canonical, is_late, waits_for, paid_receiver, paid_payer, paid_ref, \
        confirmed_at_tip)";
    insert(connection, &rows, before, "", "write transfers")
        .await
        .map(drop)
}

/// The row of a transfer as the order's last change left it.
fn final_row(
    transfer: &Transfer,
    order: OrderId,
    at: Timestamp,
    last: &OrderChange,
) -> Result<[Value; 21], StoreError> {
    let [
        chain,
        block,
        log,
        payment,
        order,
        height,
        time,
        transaction,
        token,
        sender,
        recipient,
        amount,
        _,
        detected,
        canonical,
        _,
        waits_for,
        receiver,
        payer,
        order_ref,
    ] = transfer_row(transfer, Place::Order(order), at)?;
    let states: &BTreeMap<_, PaymentState> = &last.snapshot.payments;
    let state = states
        .get(&transfer.id)
        .ok_or_else(|| StoreError::refused("a payment is not named"))?;
    let tip = last.confirmed_at_tip.get(&transfer.id).copied();
    let waits_for = if *state == PaymentState::Seen {
        waits_for
    } else {
        Value::Number(None)
    };
    Ok([
        chain,
        block,
        log,
        payment,
        order,
        height,
        time,
        transaction,
        token,
        sender,
        recipient,
        amount,
        state.name().into(),
        detected,
        canonical,
        last.snapshot.late.contains(&transfer.id).into(),
        waits_for,
        receiver,
        payer,
        order_ref,
        maybe_number(tip, "block")?.into(),
    ])
}
