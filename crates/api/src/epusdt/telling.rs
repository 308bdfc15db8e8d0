//! What a plugin for epusdt is told: that its order is complete, and nothing else. That contract has no
//! word for what comes undone.

use paywatch_core::EventKind;
use paywatch_store::EventRecord;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::events::then::Known;
use crate::wire::address;

/// What the merchant's note of such an order is called that holds the amount in the shop's currency.
pub(super) const AMOUNT: &str = "epusdtAmount";
/// Paid, in epusdt's words.
const PAID: u8 = 2;

/// The message of that contract, still without its signature.
#[derive(Serialize)]
struct Body<'a> {
    trade_id: &'a str,
    order_id: &'a str,
    amount: &'a RawValue,
    actual_amount: &'a RawValue,
    token: &'a str,
    block_transaction_id: &'a str,
    status: u8,
}

/// What `event` is to such a plugin, and what is signed of it; `None` if it is nothing.
pub(crate) fn telling(event: &EventRecord, known: &Known<'_>) -> Option<(String, String)> {
    let told = event.of_order()?;
    if told.event.kind != EventKind::OrderCompleted {
        return None;
    }
    let then = known.order(told, event.at)?.record;
    let order = &then.order;
    let mut payments = then.payments.iter().rev();
    let last = payments.find(|payment| payment.reverted_at.is_none())?;
    let transfer = &last.recorded.transfer;
    let option = order.option_for(transfer)?;
    let (trade_id, order_id) = (order.id.to_string(), order.reference.to_string());
    let asked = option.asks(order.amount).to_string();
    let amount = order.metadata.get(AMOUNT).unwrap_or(&asked);
    let token = address(transfer.id.chain_id, transfer.to);
    let tx_hash = transfer.tx_hash.to_string();
    let signed_as = format!(
        "actual_amount={asked}&amount={amount}&block_transaction_id={tx_hash}&order_id={order_id}\
         &status={PAID}&token={token}&trade_id={trade_id}"
    );
    let number = |text: &str| RawValue::from_string(text.to_owned()).ok();
    let body = serde_json::to_string(&Body {
        trade_id: &trade_id,
        order_id: &order_id,
        amount: &number(amount)?,
        actual_amount: &number(&asked)?,
        token: &token,
        block_transaction_id: &tx_hash,
        status: PAID,
    });
    Some((body.ok()?, signed_as))
}
