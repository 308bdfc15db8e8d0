//! What is taken as a request for an order, and what is said about the rest.

use paywatch_core::{Address, FinalityPolicy, FinalityRule};
use serde_json::json;

use super::*;
use crate::samples::shop;

/// A good request with `changes`; `null` takes a field away.
fn request(changes: &Value) -> Map<String, Value> {
    let mut object = json!({"reference": "INV-1001", "amount": "100"});
    for (name, value) in changes.as_object().unwrap() {
        object[name] = value.clone();
    }
    object.as_object().unwrap().clone()
}

/// Field, code and text of everything that is wrong with it.
fn wrong(changes: &Value) -> Vec<(String, &'static str, String)> {
    let shop = shop();
    let errors = read(&request(changes), &shop, &Callbacks::default()).expect_err("it is refused");
    let parts = |error: FieldError| (error.field, error.code, error.detail);
    errors.into_iter().map(parts).collect()
}

fn digest_of(changes: &Value) -> String {
    let shop = shop();
    read(&request(changes), &shop, &Callbacks::default())
        .unwrap()
        .digest
}

/// Refused for one reason only: this field, this code, this in the text.
#[track_caller]
fn check(changes: &Value, field: &str, code: &str, text: &str) {
    let errors = wrong(changes);
    let [(its_field, its_code, its_text)] = errors.as_slice() else {
        panic!("{changes}: {errors:?}");
    };
    assert_eq!(
        (its_field.as_str(), *its_code),
        (field, code),
        "{changes}: {its_text}"
    );
    assert!(its_text.contains(text), "{changes}: {its_text}");
}

#[test]
fn an_order_may_say_where_it_is_told_of() {
    let callbacks = Callbacks::new(|text| {
        Ok(CallbackUrl {
            url: text.to_owned(),
            origin: "https://shop".to_owned(),
        })
    });
    let (shop, id) = (shop(), OrderId::from_bytes([7; 16]));
    let asked = request(&json!({"callback_url": "https://shop/a"}));
    let told = read(&asked, &shop, &callbacks).unwrap();
    let other = request(&json!({"callback_url": "https://shop/b"}));
    let other = read(&other, &shop, &callbacks).unwrap().digest;
    assert_ne!(told.digest, other, "another place is another content");
    let callback = told.order(id, Timestamp::EPOCH).unwrap().callback.unwrap();
    assert_eq!(callback.url, "https://shop/a");
    assert_eq!(
        (callback.origin.as_str(), callback.format),
        ("https://shop", EventFormat::Standard)
    );
    let errors = read(&asked, &shop, &Callbacks::default()).unwrap_err();
    assert_eq!(errors[0].field, "callback_url");
    let plain = read(&request(&json!({})), &shop, &callbacks).unwrap();
    assert_eq!(plain.order(id, Timestamp::EPOCH).unwrap().callback, None);
}

#[test]
fn amounts_are_plain_decimal_strings() {
    for (amount, code, text) in [
        (json!("0"), "zero", "more than 0"),
        (json!("0.000"), "zero", "more than 0"),
        (json!("-1"), "invalid", "plain decimal"),
        (json!("1e3"), "invalid", "plain decimal"),
        (json!("1.0000000000000000001"), "invalid", "18 decimals"),
        (json!("9".repeat(60)), "invalid", "larger than the largest"),
        (json!(""), "invalid", "missing"),
        (json!(" 100"), "invalid", "plain decimal"),
        (json!(100), "not_a_string", "in quotes, like \"100\""),
        (json!(0.1), "not_a_string", "in quotes"),
        (json!(["100"]), "not_a_string", "must be a string"),
        (json!(null), "missing", "is required"),
    ] {
        check(&json!({ "amount": amount }), "amount", code, text);
    }
}

#[test]
fn an_amount_must_be_payable_exactly_on_every_chosen_chain() {
    let amount = "0.0000001";
    let text = "more than 6 decimals; this amount cannot be paid exactly (USDT on anvil)";
    check(&json!({ "amount": amount }), "amount", "too_precise", text);
    let on_bnb = json!({"amount": amount, "chains": ["bnb"]});
    assert!(read(&request(&on_bnb), &shop(), &Callbacks::default()).is_ok());
}

#[test]
fn chains_are_named_once_and_known() {
    for (chains, code, text) in [
        (json!(["solana"]), "unknown_chain", "known are anvil, bnb"),
        (json!([1]), "unknown_chain", "known are anvil, bnb"),
        (json!([]), "invalid", "leave it out for all"),
        (json!("anvil"), "invalid", "must be a list"),
        (json!([null]), "invalid", "names or ids"),
        (
            json!(["anvil", "anvil"]),
            "duplicate",
            "anvil is named twice",
        ),
        (
            json!(["anvil", 31_337]),
            "duplicate",
            "anvil is named twice",
        ),
    ] {
        check(&json!({ "chains": chains }), "chains", code, text);
    }
}

#[test]
fn deadlines_are_texts_or_seconds_within_the_shop_s_limits() {
    for expires_in in [
        json!("soon"),
        json!("30"),
        json!("-5m"),
        json!("59s"),
        json!("2days"),
        json!(59),
        json!(-60),
        json!(60.5),
        json!(true),
    ] {
        check(
            &json!({ "expires_in": expires_in }),
            "expires_in",
            "invalid",
            "",
        );
    }
    check(
        &json!({"expires_in": "2days"}),
        "expires_in",
        "invalid",
        "between 1m and 1day",
    );
}

#[test]
fn notes_are_few_and_short() {
    let long = "x".repeat(501);
    let many: Map<_, _> = (0..51).map(|n| (n.to_string(), json!(""))).collect();
    for (metadata, field, text) in [
        (json!([]), "metadata", "object of strings"),
        (json!(many), "metadata", "at most 50 keys"),
        (json!({"a": 1}), "metadata.a", "must be a string"),
        (json!({"": "a"}), "metadata.", "1 to 40"),
        (json!({"a": long}), "metadata.a", "at most 500"),
        (json!({"a": "b\u{0}"}), "metadata.a", "U+0000"),
    ] {
        check(&json!({ "metadata": metadata }), field, "invalid", text);
    }
    // Characters are counted, not bytes.
    let wide = json!({"metadata": {"ключ": "é".repeat(500)}});
    assert!(read(&request(&wide), &shop(), &Callbacks::default()).is_ok());
}

#[test]
fn unknown_fields_and_bad_references_are_refused_by_name() {
    let text = "known are reference, amount, any_amount, tolerance";
    check(
        &json!({"currency": "USD"}),
        "currency",
        "unknown_field",
        text,
    );
    for reference in [
        json!(""),
        json!(" a"),
        json!("naïve"),
        json!("x".repeat(129)),
    ] {
        check(
            &json!({ "reference": reference }),
            "reference",
            "invalid",
            "1 to 128",
        );
    }
    check(
        &json!({"reference": 7}),
        "reference",
        "not_a_string",
        "like \"7\"",
    );
}

#[test]
fn everything_wrong_is_said_at_once() {
    let errors = wrong(&json!({
        "reference": null,
        "amount": "1e3",
        "chains": ["solana", "tron"],
        "expires_in": "soon",
        "metadata": {"a": 1, "b": 2},
        "currency": "USD",
    }));
    let fields: Vec<_> = errors.iter().map(|(field, ..)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "currency",
            "reference",
            "amount",
            "chains",
            "chains",
            "expires_in",
            "metadata.a",
            "metadata.b"
        ]
    );
}

#[test]
fn the_same_request_in_other_words_has_the_same_digest() {
    let asked = json!({"chains": ["anvil", "bnb"], "expires_in": "30m", "metadata": {"a": "b"}});
    let reworded = json!({
        "metadata": {"a": "b"}, "expires_in": 1_800, "chains": [56, "anvil"], "amount": "100.00",
    });
    assert_eq!(digest_of(&asked), digest_of(&reworded));
    for (name, value) in [
        ("reference", json!("INV-1002")),
        ("amount", json!("100.01")),
        ("chains", json!(["anvil"])),
        ("chains", json!(null)),
        ("expires_in", json!("31m")),
        ("metadata", json!({"a": "c"})),
    ] {
        let mut other = asked.clone();
        other[name] = value;
        assert_ne!(digest_of(&asked), digest_of(&other), "{other}");
    }
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    check(
        &json!({"any_amount": "yes"}),
        "any_amount",
        "invalid",
        "true or false",
    );
    check(
        &json!({"tolerance": "60"}),
        "tolerance",
        "invalid",
        "at most half",
    );
    check(
        &json!({"tolerance": 1}),
        "tolerance",
        "not_a_string",
        "in quotes",
    );
    check(
        &json!({"tolerance_percent": "51"}),
        "tolerance_percent",
        "invalid",
        "from 0 to 50",
    );
    check(
        &json!({"any_amount": true, "tolerance": "1"}),
        "tolerance",
        "invalid",
        "any_amount",
    );
    check(
        &json!({"late_payments": "keep"}),
        "late_payments",
        "invalid",
        "accept, hold",
    );
    check(&json!({"tokens": []}), "tokens", "invalid", "at least one");
    check(
        &json!({"tokens": ["USDT", "usdt"]}),
        "tokens",
        "duplicate",
        "named twice",
    );
    check(
        &json!({"tokens": ["DAI"], "chains": null}),
        "tokens",
        "unknown_token",
        "anvil, bnb",
    );
}

#[test]
fn an_order_of_any_amount_waits_as_long_as_the_largest() {
    let mut shop = shop();
    let [few, many] = [1, 30].map(|blocks| FinalityRule::confirmations(blocks).unwrap());
    shop.chains[0].finality =
        FinalityPolicy::tiered(vec![("1000".parse().unwrap(), few)], many).unwrap();
    let finality = |changes: &Value| {
        let checked = read(&request(changes), &shop, &Callbacks::default()).unwrap();
        let order = checked
            .order(OrderId::from_bytes([7; 16]), Timestamp::EPOCH)
            .unwrap()
            .order;
        order.options[0].finality
    };
    assert_eq!(finality(&json!({})), few);
    assert_eq!(finality(&json!({"any_amount": true})), many);
}

#[test]
fn a_shop_may_take_fewer_tokens_than_it_watches() {
    let mut shop = shop();
    let mut other = shop.chains[0].tokens[0].clone();
    other.symbol = "USDC".to_owned();
    other.address = Address::repeat_byte(0x66);
    shop.chains[0].tokens.push(other);
    shop.tokens = Some(vec!["USDT".to_owned()]);
    let symbols = |changes: &Value| -> Vec<String> {
        let checked = read(&request(changes), &shop, &Callbacks::default()).unwrap();
        let order = checked
            .order(OrderId::from_bytes([7; 16]), Timestamp::EPOCH)
            .unwrap()
            .order;
        let options = order.options.into_iter();
        options.map(|option| option.token.symbol).collect()
    };
    assert_eq!(symbols(&json!({})), ["USDT", "USDT"]);
    assert_eq!(
        symbols(&json!({"tokens": ["USDC"]})),
        ["USDC"],
        "on one chain only"
    );
}

#[test]
fn an_order_has_one_address_on_chains_with_one_treasury() {
    let shop = shop();
    let id = OrderId::from_bytes([7; 16]);
    let now = Timestamp::from_unix_s(1_693_066_895).unwrap();
    let order = |changes: &Value| {
        let checked = read(&request(changes), &shop, &Callbacks::default()).unwrap();
        checked.order(id, now).unwrap().order
    };
    let made = order(&json!({"expires_in": "30m"}));
    let chains: Vec<_> = made
        .options
        .iter()
        .map(|option| option.token.chain_id.get())
        .collect();
    assert_eq!(chains, [31_337, 56]);
    assert_eq!(made.options[0].address, made.options[1].address);
    assert_eq!(
        made.options[0].address,
        deposit_address(shop.chains[0].factory, shop.chains[0].treasury, id.salt())
    );
    assert_eq!(Some(made.expires_at), now.plus_ms(1_800_000));
    assert_eq!(
        Some(order(&json!({})).expires_at),
        now.plus_ms(3_600_000),
        "the shop's default"
    );
}
