//! The route of plugins for epusdt: its shapes, its signature, its codes.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use md5::{Digest as _, Md5};
use paywatch_api::{CallbackUrl, Callbacks, Epusdt, EpusdtError};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::api::{Answer, Api};

const TOKEN: &str = "a-token-of-the-plugin";

fn ways() -> BTreeMap<String, (String, String)> {
    let way = |chain: &str| (chain.to_owned(), "USDT".to_owned());
    [("usdt.anvil", way("anvil")), ("usdt.bep20", way("bnb"))]
        .map(|(name, way)| (name.to_owned(), way))
        .into()
}

fn served(price: &str) -> Result<Epusdt, EpusdtError> {
    let price = price.parse().expect("an amount");
    let price = (price, Some("CNY".to_owned()));
    let token = SecretString::from(TOKEN);
    Epusdt::new(token, price, ways(), "usdt.anvil".to_owned())
}

/// An API where a token costs 7.2 CNY.
async fn open() -> Api {
    let callbacks = Callbacks::new(|text| match text.strip_prefix("https://") {
        Some(rest) if !rest.starts_with("inside") => Ok(CallbackUrl {
            url: text.to_owned(),
            origin: "https://shop.example".to_owned(),
        }),
        Some(_) | None => Err("it is not allowed here".to_owned()),
    });
    let epusdt = served("7.2").expect("it costs something");
    Api::open()
        .await
        .serving(|state| state.with_callbacks(callbacks).with_epusdt(epusdt))
}

fn md5(text: &str) -> String {
    hex::encode(Md5::digest(format!("{text}{TOKEN}")))
}

/// `parameters` with their signature, as the plugins make it.
fn signed(mut parameters: Value) -> Value {
    let object = parameters.as_object_mut().expect("an object");
    let mut pairs: Vec<_> = object
        .iter()
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            format!("{name}={text}")
        })
        .collect();
    pairs.sort();
    let signature = md5(&pairs.join("&"));
    object.insert("signature".to_owned(), signature.into());
    parameters
}

fn order(number: u32) -> Value {
    json!({
        "order_id": format!("E-{number}"),
        "amount": 100,
        "notify_url": "https://shop.example/notify",
        "redirect_url": "https://shop.example/thanks?a=1",
    })
}

async fn posts(api: &Api, media_type: &str, body: String) -> Answer {
    let request = Request::post("/api/v1/order/create-transaction")
        .header("content-type", media_type)
        .body(Body::from(body));
    api.send(request.expect("a request")).await
}

async fn creates(api: &Api, parameters: &Value) -> Answer {
    posts(api, "application/json", parameters.to_string()).await
}

#[track_caller]
fn refusal(answer: &Answer, status: u16, code: u32) -> String {
    let body = answer.json();
    assert_eq!(answer.status.as_u16(), status, "{body}");
    assert_eq!(body["status_code"], code, "{body}");
    assert_eq!(body["data"], Value::Null, "{body}");
    assert_eq!(body["request_id"].as_str(), answer.header("x-request-id"));
    body["message"].as_str().expect("words").to_owned()
}

#[tokio::test]
async fn an_order_is_made_in_the_shops_currency() {
    let api = open().await;
    let made = creates(&api, &signed(order(1))).await;
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    assert_eq!(
        (&made["status_code"], &made["message"]),
        (&200.into(), &"success".into())
    );
    let data = &made["data"];
    assert_eq!(data["amount"].to_string(), "100", "{made}");
    assert_eq!(data["actual_amount"].to_string(), "13.8889", "{made}");
    assert_eq!(data["order_id"], "E-1");
    let id = data["trade_id"].as_str().expect("an id");
    let order = api.get(&format!("/v1/orders/{id}")).await.json();
    assert_eq!(order["reference"], "E-1");
    assert_eq!(order["amount"], "13.8889");
    assert_eq!(order["options"][0]["address"], data["token"]);
    assert_eq!(order["options"][0]["chain"], "anvil");
    assert_eq!(order["checkout_url"], data["payment_url"]);
    let again = creates(&api, &signed(self::order(1))).await.json();
    assert_eq!(again["data"], made["data"], "a plugin that tries again");
}

#[tokio::test]
async fn forms_and_numbers_with_zeros_are_understood() {
    let api = open().await;
    let text = "amount=42.50&notify_url=https://shop.example/n&order_id=F-1&trade_type=usdt.bep20";
    let form = format!(
        "order_id=F-1&amount=42.50&notify_url=https%3A%2F%2Fshop.example%2Fn&redirect_url=&\
         trade_type=usdt.bep20&signature={}",
        md5(text)
    );
    let made = posts(&api, "application/x-www-form-urlencoded", form).await;
    assert_eq!(
        made.json()["data"]["amount"].to_string(),
        "42.5",
        "{made:?}"
    );
    // PHP writes 42.0 into the JSON and signs 42.
    let signature = md5("amount=42&notify_url=https://shop.example/n&order_id=F-2");
    let json = format!(
        r#"{{"order_id":"F-2","amount":42.0,"notify_url":"https://shop.example/n","signature":"{}"}}"#,
        signature.to_uppercase()
    );
    let made = posts(&api, "application/json", json).await.json();
    assert_eq!(
        made["data"]["actual_amount"].to_string(),
        "5.8334",
        "{made}"
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_in_its_codes() {
    let api = open().await;
    let mut forged = signed(order(1));
    forged["amount"] = 1.into();
    let said = refusal(&creates(&api, &forged).await, 401, 401);
    assert!(said.starts_with("signature: "), "{said}");
    assert_eq!(refusal(&creates(&api, &order(1)).await, 401, 401), said);
    for (field, value, code, words) in [
        ("amount", json!("0"), 10_004, "more than 0"),
        ("amount", json!("1e3"), 10_004, "plain decimal"),
        ("amount", json!("-1"), 10_004, "plain decimal"),
        ("order_id", json!(""), 10_009, "order_id is required"),
        ("order_id", json!("a\nb"), 10_009, "reference"),
        (
            "notify_url",
            json!("https://inside/n"),
            10_009,
            "notify_url: it is not",
        ),
        (
            "redirect_url",
            json!("javascript:x"),
            10_009,
            "redirect_url",
        ),
        (
            "trade_type",
            json!("usdt.trc20"),
            10_009,
            "known are usdt.anvil, usdt.bep20",
        ),
        ("timeout", json!("soon"), 10_009, "timeout"),
        ("currency", json!("EUR"), 10_009, "in CNY here, not in EUR"),
        ("rate", json!("1"), 10_009, "rate is not taken"),
        ("address", json!("0x1"), 10_009, "address is not taken"),
    ] {
        let mut wrong = order(2);
        wrong[field] = value;
        if wrong[field] == "" {
            wrong.as_object_mut().unwrap().remove(field);
        }
        let said = refusal(&creates(&api, &signed(wrong)).await, 400, code);
        assert!(said.contains(words), "{field}: {said}");
    }
    creates(&api, &signed(order(3))).await;
    let mut other = order(3);
    other["amount"] = 101.into();
    let said = refusal(&creates(&api, &signed(other)).await, 400, 10_002);
    assert!(said.contains("E-3"), "{said}");
    let listed = api.get("/v1/orders").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
}

#[tokio::test]
async fn it_is_off_unless_it_is_configured() {
    let api = Api::open().await;
    assert_eq!(creates(&api, &signed(order(1))).await.status, 404);
    assert_eq!(served("0").unwrap_err(), EpusdtError::NoPrice);
    let token = SecretString::from(TOKEN);
    let price = ("1".parse().unwrap(), None);
    let error = Epusdt::new(token, price, ways(), "usdt.tron".to_owned()).unwrap_err();
    assert!(error.to_string().contains("usdt.anvil"), "{error}");
    let shown = format!("{:?} {}", served("7.2"), served("7.2").unwrap());
    assert!(
        !shown.contains(TOKEN) && shown.contains("7.2 CNY"),
        "{shown}"
    );
}

#[tokio::test]
async fn the_page_leads_back_to_the_shop_once_it_is_over() {
    let api = open().await;
    let made = creates(&api, &signed(order(1))).await.json();
    let url = made["data"]["payment_url"].as_str().expect("a page");
    let path = url.rsplit_once("/pay/").expect("its path").1;
    let page = async || {
        let answer = api.get(&format!("/pay/{path}")).await;
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    let link = r#"<a href="https://shop.example/thanks?a=1" rel="noopener noreferrer">"#;
    assert!(!page().await.contains(link), "it may still be paid");
    let id = made["data"]["trade_id"].as_str().expect("an id");
    let reason = json!({"reason": "the customer wants nothing"});
    let request = Request::post(format!("/v1/orders/{id}/cancel"))
        .header("authorization", api.authorization())
        .header("content-type", "application/json")
        .body(Body::from(reason.to_string()));
    let cancelled = api.send(request.expect("a request")).await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    let page = page().await.replace("&#38;", "&").replace("&amp;", "&");
    assert!(page.contains(link), "{page}");
    let said = refusal(&creates(&api, &signed(order(1))).await, 400, 10_002);
    assert!(said.contains("cancelled already"), "{said}");
}
