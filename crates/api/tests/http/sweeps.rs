//! Deposit addresses that were flushed, listed and one by one.

use serde_json::{Value, json};

use crate::api::Api;
use crate::chain::Chain;

async fn ids(api: &Api, query: &str) -> Vec<String> {
    let list = api.get(&format!("/v1/sweeps{query}")).await.json();
    let sweeps = list["data"].as_array().unwrap().iter();
    sweeps
        .map(|sweep| sweep["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_sweep_says_whose_deposit_went_where() {
    let (api, mut chain) = (Api::open().await, Chain::new());
    let (first, second) = (api.order("A-1").await, api.order("A-2").await);
    let payer = "0x9999999999999999999999999999999999999999";
    let paid = [(&first, "100", payer), (&second, "100", payer)];
    chain.mine(&api, &paid, &[]).await;
    assert_eq!(ids(&api, "").await, [""; 0]);
    let one = chain.flush(&api, &first, "100").await;
    api.wait(1);
    let two = chain.flush(&api, &second, "99.5").await;

    let sweep = api.get(&format!("/v1/sweeps/{one}")).await.json();
    let expected = json!({
        "id": one,
        "status": "detected",
        "order": first["id"],
        "chain_id": 31_337,
        "chain": "anvil",
        "address": first["options"][0]["address"],
        "treasury": "0x7777777777777777777777777777777777777777",
        "token": "0x5555555555555555555555555555555555555555",
        "amount": "100",
        "reverted_at": null,
        "block_number": 3,
        "log_index": 3,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&sweep[name], value, "{name}");
    }
    let few = api.get(&format!("/v1/sweeps/{one}?fields=id,amount")).await;
    assert_eq!(few.json(), json!({"id": one, "amount": "100"}));

    assert_eq!(ids(&api, "").await, [two.clone(), one.clone()]);
    assert_eq!(
        ids(&api, "?sort=detected_at").await,
        [one.clone(), two.clone()]
    );
    let of = |name: &str, value: &Value| format!("?{name}={}", value.as_str().unwrap());
    for query in [
        of("order", &first["id"]),
        of("address", &sweep["address"]),
        of("tx_hash", &sweep["tx_hash"]),
        format!("{}&status=detected", of("tx_hash", &sweep["tx_hash"])),
    ] {
        assert_eq!(
            ids(&api, &query).await,
            std::slice::from_ref(&one),
            "{query}"
        );
    }
    assert_eq!(ids(&api, "?status=completed").await, [""; 0]);
    let both = ids(&api, "?status=completed,detected").await;
    assert_eq!(both, [two.clone(), one.clone()]);

    let page = api.get("/v1/sweeps?limit=1").await.json();
    assert_eq!(
        (&page["data"][0]["id"], &page["has_more"]),
        (&json!(two), &json!(true))
    );
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = api
        .get(&format!("/v1/sweeps?limit=1&cursor={cursor}"))
        .await;
    let rest = rest.json();
    assert_eq!(
        (&rest["data"][0]["id"], &rest["has_more"]),
        (&json!(one), &json!(false))
    );
    let other = format!("/v1/sweeps?status=detected&cursor={cursor}");
    let problem = api.get(&other).await.problem(422, "invalid_fields");
    assert_eq!(problem["errors"][0]["code"], "other_list");
}

#[tokio::test]
async fn what_is_no_sweep_is_not_found() {
    let (api, mut chain) = (Api::open().await, Chain::new());
    let order = api.order("A-1").await;
    let payer = "0x9999999999999999999999999999999999999999";
    chain.mine(&api, &[(&order, "100", payer)], &[]).await;
    let payments = api.get("/v1/payments").await.json();
    let payment = payments["data"][0]["id"].as_str().unwrap();
    for id in [payment, "x", "pay_00"] {
        let answer = api.get(&format!("/v1/sweeps/{id}")).await;
        answer.problem(404, "not_found");
    }
    let wrong = api.get("/v1/sweeps?status=lost&chain=mars&fields=id").await;
    let problem = wrong.problem(422, "invalid_fields");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn tokens_are_listed_by_chain() {
    let api = Api::open().await;
    let tokens = api.get("/v1/tokens?chain=anvil&symbol=USDT").await.json();
    let expected = json!({"data": [{
        "chain_id": 31_337,
        "chain": "anvil",
        "symbol": "USDT",
        "address": "0x5555555555555555555555555555555555555555",
        "decimals": 6,
    }]});
    assert_eq!(tokens, expected);
    let all = api.get("/v1/tokens").await.json();
    let chains = all["data"].as_array().unwrap().iter();
    let chains: Vec<&Value> = chains.map(|token| &token["chain"]).collect();
    assert!(chains.contains(&&json!("bnb")), "{chains:?}");
    let none = api.get("/v1/tokens?symbol=usdt").await.json();
    assert_eq!(none, json!({"data": []}));
    let wrong = api.get("/v1/tokens?chain=mars&chain=anvil&limit=1").await;
    let problem = wrong.problem(422, "invalid_fields");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 3);
}
