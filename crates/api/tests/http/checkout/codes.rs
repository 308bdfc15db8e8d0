//! QR codes, and what they ask for.

use serde_json::json;

use crate::api::Api;
use crate::chain::Chain;
use crate::checkout::{PAYER, made, page, path, visit};

#[tokio::test]
async fn merchants_draw_codes_for_their_own_pages() {
    let api = Api::open().await;
    let order = api.order("INV-1").await;
    let id = order["id"].as_str().unwrap();
    let get = async |rest: &str| api.get(&format!("/v1/orders/{id}/{rest}")).await;
    let svg = get("qr.svg").await;
    assert_eq!(svg.header("content-type"), Some("image/svg+xml"));
    assert!(svg.text().contains("<svg"), "{}", svg.text());
    let on_the_page = visit(&api, &format!("{}/qr.svg", path(&order))).await;
    assert_eq!(svg.body, on_the_page.body);
    assert_ne!(get("qr.svg?chain=bnb").await.body, svg.body);
    assert_ne!(get("qr.svg?plain=true").await.body, svg.body);

    let png = get("qr.png?size=300&chain=bnb&token=usdt&method=deposit_address").await;
    assert_eq!(png.header("content-type"), Some("image/png"));
    assert_eq!(png.header("cache-control"), Some("private, no-cache"));
    assert!(png.body.starts_with(b"\x89PNG\r\n\x1a\n"), "{:?}", png.body);
    assert_eq!(&png.body[16..24], [0, 0, 1, 44, 0, 0, 1, 44]);
    for (query, field) in [
        ("qr.png?size=1", "size"),
        ("qr.png?size=9999", "size"),
        ("qr.svg?plain=yes", "plain"),
        ("qr.svg?chain=polygon", "chain"),
        ("qr.svg?chain=anvil&method=contract", "chain"),
        ("qr.svg?colour=red", "colour"),
        ("qr.svg?chain=bnb&chain=anvil", "chain"),
    ] {
        let problem = get(query).await.problem(422, "invalid_fields");
        assert_eq!(problem["errors"][0]["field"], field, "{query}");
    }
    let no_key = visit(&api, &format!("/v1/orders/{id}/qr.svg")).await;
    no_key.problem(401, "unauthorized");
}

#[tokio::test]
async fn an_exact_amount_is_asked_for_as_a_whole_or_not_at_all() {
    let (api, mut chain) = (Api::open().await, Chain::new());
    let order = made(&api, json!({"reference": "INV-1", "amount": "100", "chains": ["anvil"], "methods": ["deposit_address", "exact_amount"]})).await;
    let exactly = format!("{}?method=exact_amount", path(&order));
    let shown = page(&api, &exactly).await;
    for part in [
        "Exactly 100 USDT must arrive",
        ">An exact amount</a>",
        ">To an address</a>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    chain.mine(&api, &[(&order, "40", PAYER)], &[]).await;
    let partly = page(&api, &exactly).await;
    assert!(
        partly.contains("the rest cannot be paid in this way. Choose another one."),
        "{partly}"
    );
    assert!(
        !partly.contains("qr.svg") && !partly.contains("id=\"address\""),
        "{partly}"
    );
    let id = order["id"].as_str().unwrap();
    let drawn = api
        .get(&format!("/v1/orders/{id}/qr.svg?method=exact_amount"))
        .await;
    drawn.problem(409, "refused");
}
