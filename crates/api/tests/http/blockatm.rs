//! The routes of the hosted gateway: its shapes, its headers, its codes.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::EncodePublicKey as _;
use paywatch_core::Scope;
use paywatch_store::KeyTerms;
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

/// What a client that keeps to that gateway's documents signs with.
fn client_key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).expect("a key")
}

fn registered() -> KeyTerms {
    let der = client_key().verifying_key().to_public_key_der();
    KeyTerms {
        gateway_public_key: Some(STANDARD.encode(der.expect("DER").as_bytes())),
        ..KeyTerms::unlimited()
    }
}

fn signature(message: &str) -> String {
    let signature: Signature = client_key().sign(message.as_bytes());
    STANDARD.encode(signature.to_der().as_bytes())
}

#[tokio::test]
async fn a_key_with_a_registered_public_key_has_to_sign() {
    let api = Api::open().await;
    let (bearer, _id) = api.another_key(registered()).await;
    let key = bearer.strip_prefix("Bearer ").unwrap();
    let body = json!({"symbol": "USDT", "chainId": "31337", "amount": "100", "orderNo": "S-1"});
    let time = api.now_ms();
    let signed = |signature: Option<&str>, time: i64| {
        let mut request = request(&api, "POST", "/api/v1/payment/createQrOrder", &body);
        let headers = request.headers_mut();
        headers.insert("blockatm-api-key", key.parse().unwrap());
        headers.insert("blockatm-request-time", time.to_string().parse().unwrap());
        match signature {
            Some(signature) => {
                headers.insert("blockatm-signature-v1", signature.parse().unwrap());
            },
            None => {
                headers.remove("blockatm-signature-v1");
            },
        }
        request
    };
    let message =
        |amount: &str| format!("amount={amount}&chainId=31337&orderNo=S-1&symbol=USDT&time={time}");
    refusal(&api.send(signed(None, time)).await, 401, "000306");
    for wrong in [
        "not base64!".to_owned(),
        signature(&message("101")),
        signature(&message("100")).to_lowercase(),
    ] {
        refusal(&api.send(signed(Some(&wrong), time)).await, 401, "000306");
    }
    let right = signature(&message("100"));
    refusal(
        &api.send(signed(Some(&right), time - 1)).await,
        401,
        "000306",
    );
    assert!(api.references("").await.is_empty(), "nothing was made");
    let made = api.send(signed(Some(&right), time)).await;
    assert_eq!(made.status, 200, "{made:?}");

    // A query signs its raw string, if it signs.
    let path = "/api/v1/payment/contractPayment?orderNo=S-1&chainId=31337";
    let query = |signature: Option<String>| {
        let mut request = request(&api, "GET", path, &Value::Null);
        let headers = request.headers_mut();
        headers.insert("blockatm-api-key", key.parse().unwrap());
        headers.remove("blockatm-signature-v1");
        if let Some(signature) = signature {
            headers.insert("blockatm-signature-v1", signature.parse().unwrap());
        }
        request
    };
    let message = format!("orderNo=S-1&chainId=31337&time={time}");
    assert_eq!(api.send(query(None)).await.status, 200);
    let right = signature(&message);
    assert_eq!(api.send(query(Some(right))).await.status, 200);
    let mut timeless = query(Some(signature(&message)));
    timeless.headers_mut().remove("blockatm-request-time");
    let words = refusal(&api.send(timeless).await, 400, "000103");
    assert!(words.contains("BlockATM-Request-Time"), "{words}");
    let wrong = signature(&message.replace("S-1", "S-2"));
    refusal(&api.send(query(Some(wrong))).await, 401, "000306");
}

#[tokio::test]
async fn a_key_may_do_what_its_scopes_say() {
    let api = Api::open().await;
    let terms = KeyTerms {
        scopes: [Scope::OrdersRead].into_iter().collect(),
        ..KeyTerms::unlimited()
    };
    let (bearer, _id) = api.another_key(terms).await;
    let key = bearer.strip_prefix("Bearer ").unwrap();
    let body = json!({"chainId": "31337", "symbol": "USDT", "amount": "100"});
    let mut create = request(&api, "POST", "/api/v1/payment/createQrOrder", &body);
    create
        .headers_mut()
        .insert("blockatm-api-key", key.parse().unwrap());
    refusal(&api.send(create).await, 401, "000110");
    let mut query = request(&api, "GET", "/api/v1/payment/contractPayment", &Value::Null);
    query
        .headers_mut()
        .insert("blockatm-api-key", key.parse().unwrap());
    assert_eq!(api.send(query).await.status, 200);
}

#[tokio::test]
async fn after_a_hundred_there_is_429_and_who_goes_on_is_blocked() {
    let api = Api::open().await;
    let path = "/api/v1/payment/contractPayment";
    for _ in 0..100 {
        assert_eq!(asks(&api, path).await.status, 200);
    }
    let mut answers = Vec::new();
    for _ in 0..150 {
        answers.push(asks(&api, path).await);
    }
    refusal(&answers[0], 429, "000107");
    assert_eq!(answers[0].header("retry-after"), Some("1"));
    let last = answers.last().unwrap();
    refusal(last, 418, "000107");
    assert_eq!(last.header("retry-after"), Some("600"));
    // Elsewhere the same key is not held up by that.
    assert_eq!(api.get("/v1/orders").await.status, 200);
    let blocked = api.get("/v1/limits/blocked").await.json();
    assert_eq!(blocked["data"][0]["kind"], "key", "{blocked}");
    api.wait(601);
    assert_eq!(asks(&api, path).await.status, 200);
}
