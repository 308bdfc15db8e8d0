//! `contractPayment` and `qrCodePayment`: what has become of orders.

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use paywatch_core::{Order, OrderId, OrderStatus, PaymentOption, Scope};
use paywatch_store::{OrderFilter, OrderRecord, Page};
use serde::Serialize;

use crate::blockatm::caller::{Signed, check};
use crate::blockatm::create::{CUSTOMER, is_scanned};
use crate::blockatm::envelope::{Reason, Refusal};
use crate::state::ApiState;
use crate::wire::address;

const DEFAULT_SIZE: u32 = 10;
const LARGEST_SIZE: u32 = 100;
/// How far pages can be turned. Who wants more asks for less at a time, by status or chain.
const MOST_TURNED: u32 = 2_000;

/// An order, all of it in texts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payment {
    order_id: String,
    order_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cust_no: Option<String>,
    /// `pending`, `completed` or `failed`.
    status: &'static str,
    /// What was asked.
    amount: String,
    /// What has arrived and counts.
    paid_amount: String,
    /// What is still to be paid.
    remaining_amount: String,
    symbol: String,
    chain_id: String,
    to_address: String,
    /// The last transaction that paid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tx_id: Option<String>,
    /// When it last changed, in Unix milliseconds.
    timestamp: String,
}

/// The newest order, and the page that it is the first of.
#[derive(Debug, Serialize)]
pub(super) struct Payments {
    #[serde(flatten)]
    newest: Option<Payment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<Vec<Payment>>,
}

/// What is asked for.
#[derive(Debug, Default)]
struct Asked {
    order: Option<OrderId>,
    filter: OrderFilter,
    page: u32,
    size: u32,
}

/// The order that is asked for, or the newest ones.
pub(super) async fn payments(
    State(state): State<ApiState>,
    parts: Parts,
) -> Result<Json<Payments>, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    check(&state, &parts, Scope::OrdersRead, Signed::Query(query))?;
    let asked = read(&pairs(query), &state)?;
    if let Some(id) = asked.order {
        let record = state.store.order(id).await?;
        return one(record.filter(|record| {
            let reference = asked.filter.reference.as_ref();
            reference.is_none_or(|reference| *reference == record.order.reference)
        }));
    }
    let records = turned(&state, &asked).await?;
    if asked.filter.reference.is_some() {
        return one(records.into_iter().next());
    }
    Ok(Json(Payments {
        newest: records.first().map(payment),
        list: Some(records.iter().map(payment).collect()),
    }))
}

fn one(record: Option<OrderRecord>) -> Result<Json<Payments>, Refusal> {
    let record =
        record.ok_or_else(|| Refusal::because(Reason::DoesNotExist, "there is no such order"))?;
    Ok(Json(Payments {
        newest: Some(payment(&record)),
        list: None,
    }))
}

/// The page that was asked for, which may be empty.
async fn turned(state: &ApiState, asked: &Asked) -> Result<Vec<OrderRecord>, Refusal> {
    let mut before_seq = None;
    let mut left = asked.page;
    loop {
        let page = Page {
            before_seq,
            limit: asked.size,
        };
        let found = state.store.orders(&asked.filter, page).await?;
        left = left.saturating_sub(1);
        if left == 0 {
            return Ok(found.orders);
        }
        before_seq = found.next;
        if before_seq.is_none() {
            return Ok(Vec::new());
        }
    }
}

/// The names and values of a query string.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn read(pairs: &[(String, String)], state: &ApiState) -> Result<Asked, Refusal> {
    let mut asked = Asked {
        page: 1,
        size: DEFAULT_SIZE,
        ..Asked::default()
    };
    for (name, value) in pairs {
        let wrong = |why: String| Refusal::because(Reason::ParameterType, format!("{name}: {why}"));
        match name.as_str() {
            "orderId" => {
                let id = value.parse().map_err(|error| {
                    Refusal::because(Reason::DoesNotExist, format!("orderId: {error}"))
                })?;
                asked.order = Some(id);
            },
            "orderNo" => {
                let reference = value.parse().map_err(|error| wrong(format!("{error}")))?;
                asked.filter.reference = Some(reference);
            },
            "chainId" => {
                let chain = state.shop.chain(value);
                let chain = chain.ok_or_else(|| wrong(state.shop.not_configured(value)))?;
                asked.filter.chain_id = Some(chain.id);
            },
            "status" => asked.filter.statuses = statuses(value).map_err(wrong)?,
            "page" => asked.page = count(value, MOST_TURNED).map_err(wrong)?,
            "pageSize" => asked.size = count(value, LARGEST_SIZE).map_err(wrong)?,
            // The gateway's own list of parameters is not public: others are passed over.
            _other => {},
        }
    }
    if asked.page.saturating_mul(asked.size) > MOST_TURNED {
        let why = format!("pages end at {MOST_TURNED} orders; ask by status, chainId or orderNo");
        return Err(Refusal::because(Reason::ParameterType, why));
    }
    Ok(asked)
}

fn count(text: &str, most: u32) -> Result<u32, String> {
    let count = text.parse().ok();
    count
        .filter(|count| (1..=most).contains(count))
        .ok_or_else(|| format!("must be between 1 and {most}"))
}

fn statuses(name: &str) -> Result<Vec<OrderStatus>, String> {
    let wanted: Vec<_> = OrderStatus::ALL
        .into_iter()
        .filter(|status| status_of(*status) == name)
        .collect();
    if wanted.is_empty() {
        return Err("must be pending, completed or failed".to_owned());
    }
    Ok(wanted)
}

/// What that gateway calls a status.
const fn status_of(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::AwaitingPayment | OrderStatus::PartiallyPaid | OrderStatus::Paid => "pending",
        OrderStatus::Completed => "completed",
        OrderStatus::Expired | OrderStatus::Cancelled => "failed",
    }
}

/// The way by which it was paid, or else the first that can be scanned.
fn option_of(record: &OrderRecord) -> Option<&PaymentOption> {
    let order: &Order = &record.order;
    let paid = record
        .payments
        .iter()
        .find_map(|payment| order.option_for(&payment.recorded.transfer));
    let scanned = || order.options.iter().find(|option| is_scanned(option));
    paid.or_else(scanned).or_else(|| order.options.first())
}

fn payment(record: &OrderRecord) -> Payment {
    let (order, snapshot) = (&record.order, &record.snapshot);
    let option = option_of(record);
    let standing = record.payments.iter();
    let last = standing.rev().find(|payment| payment.reverted_at.is_none());
    Payment {
        order_id: order.id.to_string(),
        order_no: order.reference.to_string(),
        cust_no: order.metadata.get(CUSTOMER).cloned(),
        status: status_of(snapshot.status),
        amount: order.amount.to_string(),
        paid_amount: snapshot.counted.to_string(),
        remaining_amount: order.remaining(snapshot.counted).to_string(),
        symbol: option
            .map(|option| option.token.symbol.clone())
            .unwrap_or_default(),
        chain_id: option
            .map(|option| option.token.chain_id.to_string())
            .unwrap_or_default(),
        to_address: option
            .map(|option| address(option.token.chain_id, option.address))
            .unwrap_or_default(),
        tx_id: last.map(|payment| payment.recorded.transfer.tx_hash.to_string()),
        timestamp: record.updated_at.unix_ms().to_string(),
    }
}
