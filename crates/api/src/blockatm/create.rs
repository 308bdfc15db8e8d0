//! `createQrOrder`: an order that is paid by scanning.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Request, State};
use paywatch_core::{EventFormat, MethodKind, PaymentOption, Scope};
use paywatch_store::OrderRecord;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::blockatm::caller::{Signed, check};
use crate::blockatm::envelope::{Reason, Refusal};
use crate::body::{parse, read_text};
use crate::orders;
use crate::state::ApiState;
use crate::wire::address;

/// The longest URL that a payer is led back to.
const LONGEST_URL: usize = 500;
/// What the merchant's notes of such an order are called.
pub(super) const CUSTOMER: &str = "custNo";
pub(crate) const BACK_TO: &str = "redirectURL";

/// What that gateway answers, and a little more.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QrOrder {
    cashier_url: String,
    to_address: String,
    order_id: String,
    order_no: String,
    amount: String,
    chain_id: String,
    symbol: String,
    /// Unix milliseconds.
    expire_time: String,
}

/// Makes an order. The same `orderNo` with the same content gives the same order again.
pub(super) async fn create(
    State(state): State<ApiState>,
    request: Request,
) -> Result<Json<QrOrder>, Refusal> {
    let (parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let body = read_text(whole, state.shop.body_limit).await?;
    check(&state, &parts, Scope::OrdersWrite, Signed::Body(&body))?;
    let object = parse(body.as_bytes())?;
    let asked = translated(&object, &state)?;
    let (_, record) = orders::make(&state, &asked, EventFormat::Standard).await?;
    shown(&state, &record)
}

fn shown(state: &ApiState, record: &OrderRecord) -> Result<Json<QrOrder>, Refusal> {
    let order = &record.order;
    let option = order.options.iter().find(|option| is_scanned(option));
    let option = option
        .ok_or_else(|| Refusal::because(Reason::System, "the order has no address to pay to"))?;
    Ok(Json(QrOrder {
        cashier_url: state.checkout_url(record).unwrap_or_default(),
        to_address: address(option.token.chain_id, option.address),
        order_id: order.id.to_string(),
        order_no: order.reference.to_string(),
        amount: option.asks(order.amount).to_string(),
        chain_id: option.token.chain_id.to_string(),
        symbol: option.token.symbol.clone(),
        expire_time: order.expires_at.unix_ms().to_string(),
    }))
}

/// Whether a mere transfer to the option's address pays.
pub(crate) const fn is_scanned(option: &PaymentOption) -> bool {
    match option.method.kind() {
        MethodKind::DepositAddress | MethodKind::ExactAmount => true,
        MethodKind::Contract => false,
    }
}

/// What `/v1/orders` would be asked for.
fn translated(
    object: &Map<String, Value>,
    state: &ApiState,
) -> Result<Map<String, Value>, Refusal> {
    let chain_id = required(object, "chainId")?;
    let symbol = required(object, "symbol")?;
    let amount = required(object, "amount")?;
    let chain = state.shop.chain(&chain_id).ok_or_else(|| {
        let detail = state.shop.not_configured(&chain_id);
        Refusal::because(Reason::ParameterType, format!("chainId: {detail}"))
    })?;
    if !chain.tokens.iter().any(|token| token.symbol == symbol) {
        let detail = format!("symbol: {symbol} is not taken on {}", chain.name);
        return Err(Refusal::because(Reason::UnsupportedToken, detail));
    }
    let reference = match plain(object, "orderNo")? {
        Some(number) => number,
        None => format!("qr-{}", Uuid::now_v7().simple()),
    };
    let mut notes = BTreeMap::new();
    if let Some(customer) = plain(object, CUSTOMER)? {
        notes.insert(CUSTOMER, customer);
    }
    if let Some(url) = text(object, BACK_TO)? {
        let detail =
            format!("{BACK_TO} must be an http or https URL of at most {LONGEST_URL} characters");
        let url =
            web_address(&url).ok_or_else(|| Refusal::because(Reason::ParameterType, detail))?;
        notes.insert(BACK_TO, url.to_owned());
    }
    let method = chain.scanned().ok_or_else(|| {
        let detail = format!("chainId: {} has no address to scan", chain.name);
        Refusal::because(Reason::InvalidRequest, detail)
    })?;
    let asked = json!({
        "reference": reference,
        "amount": amount,
        "chains": [chain.name],
        "tokens": [symbol],
        "methods": [method.name()],
        "metadata": notes,
    });
    match asked {
        Value::Object(asked) => Ok(asked),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Refusal::because(Reason::System, "a request is an object"))
        },
    }
}

fn required(object: &Map<String, Value>, name: &str) -> Result<String, Refusal> {
    text(object, name)?.ok_or_else(|| Refusal::missing(name))
}

/// A text, which is what all values are; a chain's id may also be a number.
fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) if name == "chainId" && number.is_u64() => {
            Ok(Some(number.to_string()))
        },
        Some(Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
            let detail = format!("{name} must be a string");
            Err(Refusal::because(Reason::ParameterType, detail))
        },
    }
}

/// A name of the merchant's own, in which no full stop may be.
fn plain(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    let text = text(object, name)?;
    if text.as_ref().is_some_and(|text| text.contains('.')) {
        let detail = format!("{name} may hold no full stop");
        return Err(Refusal::because(Reason::ParameterType, detail));
    }
    Ok(text)
}

/// `url`, if a payer may be led there.
pub(crate) fn web_address(url: &str) -> Option<&str> {
    let is_one = (url.starts_with("https://") || url.starts_with("http://"))
        && url.len() <= LONGEST_URL
        && url.bytes().all(|b| b.is_ascii_graphic());
    is_one.then_some(url)
}
