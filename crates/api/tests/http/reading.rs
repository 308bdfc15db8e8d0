//! Reading and listing orders.

use axum::http::StatusCode;

use crate::api::Api;

#[tokio::test]
async fn an_unknown_order_is_not_found() {
    let api = Api::open().await;
    for id in [
        "ord_00000000000000000000000000000000",
        "INV-1001",
        "ord_",
        "%ff",
        "%2e%2e",
    ] {
        api.get(&format!("/v1/orders/{id}"))
            .await
            .problem(404, "not_found");
    }
}

#[tokio::test]
async fn pages_hold_every_order_once_though_more_are_made_meanwhile() {
    let api = Api::open().await;
    for reference in ["A", "B", "C", "D", "E"] {
        api.order(reference).await;
    }
    let first = api.get("/v1/orders?limit=2").await.json();
    assert_eq!(first["has_more"], true);
    api.order("F").await;
    let mut seen = vec!["E".to_owned(), "D".to_owned()];
    let mut cursor = first["next_cursor"].as_str().unwrap().to_owned();
    loop {
        let query = format!("limit=2&cursor={cursor}");
        seen.extend(api.references(&query).await);
        let page = api.get(&format!("/v1/orders?{query}")).await.json();
        let Some(next) = page["next_cursor"].as_str() else {
            assert_eq!(page["has_more"], false);
            break;
        };
        assert!(seen.len() < 5, "{seen:?}");
        next.clone_into(&mut cursor);
    }
    assert_eq!(seen, ["E", "D", "C", "B", "A"]);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let api = Api::open().await;
    let first = api.order("A").await;
    api.wait(60);
    api.post(r#"{"reference": "B", "amount": "1", "chains": ["bnb"]}"#)
        .await;
    let address = first["options"][0]["address"].as_str().unwrap();
    let hash = "11".repeat(32);
    for (query, expected) in [
        (String::new(), vec!["B", "A"]),
        ("limit=1".to_owned(), vec!["B"]),
        ("reference=A".to_owned(), vec!["A"]),
        ("reference=Z".to_owned(), vec![]),
        ("status=awaiting_payment".to_owned(), vec!["B", "A"]),
        ("status=paid,completed".to_owned(), vec![]),
        (
            "status=paid&status=awaiting_payment".to_owned(),
            vec!["B", "A"],
        ),
        ("chain=anvil".to_owned(), vec!["A"]),
        ("chain=56".to_owned(), vec!["B", "A"]),
        (format!("address={address}"), vec!["A"]),
        (format!("address={}", address.to_lowercase()), vec!["A"]),
        (format!("tx_hash=0x{hash}"), vec![]),
        ("created_from=2023-11-14T22:14:20Z".to_owned(), vec!["B"]),
        ("created_before=2023-11-14T22:14:20Z".to_owned(), vec!["A"]),
        ("reference=A&chain=bnb&limit=100".to_owned(), vec!["A"]),
    ] {
        assert_eq!(api.references(&query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let api = Api::open().await;
    for (query, field, text) in [
        ("status=payed", "status", "awaiting_payment"),
        ("status=", "status", "awaiting_payment"),
        ("chain=solana", "chain", "known are anvil, bnb"),
        ("address=0x12", "address", "not an address"),
        ("tx_hash=12", "tx_hash", "not a hash"),
        ("created_from=yesterday", "created_from", "RFC 3339"),
        ("limit=0", "limit", "between 1 and 100"),
        ("limit=101", "limit", "between 1 and 100"),
        ("limit=-1", "limit", "between 1 and 100"),
        ("cursor=x", "cursor", "next_cursor"),
        ("reference=%20", "reference", "1 to 128"),
        ("page=2", "page", "known are status, flag, reference"),
        ("limit=1&limit=2", "limit", "twice"),
    ] {
        let answer = api.get(&format!("/v1/orders?{query}")).await;
        let problem = answer.problem(422, "invalid_fields");
        let error = &problem["errors"][0];
        assert_eq!(error["field"], field, "{query}: {problem}");
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.contains(text), "{query}: {detail}");
    }
    let all = api.get("/v1/orders?limit=0&chain=x&page=1").await;
    let problem = all.problem(422, "invalid_fields");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 3, "{problem}");
}

#[tokio::test]
async fn an_overdue_order_says_which_chains_it_waits_for() {
    let api = Api::open().await;
    let order = api.order("A").await;
    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    api.wait(3_600);
    let in_time = api.get(&path).await;
    assert_eq!(in_time.status, StatusCode::OK);
    assert_eq!(in_time.json()["waiting_for_chains"], serde_json::json!([]));
    api.wait(1);
    let overdue = api.get(&path).await.json();
    assert_eq!(overdue["status"], "awaiting_payment");
    assert_eq!(
        overdue["waiting_for_chains"],
        serde_json::json!(["bnb", "anvil"])
    );
}

#[tokio::test]
async fn orders_are_listed_by_notes_and_in_either_order() {
    let api = Api::open().await;
    api.post(r#"{"reference": "A", "amount": "1", "metadata": {"shop": "1", "a b": "x=y"}}"#)
        .await;
    api.post(r#"{"reference": "B", "amount": "1", "metadata": {"shop": "1"}}"#)
        .await;
    api.post(r#"{"reference": "C", "amount": "1"}"#).await;
    for (query, expected) in [
        ("metadata[shop]=1", vec!["B", "A"]),
        ("metadata%5Bshop%5D=1&sort=created_at", vec!["A", "B"]),
        ("metadata[shop]=1&metadata[a%20b]=x%3Dy", vec!["A"]),
        ("metadata[shop]=2", vec![]),
        ("flag=overpaid,late", vec![]),
        ("sort=created_at", vec!["A", "B", "C"]),
        ("sort=-created_at", vec!["C", "B", "A"]),
        (
            "sort=created_at&status=awaiting_payment&limit=2",
            vec!["A", "B"],
        ),
    ] {
        assert_eq!(api.references(query).await, expected, "{query}");
    }
    for (query, field, text) in [
        ("flag=rich", "flag", "overpaid"),
        ("sort=amount", "sort", "-created_at"),
        ("metadata=1", "metadata", "known are"),
        ("metadata[]=1", "metadata[]", "known are"),
        ("metadata[shop=1", "metadata[shop", "known are"),
        ("metadata[a]=%00", "metadata[a]", "U+0000"),
        ("metadata.shop=1", "metadata.shop", "metadata[key]"),
        ("metadata[a]=1&metadata[a]=2", "metadata[a]", "twice"),
        ("fields=id,amont", "fields", "amount"),
    ] {
        let answer = api.get(&format!("/v1/orders?{query}")).await;
        let problem = answer.problem(422, "invalid_fields");
        let error = &problem["errors"][0];
        assert_eq!(error["field"], field, "{query}: {problem}");
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.contains(text), "{query}: {detail}");
    }
}

#[tokio::test]
async fn a_cursor_is_refused_by_another_list() {
    let api = Api::open().await;
    for reference in ["A", "B", "C"] {
        api.order(reference).await;
    }
    let first = api.get("/v1/orders?limit=1&sort=created_at").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let on = format!("limit=2&fields=reference&sort=created_at&cursor={cursor}");
    assert_eq!(api.references(&on).await, ["B", "C"]);
    for other in ["", "sort=-created_at&", "sort=created_at&chain=bnb&"] {
        let answer = api.get(&format!("/v1/orders?{other}cursor={cursor}")).await;
        let problem = answer.problem(422, "invalid_fields");
        assert_eq!(problem["errors"][0]["code"], "other_list", "{problem}");
    }
}

#[tokio::test]
async fn only_the_wanted_fields_are_sent_and_tagged() {
    let api = Api::open().await;
    let order = api.order("A").await;
    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    let whole = api.get(&path).await;
    let some = api.get(&format!("{path}?fields=id,status")).await;
    let expected = serde_json::json!({"id": order["id"], "status": "awaiting_payment"});
    assert_eq!(some.json(), expected);
    assert_ne!(some.header("etag"), whole.header("etag"));
    let page = api.get("/v1/orders?fields=id,status").await.json();
    assert_eq!(page["data"], serde_json::json!([expected]));
    api.get(&format!("{path}?fields=id,,status"))
        .await
        .problem(422, "invalid_fields");
}
