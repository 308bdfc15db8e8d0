//! Refunds over HTTP: prepared, recognised by what a chain brings, given up and linked.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::api::{Answer, Api, CHECKSUMMED};
use crate::chain::Chain;

/// Somebody's address.
const CUSTOMER: &str = "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC";
/// Who pays in these tests.
const PAYER: &str = "0xFFfFfFffFFfffFFfFFfFFFFFffFFFffffFfFFFfF";

fn lower(text: &str) -> String {
    text.to_lowercase()
}

async fn post(api: &Api, path: &str, body: &Value) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("authorization", api.authorization())
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()));
    api.send(request.expect("a request")).await
}

async fn prepare(api: &Api, order: &Value, change: Value) -> Answer {
    let mut body = json!({
        "reference": "R-1", "chain": "anvil", "to": lower(CUSTOMER), "amount": "40",
        "reason": "it came back broken",
    });
    for (name, value) in change.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let id = order["id"].as_str().expect("an id");
    post(api, &format!("/v1/orders/{id}/refunds"), &body).await
}

async fn read(api: &Api, path: &str) -> Value {
    let answer = api.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

/// An order of 100 that is completed.
async fn paid(api: &Api, chain: &mut Chain, reference: &str) -> Value {
    let order = api.order(reference).await;
    chain.mine(api, &[(&order, "100", PAYER)], &[]).await;
    for _ in 0..3 {
        chain.mine(api, &[], &[]).await;
    }
    order
}

async fn order(api: &Api, order: &Value) -> Value {
    read(
        api,
        &format!("/v1/orders/{}", order["id"].as_str().unwrap()),
    )
    .await
}

#[tokio::test]
async fn a_refund_is_prepared_and_recognised_when_it_is_sent() {
    let (api, mut chain) = (Api::open().await, Chain::new());
    let made = paid(&api, &mut chain, "INV-1").await;
    let answer = prepare(&api, &made, json!({})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let refund = answer.json();
    let path = answer.header("location").unwrap().to_owned();
    assert_eq!(refund["status"], "prepared");
    assert_eq!(refund["amount_base_units"], "40000000");
    assert_eq!(refund["send_from"].as_array().unwrap().len(), 2);
    let data = format!(
        "0xa9059cbb{}{}{:064x}",
        "0".repeat(24),
        "cc".repeat(20),
        40_000_000
    );
    let token = "0x5555555555555555555555555555555555555555";
    assert_eq!(
        refund["transaction"],
        json!({"chain_id": 31_337, "to": token, "data": data, "value": "0"})
    );
    let uri = format!("ethereum:{token}@31337/transfer?address={CUSTOMER}&uint256=40000000");
    assert_eq!(refund["uri"], uri);
    assert_eq!(refund["warnings"].as_array().unwrap().len(), 2, "{refund}");
    let image = api.get(refund["qr"].as_str().unwrap()).await;
    assert_eq!(image.header("content-type"), Some("image/svg+xml"));
    assert!(image.text().contains("<svg"), "{}", image.text());

    // The same request is the same refund, with another content it is refused.
    let again = prepare(&api, &made, json!({"to": CUSTOMER})).await;
    assert_eq!(
        (again.status, again.json()["id"].clone()),
        (StatusCode::OK, refund["id"].clone())
    );
    let other = prepare(&api, &made, json!({"amount": "41"})).await;
    other.problem(409, "reference_taken");

    let sent = chain.mine(&api, &[], &[(CUSTOMER, "40")]).await;
    let now = read(&api, &path).await;
    assert_eq!(now["status"], "sent");
    assert_eq!(now["payment"]["tx_hash"], sent[0]);
    assert_eq!(
        now["transaction"],
        Value::Null,
        "nobody is to send it twice"
    );
    api.get(refund["qr"].as_str().unwrap())
        .await
        .problem(409, "refused");
    let shown = order(&api, &made).await;
    assert_eq!(shown["refunded"], "40");
    assert_eq!(shown["flags"], json!(["partially_refunded"]));
    assert_eq!(shown["status"], "completed", "a refund does not change it");
    assert_eq!(shown["refunds"][0], now);
    for _ in 0..2 {
        chain.mine(&api, &[], &[]).await;
    }
    assert_eq!(read(&api, &path).await["status"], "confirmed");

    // All of the rest, as nothing else is said.
    let rest = prepare(&api, &made, json!({"reference": "R-2", "amount": null})).await;
    assert_eq!(rest.json()["amount"], "60");
    chain.mine(&api, &[], &[(CUSTOMER, "60")]).await;
    assert_eq!(order(&api, &made).await["flags"], json!(["refunded"]));
    let list = read(&api, "/v1/refunds?status=sent&chain=anvil&limit=1").await;
    assert_eq!(list["data"][0]["reference"], "R-2");
    assert_eq!(list["has_more"], false);
    let page = read(&api, "/v1/refunds?limit=1").await;
    let next = page["next_cursor"].as_str().unwrap();
    let page = read(&api, &format!("/v1/refunds?cursor={next}")).await;
    assert_eq!(page["data"][0]["reference"], "R-1");
    let log = read(&api, "/v1/decisions").await;
    assert_eq!(log["data"][0]["kind"], "refund");
}

#[tokio::test]
async fn no_more_goes_back_than_arrived() {
    let (api, mut chain) = (Api::open().await, Chain::new());
    let made = paid(&api, &mut chain, "INV-1").await;
    prepare(&api, &made, json!({"amount": "70"})).await;
    let more = prepare(&api, &made, json!({"reference": "R-2"})).await;
    let detail = more.problem(409, "refused")["detail"].clone();
    let expected = "40 cannot be refunded: 100 arrived, of which 0 are refunded and 70 prepared, \
        so 30 are left";
    assert_eq!(detail, expected);
    let unpaid = api.order("INV-2").await;
    let nothing = prepare(&api, &unpaid, json!({"amount": null})).await;
    nothing.problem(409, "refused");
    let odd = prepare(
        &api,
        &made,
        json!({"reference": "R-2", "amount": "0.0000001"}),
    )
    .await;
    assert_eq!(
        odd.problem(422, "invalid_fields")["errors"][0]["code"],
        "too_precise"
    );
    let missing = json!({"id": "ord_00000000000000000000000000000000"});
    prepare(&api, &missing, json!({}))
        .await
        .problem(404, "not_found");
    assert_eq!(
        order(&api, &made).await["refunds"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn money_goes_to_a_customer_and_to_the_payer_only_where_that_is_plain() {
    let (api, mut chain) = (Api::open().await, Chain::new());
    let made = paid(&api, &mut chain, "INV-1").await;
    let deposit = made["options"][0]["address"].clone();
    for (to, code) in [
        (json!(null), "missing"),
        (
            json!("0x7777777777777777777777777777777777777777"),
            "own_address",
        ),
        (
            json!("0x3333333333333333333333333333333333333333"),
            "own_address",
        ),
        (
            json!("0x5555555555555555555555555555555555555555"),
            "own_address",
        ),
        (json!(CHECKSUMMED), "own_address"),
        (deposit, "own_address"),
        (json!(CHECKSUMMED.replace("5aA", "5Aa")), "invalid"),
    ] {
        let refused = prepare(&api, &made, json!({"to": to})).await;
        let problem = refused.problem(422, "invalid_fields");
        assert_eq!(problem["errors"][0]["field"], "to", "{problem}");
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    let back = json!({"to": null, "to_payer": true});
    let refund = prepare(&api, &made, back.clone()).await.json();
    assert_eq!(refund["to"], PAYER);
    assert!(
        refund["warnings"].to_string().contains("no exchange"),
        "{refund}"
    );

    let two = api.order("INV-2").await;
    let payments = [(&two, "50", PAYER), (&two, "50", CUSTOMER)];
    chain.mine(&api, &payments, &[]).await;
    let several = prepare(&api, &two, back)
        .await
        .problem(422, "invalid_fields");
    assert_eq!(several["errors"][0]["code"], "no_payer");
    assert!(
        several.to_string().contains("several addresses"),
        "{several}"
    );
    let not_final = prepare(&api, &two, json!({})).await.json();
    assert!(
        not_final["warnings"]
            .to_string()
            .contains("only 0 is final"),
        "{not_final}"
    );
}

#[tokio::test]
async fn a_refund_is_given_up_before_it_is_sent() {
    let (api, mut chain) = (Api::open().await, Chain::new());
    let made = paid(&api, &mut chain, "INV-1").await;
    let refund = prepare(&api, &made, json!({})).await.json();
    let path = format!("/v1/refunds/{}/cancel", refund["id"].as_str().unwrap());
    let why = json!({"reason": "she keeps it"});
    for _ in 0..2 {
        let cancelled = post(&api, &path, &why).await;
        assert_eq!(cancelled.json()["status"], "cancelled", "{cancelled:?}");
    }
    chain.mine(&api, &[], &[(CUSTOMER, "40")]).await;
    assert_eq!(order(&api, &made).await["refunded"], "0");
    // What it was for can be refunded again, and that is sent.
    let all = json!({"reference": "R-2", "amount": "100"});
    let refund = prepare(&api, &made, all).await.json();
    chain.mine(&api, &[], &[(CUSTOMER, "100")]).await;
    let path = format!("/v1/refunds/{}/cancel", refund["id"].as_str().unwrap());
    post(&api, &path, &why).await.problem(409, "refused");
    post(&api, &path, &json!({}))
        .await
        .problem(422, "invalid_fields");
    let log = read(&api, "/v1/decisions").await;
    let kinds: Vec<_> = log["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["kind"].clone())
        .collect();
    assert_eq!(kinds, ["refund", "cancel_refund", "refund", "create_key"]);
}

#[tokio::test]
async fn an_operator_says_what_was_sent_otherwise() {
    let (api, mut chain) = (Api::open().await, Chain::new());
    let made = paid(&api, &mut chain, "INV-1").await;
    let refund = prepare(&api, &made, json!({})).await.json();
    let sent = chain
        .mine(&api, &[], &[(CUSTOMER, "39.5"), (PAYER, "1")])
        .await;
    assert_eq!(
        order(&api, &made).await["refunded"],
        "0",
        "it is not as prepared"
    );
    let of_tx = read(&api, &format!("/v1/payments?tx_hash={}", sent[0])).await;
    assert_eq!(of_tx["data"][0]["status"], "sent");
    let link = async |refund: &Value, payment: &Value, reason: &str| {
        let path = format!("/v1/refunds/{}/link", refund["id"].as_str().unwrap());
        post(&api, &path, &json!({"payment": payment, "reason": reason})).await
    };
    let payment = of_tx["data"][0]["id"].clone();
    let linked = link(&refund, &payment, "rounded by our wallet").await;
    assert_eq!(linked.status, StatusCode::OK, "{linked:?}");
    assert_eq!(linked.json()["payment"]["amount"], "39.5");
    let shown = order(&api, &made).await;
    assert_eq!(shown["refunded"], "39.5");
    let log = read(&api, "/v1/decisions").await;
    assert_eq!(log["data"][0]["kind"], "link_refund");
    assert_eq!(log["data"][0]["payment"], payment);
    assert_eq!(log["data"][0]["reason"], "rounded by our wallet");

    // Neither twice, nor by what came in, nor by what there is not.
    link(&refund, &payment, "once more")
        .await
        .problem(409, "refused");
    let other = prepare(&api, &made, json!({"reference": "R-2"}))
        .await
        .json();
    let taken = link(&other, &payment, "once more").await;
    let detail = taken.problem(409, "refused")["detail"].to_string();
    assert!(detail.contains(refund["id"].as_str().unwrap()), "{detail}");
    let came = shown["payments"][0]["id"].clone();
    link(&other, &came, "that one")
        .await
        .problem(409, "refused");
    let none = json!("pay_00000000000000000000000000000000");
    link(&other, &none, "that one")
        .await
        .problem(404, "not_found");
    link(&other, &json!("x"), "no")
        .await
        .problem(422, "invalid_fields");
}

#[tokio::test]
async fn a_chain_that_nobody_reads_takes_no_refund_and_ids_are_checked() {
    let api = Api::open_unread().await;
    api.cover(56).await;
    let body = json!({"reference": "INV-1", "amount": "100", "chains": ["bnb"]});
    let made = api.post(body.to_string()).await.json();
    prepare(&api, &made, json!({}))
        .await
        .problem(503, "chain_not_started");
    for path in [
        "/v1/refunds/ref_1",
        "/v1/refunds/ref_00000000000000000000000000000000/qr.svg",
    ] {
        api.get(path).await.problem(404, "not_found");
    }
    let wrong = api
        .get("/v1/refunds?status=lost&order=x&chain=y&limit=0&cursor=z&w=1")
        .await;
    let problem = wrong.problem(422, "invalid_fields");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 6, "{problem}");
}
