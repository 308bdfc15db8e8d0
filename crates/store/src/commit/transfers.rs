//! The transfers that an update brings and takes away.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{PaymentState, Place, Timestamp, Transfer, TransferId};
use sqlx::AnyConnection;

use crate::batch::{Value, insert};
use crate::commit::{Bereft, bereft_in};
use crate::error::{StoreError, failed};
use crate::fields::{address, chain_number, hash, number};
use crate::record::ChainCommit;

/// Marks the transfers above the retracted block as gone; returns who lost them.
pub(super) async fn retract(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<BTreeSet<Bereft>, StoreError> {
    let Some(above) = update.retract_above else {
        return Ok(BTreeSet::new());
    };
    let rows = sqlx::query(
        "UPDATE transfers SET canonical = 0, reverted_at = $3, confirmed_at_tip = NULL, \
         waits_for = NULL WHERE canonical = 1 AND chain_id = $1 AND block_number > $2 RETURNING order_id, state, payment_id",
    )
    .bind(chain_number(update.chain_id)?)
    .bind(number(above, "block")?)
    .bind(update.at.unix_ms())
    .fetch_all(connection)
    .await
    .map_err(failed("retract transfers"))?;
    bereft_in(&rows)
}

/// Writes the new transfers. One that had left its chain is back on it; one that is there already
/// stays as it is.
pub(super) async fn insert_all(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<(), StoreError> {
    let of_orders = update
        .transfers
        .iter()
        .map(|(transfer, order)| (transfer, Place::Order(*order)));
    let loose = update
        .loose
        .iter()
        .map(|(transfer, loose)| (transfer, Place::Loose(*loose)));
    let mut by_id: BTreeMap<TransferId, (&Transfer, Place)> = BTreeMap::new();
    for (transfer, place) in of_orders.chain(loose) {
        if transfer.id.chain_id != update.chain_id {
            return Err(StoreError::refused("a transfer is another chain's"));
        }
        let known = by_id.insert(transfer.id, (transfer, place));
        if known.is_some_and(|(_, other)| other != place) {
            return Err(StoreError::refused("a transfer is given to two places"));
        }
    }
    let mut rows = Vec::with_capacity(by_id.len());
    for (transfer, place) in by_id.into_values() {
        rows.push(transfer_row(transfer, place, update.at)?);
    }
    let before = "INSERT INTO transfers (chain_id, block_hash, log_index, payment_id, order_id, \
        block_number, block_timestamp, tx_hash, token, sender, recipient, amount, state, \
        detected_at, canonical, is_late, waits_for, paid_receiver, paid_payer, paid_ref)";
    // What was struck is told anew as it really is.
    let after = "ON CONFLICT (chain_id, block_hash, log_index) \
        DO UPDATE SET canonical = 1, reverted_at = NULL, state = excluded.state, \
        waits_for = excluded.waits_for, order_id = excluded.order_id, \
        block_timestamp = excluded.block_timestamp, tx_hash = excluded.tx_hash, \
        token = excluded.token, sender = excluded.sender, recipient = excluded.recipient, \
        amount = excluded.amount, paid_receiver = excluded.paid_receiver, \
        paid_payer = excluded.paid_payer, paid_ref = excluded.paid_ref WHERE transfers.canonical = 0";
    let written = insert(connection, &rows, before, after, "write transfers").await;
    written.map(drop)
}

/// A new transfer's columns. What it is to its order is set by the order's change.
pub(crate) fn transfer_row(
    transfer: &Transfer,
    place: Place,
    at: Timestamp,
) -> Result<[Value; 20], StoreError> {
    let chain = chain_number(transfer.id.chain_id)?;
    let paid = transfer.paid_through.as_ref();
    let (order, state, waits_for) = match place {
        Place::Order(order) => (
            Some(order.to_string()),
            PaymentState::Seen.name(),
            Some(chain),
        ),
        Place::Loose(loose) => (None, loose.name(), None),
    };
    Ok([
        chain.into(),
        hash(&transfer.id.block_hash).into(),
        number(transfer.id.log_index, "log index")?.into(),
        transfer.payment_id().to_string().into(),
        order.into(),
        number(transfer.block_number, "block")?.into(),
        transfer.block_timestamp.unix_ms().into(),
        hash(&transfer.tx_hash).into(),
        address(&transfer.token).into(),
        address(&transfer.from).into(),
        address(&transfer.to).into(),
        transfer.amount.to_string().into(),
        state.into(),
        at.unix_ms().into(),
        true.into(),
        false.into(),
        waits_for.into(),
        paid.map(|paid| address(&paid.receiver)).into(),
        paid.map(|paid| address(&paid.payer)).into(),
        paid.map(|paid| hash(&paid.order_ref)).into(),
    ])
}
