//! `create-transaction`: an order that is paid by scanning, of whose completion the shop is told.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use paywatch_core::{Amount, EventFormat, OrderStatus};
use paywatch_store::OrderRecord;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::blockatm::{BACK_TO, is_scanned, web_address};
use crate::body::read_bytes;
use crate::epusdt::Epusdt;
use crate::epusdt::answer::{Reason, Refusal, Transaction, answer};
use crate::epusdt::parameters::{Parameters, shortest};
use crate::epusdt::telling::AMOUNT;
use crate::orders;
use crate::state::ApiState;
use crate::wire::address;

/// What some plugins send and what would change what is paid to whom: better refused than passed over.
const NOT_OURS: [(&str, &str); 4] = [
    ("address", "every order has an address of its own here"),
    ("rate", "the price of a token is configured here"),
    ("network", "name the way to pay by trade_type"),
    ("token", "name the way to pay by trade_type"),
];

/// Makes an order. The same `order_id` with the same content gives the same one again while it is open.
pub(super) async fn create(State(state): State<ApiState>, request: Request) -> Response {
    let headers = request.headers().clone();
    answer(made(&state, request).await, &headers)
}

async fn made(state: &ApiState, request: Request) -> Result<Transaction, Refusal> {
    let Some(epusdt) = state.epusdt.as_deref() else {
        return Err(Refusal::because(Reason::System, "it is not configured"));
    };
    let parameters = read(state, request).await?;
    if !epusdt.has_signed(&parameters) {
        let detail = "signature: it is not the MD5 of all parameters that are not empty, sorted by name \
            and joined as name=value&…, with the token behind them";
        return Err(Refusal::because(Reason::Signature, detail));
    }
    let asked = translated(&parameters, epusdt, state)?;
    let (_, record) = orders::make(state, &asked, EventFormat::Epusdt).await?;
    shown(state, &record)
}

async fn read(state: &ApiState, request: Request) -> Result<Parameters, Refusal> {
    let is_form = is_form(request.headers());
    let bytes = read_bytes(request.into_body(), state.shop.body_limit).await?;
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|error| Refusal::because(Reason::Parameters, error))?;
    let read = if is_form {
        Parameters::of_form(text)
    } else {
        Parameters::of_json(text)
    };
    read.map_err(|error| Refusal::because(Reason::Parameters, error))
}

fn is_form(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok());
    media_type.is_some_and(|value| {
        value
            .trim()
            .starts_with("application/x-www-form-urlencoded")
    })
}

fn shown(state: &ApiState, record: &OrderRecord) -> Result<Transaction, Refusal> {
    let order = &record.order;
    match record.snapshot.status {
        OrderStatus::AwaitingPayment | OrderStatus::PartiallyPaid => {},
        status @ (OrderStatus::Paid
        | OrderStatus::Completed
        | OrderStatus::Expired
        | OrderStatus::Cancelled) => {
            let reference = &order.reference;
            let detail =
                format!("order_id: {reference} is {status} already; give the order another");
            return Err(Refusal::because(Reason::OrderExists, detail));
        },
    }
    let option = order.options.iter().find(|option| is_scanned(option));
    let option = option
        .ok_or_else(|| Refusal::because(Reason::NoWay, "the order has no address to pay to"))?;
    let amount = order.metadata.get(AMOUNT).map_or("0", String::as_str);
    Ok(Transaction {
        trade_id: order.id.to_string(),
        order_id: order.reference.to_string(),
        amount: number(amount)?,
        actual_amount: number(&option.asks(order.amount).to_string())?,
        token: address(option.token.chain_id, option.address),
        expiration_time: order.expires_at.unix_ms().div_euclid(1_000),
        payment_url: state.checkout_url(record).unwrap_or_default(),
    })
}

fn number(text: &str) -> Result<Box<RawValue>, Refusal> {
    RawValue::from_string(text.to_owned()).map_err(|error| Refusal::because(Reason::System, error))
}

/// What `/v1/orders` would be asked for.
fn translated(
    parameters: &Parameters,
    epusdt: &Epusdt,
    state: &ApiState,
) -> Result<Map<String, Value>, Refusal> {
    let wrong = |detail: String| Refusal::because(Reason::Parameters, detail);
    let required = |name: &str| {
        let value = parameters.get(name);
        value.ok_or_else(|| wrong(format!("{name} is required")))
    };
    for (name, why) in NOT_OURS {
        if parameters.get(name).is_some() {
            return Err(wrong(format!("{name} is not taken: {why}")));
        }
    }
    for name in ["currency", "fiat"] {
        if let (Some(given), Some(known)) = (parameters.get(name), &epusdt.currency)
            && !given.eq_ignore_ascii_case(known)
        {
            return Err(wrong(format!(
                "{name}: amounts are in {known} here, not in {given}"
            )));
        }
    }
    let (amount, tokens) = amounts(required("amount")?, epusdt)?;
    let notify_url = required("notify_url")?;
    match state.callbacks.check(notify_url) {
        Some(Ok(_url)) => {},
        Some(Err(why)) => return Err(wrong(format!("notify_url: {why}"))),
        None => return Err(wrong("notify_url: orders name no URLs here".to_owned())),
    }
    let way = epusdt.way(parameters.get("trade_type"));
    let (chain, token) = way.map_err(|error| wrong(format!("trade_type: {error}")))?;
    let offer = state.shop.chain(chain);
    let method = offer.and_then(|offer| offer.scanned()).ok_or_else(|| {
        let detail = format!("trade_type: {chain} has no address to scan");
        Refusal::because(Reason::NoWay, detail)
    })?;
    let mut notes = BTreeMap::from([(AMOUNT, amount.to_owned())]);
    if let Some(url) = parameters.get("redirect_url") {
        let url = web_address(url)
            .ok_or_else(|| wrong(format!("redirect_url: {url:?} is no web page")))?;
        notes.insert(BACK_TO, url.to_owned());
    }
    let mut asked = Map::from_iter([
        ("reference".to_owned(), json!(required("order_id")?)),
        ("amount".to_owned(), json!(tokens.to_string())),
        ("chains".to_owned(), json!([chain])),
        ("tokens".to_owned(), json!([token])),
        ("methods".to_owned(), json!([method.name()])),
        ("callback_url".to_owned(), json!(notify_url)),
        ("metadata".to_owned(), json!(notes)),
    ]);
    if let Some(timeout) = parameters.get("timeout").filter(|timeout| *timeout != "0") {
        let seconds: u64 = timeout.parse().map_err(|error| {
            wrong(format!(
                "timeout: {timeout:?} is no number of seconds: {error}"
            ))
        })?;
        asked.insert("expires_in".to_owned(), json!(seconds));
    }
    Ok(asked)
}

/// The amount in the shop's currency in its shortest form, and in tokens.
fn amounts<'a>(given: &'a str, epusdt: &Epusdt) -> Result<(&'a str, Amount), Refusal> {
    let given = shortest(given);
    let wrong = |detail: String| Refusal::because(Reason::Amount, format!("amount: {detail}"));
    let amount: Amount = given
        .parse()
        .map_err(|error| wrong(format!("{given:?} is {error}")))?;
    if amount.is_zero() {
        return Err(wrong("must be more than 0".to_owned()));
    }
    let tokens = epusdt.tokens(amount);
    tokens
        .map(|tokens| (given, tokens))
        .ok_or_else(|| wrong("is too large".to_owned()))
}
