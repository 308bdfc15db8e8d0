//! How an order is paid by calling the payment receiver.

use paywatch_contracts::erc20;
use paywatch_contracts::receiver::Payment;
use paywatch_core::{Address, ChainId, Order, PaymentOption, U256};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::address;

/// The calls by which a payer's wallet pays: first the allowance, then the payment.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ContractCall)]
pub(crate) struct CallView {
    /// The payment receiver. Never send money to it: call it.
    receiver: String,
    /// What the receiver knows the order by.
    #[schema(example = "0x0190a6d2b3c47e5f8a9b0c1d2e3f4a5b00000000000000000000000000000000")]
    order_ref: String,
    /// Lets the receiver take the amount. A wallet that had allowed it something else before must
    /// set that to 0 first, if the token is USDT on Ethereum.
    pub(crate) approve: TransactionView,
    /// Pays: the receiver passes the money on to your treasury in the same transaction.
    pub(crate) pay: TransactionView,
}

/// A transaction for a wallet to send.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Transaction)]
pub(crate) struct TransactionView {
    /// Its recipient.
    pub(crate) to: String,
    /// Its data, in hex.
    pub(crate) data: String,
    /// What it carries of the chain's own coin: nothing.
    #[schema(example = "0")]
    value: &'static str,
}

impl CallView {
    /// The payment as a URI (EIP-681).
    pub(crate) fn uri(&self, chain: ChainId, treasury: &str, token: &str, units: &U256) -> String {
        let Self {
            receiver,
            order_ref,
            ..
        } = self;
        format!(
            "ethereum:{receiver}@{chain}/pay?address={treasury}&bytes32={order_ref}\
             &address={token}&uint256={units}"
        )
    }
}

/// The calls that pay `order` by `way`, whose receiver is `receiver`, with `units`.
pub(crate) fn call(order: &Order, way: &PaymentOption, receiver: Address, units: U256) -> CallView {
    let token = &way.token;
    let written = |of| address(token.chain_id, of);
    let payment = Payment {
        treasury: way.address,
        order_ref: order.id.to_contract_ref(),
        token: token.address,
        amount: units,
    };
    let transaction = |to, data: String| TransactionView {
        to: written(to),
        data,
        value: "0",
    };
    CallView {
        receiver: written(receiver),
        order_ref: payment.order_ref.to_string(),
        approve: transaction(token.address, erc20::approve(receiver, units).to_string()),
        pay: transaction(receiver, payment.pay().to_string()),
    }
}
