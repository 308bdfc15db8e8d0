//! Amounts that are taken at wallets which many orders share.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{
    Address, Amount, OrderId, PaymentMethod, PaymentOption, Slot, Timestamp, Transfer, TransferId,
};
use sqlx::AnyConnection;

use crate::batch::{Statement, Value, insert, rows_of};
use crate::error::{StoreError, failed};
use crate::fields::{Fields, address, chain_number};
use crate::record::{NewOrder, OrderChange, SlotWish};

/// By how much the clock of a chain may be behind ours: a payment that is older than an order by
/// more than this is not the order's.
const SKEW_MS: i64 = 120_000;

/// The ways to pay `new` by an exact amount, for all that it wishes; `Err` names the first wish
/// for which no amount is free. Whoever calls this holds the lock of the events' counter, so
/// nobody else takes a slot meanwhile.
pub(crate) async fn choose<'a>(
    connection: &mut AnyConnection,
    new: &'a NewOrder,
) -> Result<Result<Vec<PaymentOption>, &'a SlotWish>, StoreError> {
    let amount = new.order.amount;
    let mut options = Vec::with_capacity(new.slots.len());
    for wish in &new.slots {
        let mut best: Option<(Slot, Address)> = None;
        for wallet in &wish.wallets {
            let taken = taken(connection, wish, wallet, amount).await?;
            let slot = wish.terms.choose(amount, wish.tolerance, &taken);
            let is_better = |slot: &Slot| best.is_none_or(|(best, _)| slot.high() < best.high());
            if let Some(slot) = slot.filter(is_better) {
                best = Some((slot, *wallet));
            }
        }
        let Some((slot, wallet)) = best else {
            return Ok(Err(wish));
        };
        options.push(PaymentOption {
            token: wish.token.clone(),
            address: wallet,
            method: PaymentMethod::ExactAmount { slot },
            finality: wish.finality,
        });
    }
    Ok(Ok(options))
}

/// The slots near `asked` that are not free yet by the time of their chain.
async fn taken(
    connection: &mut AnyConnection,
    wish: &SlotWish,
    wallet: &Address,
    asked: Amount,
) -> Result<Vec<Slot>, StoreError> {
    let highest = asked
        .checked_add(wish.terms.max_surcharge())
        .unwrap_or(Amount::MAX);
    let mut statement = Statement::new("SELECT low, high FROM amount_slots WHERE chain_id = ");
    statement
        .bind(chain_number(wish.token.chain_id)?)
        .push(" AND address = ")
        .bind(address(wallet))
        .push(" AND token = ")
        .bind(address(&wish.token.address))
        .push(" AND high >= ")
        .bind(asked.less(wish.tolerance).to_sortable())
        .push(" AND low <= ")
        .bind(highest.to_sortable())
        .push(
            " AND (free_at IS NULL OR free_at > COALESCE((SELECT covered_time FROM chains \
             WHERE chains.chain_id = amount_slots.chain_id), 0))",
        );
    let rows = statement.rows(connection, "read taken amounts").await?;
    rows.iter()
        .map(|row| slot(Fields::of(row, "amount_slots", "high")))
        .collect()
}

fn slot(fields: Fields<'_>) -> Result<Slot, StoreError> {
    let amount = |column| {
        Amount::from_sortable(&fields.text(column)?).map_err(|cause| fields.corrupt(column, cause))
    };
    Slot::new(amount("low")?, amount("high")?).map_err(|cause| fields.corrupt("low", cause))
}

/// Takes the slots of a new order. Those of other orders that are free make room.
pub(crate) async fn take(
    connection: &mut AnyConnection,
    new: &NewOrder,
    options: &[PaymentOption],
) -> Result<(), StoreError> {
    let mut rows: Vec<[Value; 8]> = Vec::with_capacity(options.len());
    for (wish, option) in new.slots.iter().zip(options) {
        let PaymentMethod::ExactAmount { slot } = &option.method else {
            continue;
        };
        let key = [
            Value::from(chain_number(option.token.chain_id)?),
            address(&option.address).into(),
            address(&option.token.address).into(),
        ];
        let (low, high) = (slot.low().to_sortable(), slot.high().to_sortable());
        let mut make_room =
            Statement::new("DELETE FROM amount_slots WHERE (chain_id, address, token) = (");
        make_room
            .bind_list(key.iter().cloned())
            .push(") AND low <= ")
            .bind(high.clone())
            .push(" AND high >= ")
            .bind(low.clone());
        make_room.rows(connection, "free amounts").await?;
        let [chain, wallet, token] = key;
        rows.push([
            chain,
            wallet,
            token,
            low.into(),
            high.into(),
            new.order.id.to_string().into(),
            new.order.created_at.unix_ms().into(),
            wish.terms.quarantine_ms().into(),
        ]);
    }
    let before = "INSERT INTO amount_slots (chain_id, address, token, low, high, order_id, \
        taken_at, quarantine_ms)";
    insert(connection, &rows, before, "", "take amounts").await?;
    Ok(())
}

/// Keeps the slots of the orders that changed for as long as they may be paid, and from then on
/// until their quarantine is over. The last thing that a transaction does: whoever makes an order
/// locks the events' counter first and slots after it.
pub(crate) async fn keep(
    connection: &mut AnyConnection,
    changes: &[OrderChange],
) -> Result<(), StoreError> {
    let orders: BTreeSet<OrderId> = changes.iter().map(|change| change.order_id).collect();
    let orders: Vec<String> = orders.iter().map(ToString::to_string).collect();
    let before = "UPDATE amount_slots SET free_at = CASE WHEN (SELECT status FROM orders \
        WHERE orders.id = amount_slots.order_id) IN ('completed', 'expired', 'cancelled') \
        THEN COALESCE(free_at, (SELECT covered_time FROM chains \
        WHERE chains.chain_id = amount_slots.chain_id) + quarantine_ms) END WHERE order_id IN";
    rows_of(connection, &orders, before, "", "keep amounts").await?;
    Ok(())
}

/// Whether all slots of an order are still its own: another may have taken one that was free.
pub(crate) async fn are_held(
    connection: &mut AnyConnection,
    order: OrderId,
) -> Result<bool, StoreError> {
    let missing: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM order_options WHERE order_id = $1 AND method = 'exact_amount' \
         AND NOT EXISTS (SELECT 1 FROM amount_slots WHERE amount_slots.order_id = $1 \
         AND amount_slots.chain_id = order_options.chain_id \
         AND amount_slots.address = order_options.address \
         AND amount_slots.token = order_options.token)",
    )
    .bind(order.to_string())
    .fetch_one(connection)
    .await
    .map_err(failed("look for amounts"))?;
    Ok(missing == 0)
}

/// Whose slots `transfers` pay.
pub(crate) async fn owners<'a>(
    connection: &mut AnyConnection,
    transfers: impl Iterator<Item = &'a Transfer>,
) -> Result<BTreeMap<TransferId, OrderId>, StoreError> {
    let mut owners = BTreeMap::new();
    for transfer in transfers {
        let row = sqlx::query(
            "SELECT low, high, order_id, taken_at FROM amount_slots WHERE chain_id = $1 \
             AND address = $2 AND token = $3 AND high >= $4 ORDER BY high LIMIT 1",
        )
        .bind(chain_number(transfer.id.chain_id)?)
        .bind(address(&transfer.to))
        .bind(address(&transfer.token))
        .bind(transfer.amount.to_sortable())
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed("look for an amount"))?;
        let Some(row) = row else { continue };
        let fields = Fields::of(&row, "amount_slots", "high");
        let taken_at: Timestamp = fields.time("taken_at")?;
        let is_of_the_time = transfer
            .block_timestamp
            .plus_ms(SKEW_MS)
            .is_none_or(|latest| latest >= taken_at);
        if is_of_the_time && slot(fields)?.takes(transfer.amount) {
            owners.insert(transfer.id, fields.parsed("order_id")?);
        }
    }
    Ok(owners)
}
