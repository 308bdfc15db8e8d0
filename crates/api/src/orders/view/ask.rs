//! What a payer is to send for an order, and where to. Pure.

use paywatch_core::{
    AddressForm, Amount, Order, OrderStatus, PaymentMethod, PaymentOption, Timestamp, U256,
};
use paywatch_store::OrderRecord;

use crate::orders::view::call::{CallView, call};
use crate::wire::address;

/// What a payer is to send.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// How much.
    pub(crate) amount: Amount,
    /// The same as the token counts it.
    pub(crate) units: U256,
    /// Where to; with `contract`, where it arrives.
    pub(crate) address: String,
    /// All of it as a URI for wallets (EIP-681); on Tron, which has none, the address alone.
    pub(crate) uri: String,
    /// With `contract`, the calls that pay.
    pub(crate) call: Option<CallView>,
}

/// What a QR code may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Content {
    /// All of it, for wallets.
    #[default]
    Uri,
    /// The address alone.
    Address,
}

impl Ask {
    /// The text of a QR code; none where a transfer to the address would pay nothing.
    pub(crate) fn text(&self, content: Content) -> Option<&str> {
        match (content, &self.call) {
            (Content::Uri, _) => Some(&self.uri),
            (Content::Address, None) => Some(&self.address),
            (Content::Address, Some(_)) => None,
        }
    }
}

/// What is to be sent to pay `amount` of `order` by `way`; `None` if the token cannot pay exactly
/// that.
pub(crate) fn ask(order: &Order, way: &PaymentOption, amount: Amount) -> Option<Ask> {
    let token = &way.token;
    let units = amount.to_base_units(token.decimals).ok()?;
    let written = |of| address(token.chain_id, of);
    let (contract, to) = (written(token.address), written(way.address));
    let call = match way.method {
        PaymentMethod::Contract { receiver } => Some(call(order, way, receiver, units)),
        PaymentMethod::DepositAddress { .. } | PaymentMethod::ExactAmount { .. } => None,
    };
    let uri = match (AddressForm::of(token.chain_id), &call) {
        (AddressForm::Tron, _) => to.clone(),
        (AddressForm::Eip55, None) => format!(
            "ethereum:{contract}@{}/transfer?address={to}&uint256={units}",
            token.chain_id
        ),
        (AddressForm::Eip55, Some(call)) => call.uri(token.chain_id, &to, &contract, &units),
    };
    Some(Ask {
        amount,
        units,
        address: to,
        uri,
        call,
    })
}

/// What is still to be sent for an order by `way`, in whole units of its token; `None` if the rest
/// cannot be paid so: an exact amount is known by being the whole.
pub(crate) fn due(record: &OrderRecord, way: &PaymentOption) -> Option<Ask> {
    let (order, counted) = (&record.order, record.snapshot.counted);
    let amount = match way.method {
        PaymentMethod::ExactAmount { .. } if !counted.is_zero() => return None,
        PaymentMethod::ExactAmount { .. } => way.asks(order.amount),
        PaymentMethod::DepositAddress { .. } | PaymentMethod::Contract { .. } => {
            order.remaining(counted).rounded_up(way.token.decimals)?
        },
    };
    ask(order, way, amount)
}

/// Whether money is wanted at `now`: nobody is shown where to pay after the deadline that he was
/// told, though what is on its way may still be in time.
pub(crate) fn is_payable(record: &OrderRecord, now: Timestamp) -> bool {
    match record.snapshot.status {
        OrderStatus::AwaitingPayment | OrderStatus::PartiallyPaid => now <= record.order.expires_at,
        OrderStatus::Paid
        | OrderStatus::Completed
        | OrderStatus::Expired
        | OrderStatus::Cancelled => false,
    }
}
