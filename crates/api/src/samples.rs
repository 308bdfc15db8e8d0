//! A shop on two chains, whose tokens have 6 and 18 decimals, and an order of its, for this crate's
//! tests.

use std::time::Duration;

use paywatch_core::{
    Address, Amount, ChainId, CheckoutToken, Decimals, FinalityRule, LatePolicy, MethodKind,
    OrderId, SlotTerms, Snapshot, Timestamp, Token, Tolerance,
};
use paywatch_store::OrderRecord;
use serde_json::{Map, Value, json};

use crate::orders::callbacks::Callbacks;
use crate::orders::request;
use crate::state::{ChainOffer, Shop};

/// Takes USDT on `anvil` (31337, 6 decimals) and `bnb` (56, 18 decimals).
pub(crate) fn shop() -> Shop {
    Shop {
        chains: vec![chain(31_337, "anvil", 6), chain(56, "bnb", 18)],
        default_expiry: Duration::from_secs(3_600),
        max_expiry: Duration::from_secs(86_400),
        grace: Duration::ZERO,
        late_policy: LatePolicy::Accept,
        tolerance: Tolerance::default(),
        tokens: None,
        methods: vec![MethodKind::DepositAddress],
        exact: SlotTerms::new(amount("0.01"), amount("0.05"), 60_000).expect("a step"),
        body_limit: 1_024,
    }
}

/// An order of 100, made at second 1,700,000,000, that may be paid for an hour on both chains, with
/// nothing paid.
pub(crate) fn record() -> OrderRecord {
    let object: Map<String, Value> =
        serde_json::from_value(json!({"reference": "INV-1001", "amount": "100"})).expect("a map");
    let made_at = Timestamp::from_unix_s(1_700_000_000).expect("a time");
    let shop = shop();
    let checked = request::read(&object, &shop, &Callbacks::default()).expect("a request");
    let order = checked.order(OrderId::from_bytes([7; 16]), made_at);
    OrderRecord {
        order: order.expect("an order").order,
        snapshot: Snapshot::new(),
        version: 1,
        seq: 1,
        checkout: Some(CheckoutToken::from_bytes([8; 16])),
        updated_at: made_at,
        payments: Vec::new(),
        refunds: Vec::new(),
    }
}

fn amount(text: &str) -> Amount {
    text.parse().expect("an amount")
}

fn chain(id: u64, name: &str, decimals: u8) -> ChainOffer {
    let id = ChainId::new(id).expect("a chain's id");
    ChainOffer {
        id,
        name: name.to_owned(),
        tokens: vec![Token {
            chain_id: id,
            address: Address::repeat_byte(0x55),
            symbol: "USDT".to_owned(),
            decimals: Decimals::new(decimals).expect("at most 18"),
        }],
        treasury: Address::repeat_byte(0x77),
        factory: Address::repeat_byte(0xfa),
        receiver: None,
        wallets: Vec::new(),
        finality: FinalityRule::confirmations(3).expect("at least 1").into(),
    }
}
