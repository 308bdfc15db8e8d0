//! Orders with all that belongs to them, many in few statements.

use std::collections::BTreeMap;

use paywatch_core::{
    ContractPayment, Decimals, FinalityRule, MethodKind, Order, OrderId, PaymentMethod,
    PaymentOption, RecordedTransfer, Slot, Snapshot, Token, Transfer,
};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::batch::rows_of;
use crate::error::StoreError;
use crate::fields::Fields;
use crate::record::{OrderRecord, PaymentRecord};
use crate::refunds;

/// What is read of an order, and `$besides`.
macro_rules! orders {
    ($besides:literal) => {
        concat!(
            "SELECT id, reference, amount, tolerance, late_policy, created_at, expires_at, \
             cancelled_at, status, flags, received, counted, confirmed, excess, version, seq, \
             updated_at, asking, accepted, refunded, grace_ms, checkout_token, \
             CASE WHEN EXISTS (SELECT 1 FROM order_metadata \
             WHERE order_metadata.order_id = orders.id) THEN 1 ELSE 0 END AS has_notes, \
             CASE WHEN EXISTS (SELECT 1 FROM transfers \
             WHERE transfers.order_id = orders.id) THEN 1 ELSE 0 END AS has_payments, \
             CASE WHEN EXISTS (SELECT 1 FROM refunds \
             WHERE refunds.order_id = orders.id) THEN 1 ELSE 0 END AS has_refunds",
            $besides,
            " FROM orders WHERE id IN"
        )
    };
}
const ORDERS: &str = orders!("");
/// With whether anything came to an order's own addresses that is no money.
const WHOLE_ORDERS: &str = orders!(
    ", CASE WHEN EXISTS (SELECT 1 FROM look_alikes WHERE look_alikes.recipient IN \
     (SELECT own.address FROM order_options AS own WHERE own.order_id = orders.id \
     AND own.factory IS NOT NULL)) THEN 1 ELSE 0 END AS has_look_alikes"
);
const OPTIONS: &str = "SELECT order_id, chain_id, token, symbol, decimals, address, method, \
    factory, treasury, receiver, slot_low, slot_high, min_confirmations, finality_tag, proof \
    FROM order_options WHERE order_id IN";
const METADATA: &str = "SELECT order_id, name, value FROM order_metadata WHERE order_id IN";
const TRANSFERS: &str = "SELECT order_id, chain_id, block_hash, log_index, block_number, \
    block_timestamp, tx_hash, token, sender, recipient, amount, canonical, confirmed_at_tip, \
    proof, state, is_late, detected_at, reverted_at, assigned_confirmations, assigned_tag, \
    assigned_proof, paid_receiver, paid_payer, paid_ref FROM transfers WHERE order_id IN";

/// The orders that have more than themselves and the ways to pay them: most have nothing else, and
/// are not looked for there.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rest {
    with_notes: Vec<String>,
    with_payments: Vec<String>,
    with_refunds: Vec<String>,
}

impl Rest {
    fn note(&mut self, fields: Fields<'_>) -> Result<(), StoreError> {
        for (column, orders) in [
            ("has_notes", &mut self.with_notes),
            ("has_payments", &mut self.with_payments),
            ("has_refunds", &mut self.with_refunds),
        ] {
            if fields.flag(column)? {
                orders.push(fields.text("id")?);
            }
        }
        Ok(())
    }
}

/// The orders of `ids` that exist.
pub(crate) async fn load_orders(
    connection: &mut AnyConnection,
    ids: impl IntoIterator<Item = OrderId>,
) -> Result<BTreeMap<OrderId, OrderRecord>, StoreError> {
    load(connection, ids, ORDERS, |_, _| Ok(())).await
}

/// The orders of `ids` that exist, and to which of them anything came that is no money.
pub(crate) async fn load_whole_orders(
    connection: &mut AnyConnection,
    ids: &[OrderId],
) -> Result<(BTreeMap<OrderId, OrderRecord>, Vec<OrderId>), StoreError> {
    let mut with_look_alikes = Vec::new();
    let note = |id, fields: Fields<'_>| {
        if fields.flag("has_look_alikes")? {
            with_look_alikes.push(id);
        }
        Ok(())
    };
    let records = load(connection, ids.iter().copied(), WHOLE_ORDERS, note).await?;
    Ok((records, with_look_alikes))
}

/// The orders of `ids` that exist, as `statement` finds them. Their rows are given to `note`.
async fn load(
    connection: &mut AnyConnection,
    ids: impl IntoIterator<Item = OrderId>,
    statement: &'static str,
    mut note: impl FnMut(OrderId, Fields<'_>) -> Result<(), StoreError>,
) -> Result<BTreeMap<OrderId, OrderRecord>, StoreError> {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    let (mut records, mut rest) = (BTreeMap::new(), Rest::default());
    for row in rows_of(connection, &ids, statement, "", "read orders").await? {
        let fields = Fields::of(&row, "orders", "id");
        rest.note(fields)?;
        let record = order(fields)?;
        note(record.order.id, fields)?;
        records.insert(record.order.id, record);
    }
    add_rest(connection, &ids, &mut records, rest).await?;
    Ok(records)
}

/// Adds what lies in other tables to the orders of `ids`.
async fn add_rest(
    connection: &mut AnyConnection,
    ids: &[String],
    records: &mut BTreeMap<OrderId, OrderRecord>,
    rest: Rest,
) -> Result<(), StoreError> {
    let by_position = "ORDER BY order_id, position";
    for row in rows_of(
        connection,
        ids,
        OPTIONS,
        by_position,
        "read payment options",
    )
    .await?
    {
        let fields = Fields::of(&row, "order_options", "order_id");
        let option = option(fields)?;
        owner(records, fields)?.order.options.push(option);
    }
    for row in rows_of(connection, &rest.with_notes, METADATA, "", "read metadata").await? {
        let fields = Fields::of(&row, "order_metadata", "order_id");
        let (name, value) = (fields.text("name")?, fields.text("value")?);
        owner(records, fields)?.order.metadata.insert(name, value);
    }
    for row in rows_of(
        connection,
        &rest.with_payments,
        TRANSFERS,
        "",
        "read payments",
    )
    .await?
    {
        add_payment(records, &row)?;
    }
    for refund in refunds::of_orders(connection, &rest.with_refunds).await? {
        let recorded = refund.recorded;
        if let Some(record) = records.get_mut(&recorded.refund.order) {
            let id = recorded.refund.id;
            record.snapshot.refunds.insert(id, refund.state);
            record.refunds.push(recorded);
        }
    }
    for record in records.values_mut() {
        record.payments.sort_by_key(|payment| {
            let transfer = &payment.recorded.transfer;
            let id = transfer.id;
            (
                payment.detected_at,
                id.chain_id,
                transfer.block_number,
                id.log_index,
                id.block_hash,
            )
        });
    }
    Ok(())
}

/// The order that a row belongs to.
fn owner<'a>(
    records: &'a mut BTreeMap<OrderId, OrderRecord>,
    fields: Fields<'_>,
) -> Result<&'a mut OrderRecord, StoreError> {
    let id: OrderId = fields.parsed("order_id")?;
    records
        .get_mut(&id)
        .ok_or_else(|| fields.corrupt("order_id", format!("there is no order {id}")))
}

/// An order without what lies in other tables.
fn order(fields: Fields<'_>) -> Result<OrderRecord, StoreError> {
    // The books hold when it closes, by which orders are found that are due.
    let grace_ms: u32 = fields.number("grace_ms")?;
    let expires_at = fields
        .time("expires_at")?
        .plus_ms(i64::from(grace_ms).saturating_neg())
        .ok_or_else(|| fields.corrupt("grace_ms", "it is longer than there is time"))?;
    Ok(OrderRecord {
        order: Order {
            id: fields.parsed("id")?,
            reference: fields.parsed("reference")?,
            amount: fields.parsed("amount")?,
            asking: fields.parsed("asking")?,
            accepted: fields.maybe_parsed("accepted")?,
            tolerance: fields.parsed("tolerance")?,
            late_policy: fields.parsed("late_policy")?,
            options: Vec::new(),
            created_at: fields.time("created_at")?,
            expires_at,
            grace_ms,
            cancelled_at: fields.maybe_time("cancelled_at")?,
            metadata: BTreeMap::new(),
        },
        snapshot: Snapshot {
            status: fields.parsed("status")?,
            flags: fields.flags("flags")?,
            received: fields.parsed("received")?,
            counted: fields.parsed("counted")?,
            confirmed: fields.parsed("confirmed")?,
            excess: fields.parsed("excess")?,
            refunded: fields.parsed("refunded")?,
            ..Snapshot::new()
        },
        version: fields.number("version")?,
        seq: fields.number("seq")?,
        checkout: fields.maybe_parsed("checkout_token")?,
        updated_at: fields.time("updated_at")?,
        payments: Vec::new(),
        refunds: Vec::new(),
    })
}

fn option(fields: Fields<'_>) -> Result<PaymentOption, StoreError> {
    let method = match fields.parsed("method")? {
        MethodKind::DepositAddress => PaymentMethod::DepositAddress {
            factory: fields.parsed("factory")?,
            treasury: fields.parsed("treasury")?,
        },
        MethodKind::Contract => PaymentMethod::Contract {
            receiver: fields.parsed("receiver")?,
        },
        MethodKind::ExactAmount => PaymentMethod::ExactAmount {
            slot: Slot::new(fields.parsed("slot_low")?, fields.parsed("slot_high")?)
                .map_err(|cause| fields.corrupt("slot_low", cause))?,
        },
    };
    let decimals = Decimals::new(fields.number("decimals")?)
        .map_err(|cause| fields.corrupt("decimals", cause))?;
    let confirmations = FinalityRule::confirmations(fields.number("min_confirmations")?)
        .map_err(|cause| fields.corrupt("min_confirmations", cause))?;
    let proved = confirmations.and_proof(fields.parsed("proof")?);
    let finality = match fields.maybe_parsed("finality_tag")? {
        Some(tag) => proved.and_tag(tag),
        None => proved,
    };
    Ok(PaymentOption {
        token: Token {
            chain_id: fields.chain_id("chain_id")?,
            address: fields.parsed("token")?,
            symbol: fields.text("symbol")?,
            decimals,
        },
        address: fields.parsed("address")?,
        method,
        finality,
    })
}

fn add_payment(
    records: &mut BTreeMap<OrderId, OrderRecord>,
    row: &AnyRow,
) -> Result<(), StoreError> {
    let fields = Fields::of(row, "transfers", "block_hash");
    let payment = payment(fields)?;
    let is_canonical = fields.flag("canonical")?;
    if is_canonical == payment.reverted_at.is_some() {
        return Err(fields.corrupt("reverted_at", "it contradicts canonical"));
    }
    let record = owner(records, fields)?;
    if is_canonical {
        let id = payment.recorded.transfer.id;
        record.snapshot.payments.insert(id, payment.state);
        if payment.is_late {
            record.snapshot.late.insert(id);
        }
    }
    record.payments.push(payment);
    Ok(())
}

fn payment(fields: Fields<'_>) -> Result<PaymentRecord, StoreError> {
    Ok(PaymentRecord {
        recorded: recorded(fields)?,
        state: fields.parsed("state")?,
        is_late: fields.flag("is_late")?,
        detected_at: fields.time("detected_at")?,
        reverted_at: fields.maybe_time("reverted_at")?,
    })
}

/// A transfer with what is recorded about it.
pub(crate) fn recorded(fields: Fields<'_>) -> Result<RecordedTransfer, StoreError> {
    Ok(RecordedTransfer {
        transfer: Transfer {
            id: fields.transfer_id()?,
            block_number: fields.number("block_number")?,
            block_timestamp: fields.time("block_timestamp")?,
            tx_hash: fields.parsed("tx_hash")?,
            token: fields.parsed("token")?,
            from: fields.parsed("sender")?,
            to: fields.parsed("recipient")?,
            amount: fields.parsed("amount")?,
            paid_through: paid_through(fields)?,
        },
        confirmed_at_tip: fields.maybe_number("confirmed_at_tip")?,
        proof: fields.parsed("proof")?,
        assigned: assigned(fields)?,
    })
}

/// What the payment receiver said of a transfer.
fn paid_through(fields: Fields<'_>) -> Result<Option<ContractPayment>, StoreError> {
    let Some(receiver) = fields.maybe_parsed("paid_receiver")? else {
        return Ok(None);
    };
    Ok(Some(ContractPayment {
        receiver,
        payer: fields.parsed("paid_payer")?,
        order_ref: fields.parsed("paid_ref")?,
    }))
}

/// When a transfer is confirmed that an operator gave to its order.
pub(crate) fn assigned(fields: Fields<'_>) -> Result<Option<FinalityRule>, StoreError> {
    let Some(confirmations) = fields.maybe_number("assigned_confirmations")? else {
        return Ok(None);
    };
    let rule = FinalityRule::confirmations(confirmations)
        .map_err(|cause| fields.corrupt("assigned_confirmations", cause))?;
    let rule = rule.and_proof(fields.maybe_parsed("assigned_proof")?.unwrap_or_default());
    Ok(Some(match fields.maybe_parsed("assigned_tag")? {
        Some(tag) => rule.and_tag(tag),
        None => rule,
    }))
}
