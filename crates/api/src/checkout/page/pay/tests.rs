//! What a payer is shown of the ways to pay.

use std::collections::BTreeMap;

use paywatch_core::{Address, ChainId, Decimals, OrderStatus, PaymentMethod};

use super::*;
use crate::samples::{record, shop};

fn checkout() -> Checkout {
    Checkout {
        public_url: "https://pay.example.com".to_owned(),
        merchant_name: None,
        chain_titles: BTreeMap::from([(ChainId::new(56).unwrap(), "BNB Smart Chain".to_owned())]),
    }
}

fn shown(record: &OrderRecord, pairs: &[(&str, &str)]) -> Pay {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let pairs: Vec<_> = pairs.collect();
    pay(
        record,
        &Chosen::read(&pairs),
        ("chk_1", &checkout(), &shop()),
    )
    .unwrap()
}

/// An order that may also be paid on `anvil` by a call.
fn with_a_call() -> OrderRecord {
    let mut record = record();
    let mut call = record.order.options[0].clone();
    call.address = Address::repeat_byte(0x77);
    call.method = PaymentMethod::Contract {
        receiver: Address::repeat_byte(0x99),
    };
    record.order.options.insert(0, call);
    record
}

fn values(pay: &Pay) -> Vec<&str> {
    pay.fields
        .iter()
        .map(|field| field.value.as_str())
        .collect()
}

#[test]
fn a_call_is_never_shown_as_a_transfer() {
    let record = with_a_call();
    let treasury = Address::repeat_byte(0x77).to_string();
    let usual = shown(&record, &[]);
    let deposit = record.order.options[1].address.to_string();
    assert_eq!(values(&usual), ["100", &deposit]);

    let by_call = shown(&record, &[("method", "contract"), ("qr", "address")]);
    assert!(
        by_call.lead.contains("first allow the amount, then pay"),
        "{by_call:?}"
    );
    assert_eq!(by_call.fields.len(), 5);
    assert!(
        !values(&by_call).contains(&treasury.as_str()),
        "{by_call:?}"
    );
    assert!(
        !by_call.fields.iter().any(|field| field.label == "Address"),
        "{by_call:?}"
    );
    let code = by_call.code.unwrap();
    assert!(
        code.group.is_none() && !code.src.contains("plain"),
        "{code:?}"
    );
    assert!(code.uri.unwrap().contains("/pay?address="));
}

#[test]
fn only_what_differs_is_a_choice() {
    let mut record = with_a_call();
    let labels = |pay: &Pay| -> Vec<(&str, Vec<String>)> {
        let groups = pay.groups.iter();
        groups
            .map(|group| {
                let choices = group.choices.iter();
                (
                    group.label,
                    choices.map(|choice| choice.label.clone()).collect(),
                )
            })
            .collect()
    };
    let networks = (
        "Network",
        vec!["anvil".to_owned(), "BNB Smart Chain".to_owned()],
    );
    let methods = ["By a contract call", "To an address"].map(str::to_owned);
    let usual = shown(&record, &[]);
    assert_eq!(
        labels(&usual),
        [networks.clone(), ("How to pay", methods.to_vec())]
    );
    let on_bnb = shown(&record, &[("chain", "bnb")]);
    assert_eq!(labels(&on_bnb), std::slice::from_ref(&networks));

    let mut other = record.order.options[2].clone();
    other.token.symbol = "USD₮\"<".to_owned();
    other.token.address = Address::repeat_byte(0x66);
    record.order.options.push(other);
    let tokens = ["USDT", "USD₮\"<"].map(str::to_owned);
    let on_bnb = shown(&record, &[("chain", "bnb")]);
    assert_eq!(labels(&on_bnb), [networks, ("Token", tokens.to_vec())]);
    // Nothing in a link needs an escape.
    for choice in on_bnb.groups.iter().flat_map(|group| &group.choices) {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"?=&-_".contains(&b);
        assert!(choice.href.bytes().all(is_plain), "{choice:?}");
    }
}

#[test]
fn a_rest_that_a_token_cannot_pay_exactly_is_asked_for_in_full() {
    let mut record = record();
    record.snapshot.status = OrderStatus::PartiallyPaid;
    record.snapshot.counted = "39.9999999999999999".parse().unwrap();
    let [on_anvil, on_bnb] = ["anvil", "bnb"].map(|chain| shown(&record, &[("chain", chain)]));
    assert_eq!(values(&on_anvil)[0], "60.000001");
    assert_eq!(values(&on_bnb)[0], "60.0000000000000001");
    record.order.options[0].token.decimals = Decimals::new(0).unwrap();
    assert_eq!(values(&shown(&record, &[]))[0], "61");
}
