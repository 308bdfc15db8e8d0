//! The routes of the hosted gateway: its shapes, its headers, its codes.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::api::{Answer, Api};

/// A request as that gateway's clients send it, at the time of the driven clock.
fn request(api: &Api, method: &str, path: &str, body: &Value) -> Request<Body> {
    let builder = Request::builder()
        .method(method)
        .uri(path)
        .header("BlockATM-API-Key", api.bare_key())
        .header("BlockATM-Request-Time", api.now_ms().to_string())
        .header("BlockATM-Signature-V1", "3045…")
        .header("content-type", "application/json");
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    builder.body(body).expect("a request")
}

async fn creates(api: &Api, body: Value) -> Answer {
    api.send(request(api, "POST", "/api/v1/payment/createQrOrder", &body))
        .await
}

async fn asks(api: &Api, path: &str) -> Answer {
    api.send(request(api, "GET", path, &Value::Null)).await
}

/// The refusal that `answer` must be.
#[track_caller]
fn refusal(answer: &Answer, status: u16, code: &str) -> String {
    let body = answer.json();
    assert_eq!(answer.status.as_u16(), status, "{body}");
    assert_eq!(body["code"], code, "{body}");
    assert_eq!(body["success"], false, "{body}");
    assert_eq!(body["data"], Value::Null, "{body}");
    assert_eq!(
        body["trace"].as_str(),
        answer.header("x-request-id"),
        "{body}"
    );
    body["msg"].as_str().expect("words").to_owned()
}

#[tokio::test]
async fn an_order_is_made_and_found_in_that_gateways_words() {
    let api = Api::open().await;
    let body = json!({"chainId": "31337", "symbol": "USDT", "amount": "100"});
    let made = creates(&api, body).await;
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    for field in ["toAddress", "cashierUrl", "orderId", "expireTime"] {
        assert!(made[field].is_string(), "{field}: {made}");
    }
    assert_eq!(made["amount"], "100");
    assert_eq!(made["chainId"], "31337");
    let order = api
        .get(&format!("/v1/orders/{}", made["orderId"].as_str().unwrap()))
        .await
        .json();
    assert_eq!(order["options"].as_array().unwrap().len(), 1, "{order}");
    assert_eq!(order["options"][0]["address"], made["toAddress"]);
    assert_eq!(order["checkout_url"], made["cashierUrl"]);

    let found = asks(&api, "/api/v1/payment/contractPayment").await.json();
    assert_eq!(found["status"], "pending", "{found}");
    assert_eq!(found["amount"], "100");
    assert_eq!(found["paidAmount"], "0");
    assert_eq!(found["orderId"], made["orderId"]);
    assert_eq!(found["toAddress"], made["toAddress"]);
    assert_eq!(found["list"].as_array().unwrap().len(), 1);
    let path = format!(
        "/api/v1/payment/qrCodePayment?orderId={}",
        made["orderId"].as_str().unwrap()
    );
    let one = asks(&api, &path).await.json();
    assert_eq!(one["orderId"], made["orderId"]);
    assert!(one.get("list").is_none(), "{one}");
}

#[tokio::test]
async fn an_order_number_makes_one_order() {
    let api = Api::open().await;
    let body = json!({"chainId": 56, "symbol": "USDT", "amount": "5", "orderNo": "NO-1",
        "custNo": "C-7", "redirectURL": "https://shop.example/thanks"});
    let first = creates(&api, body.clone()).await.json();
    api.wait(600);
    assert_eq!(creates(&api, body.clone()).await.json(), first);
    let mut other = body;
    other["amount"] = "6".into();
    refusal(&creates(&api, other).await, 400, "000106");
    let found = asks(&api, "/api/v1/payment/contractPayment?orderNo=NO-1").await;
    let found = found.json();
    assert_eq!(found["custNo"], "C-7", "{found}");
    let metadata = api
        .get(&format!(
            "/v1/orders/{}",
            found["orderId"].as_str().unwrap()
        ))
        .await
        .json()["metadata"]
        .clone();
    assert_eq!(metadata["redirectURL"], "https://shop.example/thanks");
}

#[tokio::test]
async fn wrong_requests_have_that_gateways_codes() {
    let api = Api::open().await;
    let fine = json!({"chainId": "31337", "symbol": "USDT", "amount": "100"});
    for (field, value, code, word) in [
        ("chainId", Value::Null, "000103", "chainId"),
        ("symbol", Value::Null, "000103", "symbol"),
        ("amount", Value::Null, "000103", "amount"),
        ("chainId", json!("7"), "000102", "chainId"),
        ("chainId", json!(7.5), "000102", "chainId"),
        ("amount", json!(100), "000102", "amount"),
        ("amount", json!("0"), "000102", "amount"),
        ("amount", json!("1e3"), "000102", "amount"),
        ("symbol", json!("DAI"), "000404", "DAI"),
        ("orderNo", json!("a.b"), "000102", "orderNo"),
        ("custNo", json!("a.b"), "000102", "custNo"),
        (
            "redirectURL",
            json!("javascript:alert(1)"),
            "000102",
            "redirectURL",
        ),
    ] {
        let mut body = fine.clone();
        body[field] = value;
        let words = refusal(&creates(&api, body).await, 400, code);
        assert!(words.contains(word), "{field}: {words}");
    }
    for (path, code) in [
        ("contractPayment?orderId=ord_1", "000202"),
        (
            "contractPayment?orderId=ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b",
            "000202",
        ),
        ("contractPayment?orderNo=none", "000202"),
        ("contractPayment?chainId=7", "000102"),
        ("contractPayment?status=lost", "000102"),
        ("qrCodePayment?pageSize=1000", "000102"),
        ("qrCodePayment?page=0", "000102"),
        ("qrCodePayment?page=2000&pageSize=100", "000102"),
    ] {
        refusal(
            &asks(&api, &format!("/api/v1/payment/{path}")).await,
            400,
            code,
        );
    }
    let nothing = asks(&api, "/api/v1/payment/contractPayment").await.json();
    assert_eq!(nothing, json!({"list": []}));
}

#[tokio::test]
async fn the_key_and_the_time_are_looked_at() {
    let api = Api::open().await;
    let body = json!({"chainId": "31337", "symbol": "USDT", "amount": "100"});
    let path = "/api/v1/payment/createQrOrder";
    let without = |name: &str| {
        let mut request = request(&api, "POST", path, &body);
        request.headers_mut().remove(name);
        request
    };
    refusal(&api.send(without("blockatm-api-key")).await, 401, "000112");
    refusal(
        &api.send(without("blockatm-request-time")).await,
        400,
        "000103",
    );
    let with = |name: &'static str, value: &str| {
        let mut request = request(&api, "POST", path, &body);
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    refusal(
        &api.send(with("blockatm-api-key", "pw_live_1")).await,
        401,
        "000110",
    );
    let now = api.now_ms();
    for (sent, is_accepted) in [
        (now - 1, true),
        (now - 30_000, true),
        (now - 30_001, false),
        (now + 5_000, true),
        (now + 5_001, false),
    ] {
        let answer = api
            .send(with("blockatm-request-time", &sent.to_string()))
            .await;
        if is_accepted {
            assert_eq!(answer.status, 200, "{answer:?}");
        } else {
            refusal(&answer, 400, "000105");
        }
    }
    for name in ["BlockATM-Rec_Window", "BLOCKATM-RECV_WINDOW", "rec-window"] {
        let mut request = with("blockatm-request-time", &(now - 59_000).to_string());
        let name: axum::http::HeaderName = name.to_ascii_lowercase().parse().unwrap();
        request.headers_mut().insert(name, "90000".parse().unwrap());
        assert_eq!(api.send(request).await.status, 200);
    }
    // A query needs the key alone.
    let mut query = request(&api, "GET", "/api/v1/payment/contractPayment", &Value::Null);
    query.headers_mut().remove("blockatm-request-time");
    assert_eq!(api.send(query).await.status, 200);
}

#[tokio::test]
async fn lists_need_no_key_and_pages_are_turned() {
    let api = Api::open().await;
    let open = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let networks = api.send(open("/api/v1/public/networklist")).await.json();
    assert_eq!(
        networks,
        json!([{"chainId": "31337", "network": "anvil"}, {"chainId": "56", "network": "bnb"}])
    );
    let coins = api.send(open("/api/v1/public/cryptocurrencies")).await;
    let coins = coins.json();
    assert_eq!(coins[1]["decimals"], "18", "{coins}");
    refusal(
        &asks(&api, "/api/v1/contract/payment?chainId=56").await,
        400,
        "000202",
    );
    for number in 1..=5 {
        let body = json!({"chainId": "56", "symbol": "USDT", "amount": "5",
            "orderNo": format!("NO-{number}")});
        assert_eq!(creates(&api, body).await.status, 200);
    }
    let page = |page: u32| format!("/api/v1/payment/qrCodePayment?pageSize=2&page={page}");
    let numbers = |found: &Value| -> Vec<String> {
        let list = found["list"].as_array().expect("a list");
        list.iter()
            .map(|one| one["orderNo"].as_str().expect("a text").to_owned())
            .collect()
    };
    let found = asks(&api, &page(1)).await.json();
    assert_eq!(found["orderNo"], "NO-5");
    assert_eq!(numbers(&found), ["NO-5", "NO-4"]);
    assert_eq!(numbers(&asks(&api, &page(3)).await.json()), ["NO-1"]);
    assert!(numbers(&asks(&api, &page(4)).await.json()).is_empty());
    let failed = asks(&api, "/api/v1/payment/qrCodePayment?status=failed").await;
    assert!(numbers(&failed.json()).is_empty());
}
