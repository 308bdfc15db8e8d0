//! The routes of orders.

pub(crate) mod callbacks;
pub(crate) mod decide;
mod exact;
pub(crate) mod qr;
mod query;
pub(crate) mod request;
pub(crate) mod view;
mod wait;
pub(crate) mod way;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use paywatch_core::{EventFormat, Heads, OrderId, Token};
use paywatch_store::{CreateOutcome, NewOrder, OrderRecord, StoreError};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::read_object;
use crate::fields::{Fields, Shown};
use crate::look_alikes::view::LookAlikeCounts;
use crate::orders::request::CreateOrder;
use crate::orders::view::OrderView;
use crate::present::Present;
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::state::ApiState;
use crate::wire::{bound_cursor, cursor, unbound};

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderList {
    /// The orders.
    #[schema(value_type = Vec<OrderView>)]
    data: Vec<Shown<OrderView>>,
    /// Pass it as `cursor` for the next page.
    #[schema(example = "c1f.0b5c86ba02e4")]
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// Make an order
///
/// The same `reference` with the same content gives the same order again (200); with another
/// content it is refused (409). Whatever goes wrong, nothing is written.
#[utoipa::path(
    post, path = "/v1/orders", operation_id = "create_order", tag = "orders", security(("api_key" = [])),
    request_body = CreateOrder,
    responses(
        (status = 201, description = "The order was made", body = OrderView),
        (status = 200, description = "The same request had made it before", body = OrderView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The reference belongs to another order, no exact amount is free, or the same request is being answered", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "Too large", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "Not application/json", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong fields, all of them at once, or an idempotency key of another request", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer, or a chain was never read yet", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(state): State<ApiState>,
    request: Request,
) -> Result<Response, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let (status, record) = make(&state, &object, EventFormat::Standard).await?;
    let present = Present::read(&state).await?;
    let url = state.checkout_url(&record);
    let body = view::order(&record, &present, &state.shop, url, state.clock.now());
    let location = HeaderValue::from_str(&format!("/v1/orders/{}", body.id));
    let mut response = (status, Json(body)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Makes the order that `object` asks for, unless the same request had made it before. Where it names a
/// URL, that is told in `form`.
pub(crate) async fn make(
    state: &ApiState,
    object: &Map<String, Value>,
    form: EventFormat,
) -> Result<(StatusCode, OrderRecord), Problem> {
    let checked = request::read(object, &state.shop, &state.callbacks).map_err(Problem::fields)?;
    let id = OrderId::from_bytes(*Uuid::now_v7().as_bytes());
    let mut new = checked.order(id, state.clock.now()).ok_or_else(|| {
        let error = FieldError::new("expires_in", "invalid", "lies beyond the year 9999");
        Problem::fields(vec![error])
    })?;
    if let Some(callback) = &mut new.callback {
        callback.format = form;
    }
    refuse_unread(&new, &Present::read(state).await?.heads, state)?;
    let (status, record) = match state.store.create_order(&new).await? {
        CreateOutcome::Created(record) => (StatusCode::CREATED, record),
        CreateOutcome::Existing(record) => (StatusCode::OK, record),
        CreateOutcome::ReferenceTaken { by } => {
            let reference = &new.order.reference;
            let detail = format!("{reference} is the reference of {by}, made with another content");
            return Err(Problem::because(Code::ReferenceTaken, detail));
        },
        CreateOutcome::NoFreeAmount { token } => return Err(no_free_amount(state, &token)),
    };
    if status == StatusCode::CREATED {
        exact::tell(&record.order, &state.shop.exact);
        tracing::info!(order.id = %record.order.id, order.reference = %record.order.reference, order.amount = %record.order.amount, "order {} made", record.order.id);
    }
    Ok((status, record))
}

/// A chain that was never read begins at the head that its node will have. What was paid before
/// that would not be seen, so nobody is told to pay there yet.
fn refuse_unread(new: &NewOrder, heads: &Heads, state: &ApiState) -> Result<(), Problem> {
    let mut chains = new.order.chains();
    chains.extend(new.slots.iter().map(|wish| wish.token.chain_id));
    let unread = chains.iter().filter(|chain| !heads.contains_key(chain));
    let names: Vec<_> = unread.map(|chain| state.shop.name_of(*chain)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "not read yet: {}; /readyz says why; until then, name other chains in \"chains\"",
        names.join(", ")
    );
    Err(Problem::because(Code::ChainNotStarted, detail))
}

/// Every amount near the one that is asked belongs to another order that may still be paid.
fn no_free_amount(state: &ApiState, token: &Token) -> Problem {
    exact::tell_exhausted(token);
    let detail = format!(
        "every amount from the one that is asked to {} above it belongs to another order at the \
         wallets of {}, or is in quarantine; pay by another method, add a wallet, or raise \
         exact_amount.max_surcharge",
        state.shop.exact.max_surcharge(),
        state.shop.name_of(token.chain_id)
    );
    Problem::because(Code::NoFreeAmount, detail)
}

/// Read an order
///
/// With `wait_for` the answer comes when the order is so far: no need to ask again and again.
#[utoipa::path(
    get, path = "/v1/orders/{id}", operation_id = "read_order", tag = "orders", security(("api_key" = [])),
    params(
        ("id" = String, Path, description = "The order's id", example = "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b"),
        ("wait_for" = Option<String>, Query, description = "Answer when it is in this status, or one of several, separated by commas; or when it has ended", example = "completed"),
        ("timeout" = Option<u64>, Query, description = "Or when so many seconds are over: 1 to 30, 30 if not given", example = 30, minimum = 1, maximum = 30),
        ("fields" = Option<String>, Query, description = "Only these of its fields, separated by commas", example = "id,status,remaining"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what you have, with the same fields"),
    ),
    responses(
        (status = 200, description = "The order", body = OrderView),
        (status = 304, description = "You have it as it is"),
        (status = 400, description = "The query cannot be understood", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Shown<OrderView>>, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let id = read_id(id)?;
    let waiting = wait::read(&pairs).map_err(Problem::fields)?;
    let fields = Fields::read::<OrderView>(&pairs).map_err(Problem::field)?;
    wait::until(&state, id, &waiting).await?;
    Ok(Json(fields.of(shown(&state, id).await?)))
}

/// The order's id in a path.
pub(crate) fn read_id(id: Result<Path<String>, PathRejection>) -> Result<OrderId, Problem> {
    let Path(id) = id.map_err(|error| Problem::because(Code::NotFound, error))?;
    id.parse().map_err(|error| {
        let detail = format!("{id:?} is not an order's id: {error}");
        Problem::because(Code::NotFound, detail)
    })
}

/// The order, which must exist.
pub(crate) async fn find(state: &ApiState, id: OrderId) -> Result<OrderRecord, Problem> {
    let record = state.store.order(id).await?;
    record.ok_or_else(|| no_order(id))
}

fn no_order(id: OrderId) -> Problem {
    Problem::because(Code::NotFound, format!("there is no order {id}"))
}

/// The order as it is shown now.
async fn shown(state: &ApiState, id: OrderId) -> Result<OrderView, Problem> {
    let found = state.store.order_and_look_alikes(id).await?;
    let (record, came) = found.ok_or_else(|| no_order(id))?;
    let present = Present::read(state).await?;
    let url = state.checkout_url(&record);
    let mut order = view::order(&record, &present, &state.shop, url, state.clock.now());
    order.look_alikes = LookAlikeCounts::of(came);
    Ok(order)
}

/// List orders
///
/// Newest first, or oldest first. Pages are stable: orders made meanwhile do not shift them. A cursor
/// belongs to the list that gave it: go on with the same filters and order. Where filters are met
/// together by few of many, a page may hold fewer orders than `limit`, even none, and have more:
/// `has_more` says whether to go on.
#[utoipa::path(
    get, path = "/v1/orders", operation_id = "list_orders", tag = "orders", security(("api_key" = [])),
    params(
        ("status" = Option<String>, Query, description = "One or several statuses, separated by commas", example = "paid,completed"),
        ("flag" = Option<String>, Query, description = "With any of these flags, separated by commas", example = "overpaid,late"),
        ("reference" = Option<String>, Query, description = "Your own name for it"),
        ("metadata[key]" = Option<String>, Query, description = "With this value of your own metadata under `key`, which is any key; up to 5 at once, all of them must match"),
        ("chain" = Option<String>, Query, description = "Payable on this chain, by name or id"),
        ("address" = Option<String>, Query, description = "Payable to this address"),
        ("tx_hash" = Option<String>, Query, description = "With a payment in this transaction"),
        ("created_from" = Option<String>, Query, description = "Made at this time or later, RFC 3339"),
        ("created_before" = Option<String>, Query, description = "Made before this time, RFC 3339"),
        ("sort" = Option<String>, Query, description = "-created_at (newest first, if not given) or created_at (oldest first)", example = "created_at"),
        ("fields" = Option<String>, Query, description = "Only these fields of each, separated by commas", example = "id,status,amount"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 20 if not given"),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = OrderList),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<OrderList>, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let pairs = unbound(pairs).map_err(Problem::field)?;
    let (filter, page) = query::read(&pairs, &state.shop).map_err(Problem::fields)?;
    let fields = Fields::read::<OrderView>(&pairs).map_err(Problem::field)?;
    let page = state.store.orders(&filter, page).await?;
    let (present, now) = (Present::read(&state).await?, state.clock.now());
    let data = page.orders.iter().map(|record| {
        let url = state.checkout_url(record);
        fields.of(view::order(record, &present, &state.shop, url, now))
    });
    Ok(Json(OrderList {
        data: data.collect(),
        next_cursor: page.next.map(|seq| bound_cursor(&cursor(seq), &pairs)),
        has_more: page.next.is_some(),
    }))
}

/// How far the chains are covered.
pub(crate) async fn heads(state: &ApiState) -> Result<Heads, StoreError> {
    let chains = state.store.chains().await?;
    Ok(chains
        .into_iter()
        .map(|chain| (chain.heads.chain_id, chain.heads))
        .collect())
}
