//! All routes, and what every request goes through.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY as CSP, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use paywatch_core::Scope;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::auth::require;
use crate::docs::{CONTENT_SECURITY_POLICY, Document, describe_access, describe_parts};
use crate::door::Door;
use crate::limits::enforce;
use crate::problem::{Code, Problem, REQUEST_ID, finish, page};
use crate::state::ApiState;
use crate::{
    blockatm, chains, checkout, decisions, endpoints, epusdt, etag, events, health, idempotency,
    limits, look_alikes, metrics, orders, payments, refunds, sweeps, tokens,
};

/// How long a request may take: longer than anybody may wait for an order.
const TIMEOUT: Duration = Duration::from_secs(40);
/// The longest request id that is taken from a caller.
const LONGEST_REQUEST_ID: usize = 128;
/// Where the description is.
const DESCRIPTION: &str = "/openapi.json";

/// The routes that need a key, with what the key must be allowed.
fn with_key() -> OpenApiRouter<ApiState> {
    let no_routes = OpenApiRouter::new;
    OpenApiRouter::new()
        .merge(for_scopes(
            &[Scope::OrdersRead],
            no_routes()
                .routes(routes!(orders::list))
                .routes(routes!(orders::read))
                .routes(routes!(orders::qr::svg))
                .routes(routes!(orders::qr::png))
                .routes(routes!(chains::list))
                .routes(routes!(tokens::list)),
        ))
        .merge(for_scopes(
            &[Scope::OrdersWrite],
            no_routes().routes(routes!(orders::create)),
        ))
        .merge(for_scopes(
            &[Scope::PaymentsRead],
            no_routes()
                .routes(routes!(payments::list))
                .routes(routes!(payments::read))
                .routes(routes!(payments::proof))
                .routes(routes!(look_alikes::list))
                .routes(routes!(sweeps::list))
                .routes(routes!(sweeps::read)),
        ))
        .merge(for_scopes(
            // They tell of orders and of payments, those that belong to no order, too.
            &[Scope::OrdersRead, Scope::PaymentsRead],
            no_routes()
                .routes(routes!(events::list))
                .routes(routes!(events::read)),
        ))
        .merge(for_scopes(
            &[Scope::Operator],
            no_routes()
                .routes(routes!(orders::decide::cancel))
                .routes(routes!(orders::decide::extend))
                .routes(routes!(orders::decide::accept))
                .routes(routes!(decisions::list))
                .routes(routes!(payments::decide::assign))
                .routes(routes!(payments::decide::unassign))
                .routes(routes!(payments::decide::write_off))
                .routes(routes!(refunds::prepare::prepare))
                .routes(routes!(refunds::list))
                .routes(routes!(refunds::read))
                .routes(routes!(refunds::draw))
                .routes(routes!(refunds::decide::cancel))
                .routes(routes!(refunds::decide::link))
                .routes(routes!(limits::blocks::list))
                .routes(routes!(limits::blocks::lift)),
        ))
        .merge(for_scopes(
            &[Scope::Webhooks],
            no_routes()
                .routes(routes!(endpoints::list, endpoints::create::create))
                .routes(routes!(endpoints::read, endpoints::manage::change))
                .routes(routes!(endpoints::create::rotate))
                .routes(routes!(endpoints::manage::disable))
                .routes(routes!(endpoints::manage::enable))
                .routes(routes!(endpoints::deliveries::list))
                .routes(routes!(endpoints::deliveries::read))
                .routes(routes!(endpoints::redeliver::redeliver)),
        ))
}

/// The same of those whose answers go on and on, so that nobody can wait for all of them.
fn with_key_for_ever() -> OpenApiRouter<ApiState> {
    for_scopes(
        &[Scope::OrdersRead, Scope::PaymentsRead],
        OpenApiRouter::new().routes(routes!(events::stream::follow)),
    )
}

/// `routes` for keys that may do all of `scopes`, and what each of them may answer because of that.
fn for_scopes(
    scopes: &'static [Scope],
    routes: OpenApiRouter<ApiState>,
) -> OpenApiRouter<ApiState> {
    let mut routes = routes.route_layer(from_fn_with_state(scopes, require));
    describe_access(routes.get_openapi_mut(), scopes);
    routes
}

/// The routes that need none.
fn open() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::read))
        .merge(checkout::routes())
}

/// The API's own description, OpenAPI 3.1.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let with_key = with_key().merge(with_key_for_ever());
    let mut description = open().merge(with_key).into_openapi();
    describe_parts(&mut description);
    description
}

/// The whole API.
pub fn router(state: ApiState) -> Router {
    let with_key = with_key()
        .route_layer(from_fn_with_state(state.clone(), idempotency::once))
        .route_layer(set(CACHE_CONTROL, "no-store"))
        .route_layer(from_fn(etag::tagged))
        .merge(with_key_for_ever());
    let (routes, mut description) = open().merge(with_key).split_for_parts();
    describe_parts(&mut description);
    let own = routes
        .merge(reference(description))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state((state.clone(), Door::Own), enforce));
    let gateway = blockatm::routes()
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state((state.clone(), Door::BlockAtm), enforce));
    // Who has not configured it has no such route.
    let plugins = match &state.epusdt {
        Some(_) => epusdt::routes()
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn_with_state((state.clone(), Door::Epusdt), enforce)),
        None => Router::new(),
    };
    own.merge(gateway)
        .merge(plugins)
        .with_state(state)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            TIMEOUT,
        ))
        .layer(from_fn(log))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_request(())
                .on_response(())
                .on_failure(()),
        )
        .layer(from_fn(finish))
        .layer(set(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(REFERRER_POLICY, "no-referrer"))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(from_fn(drop_strange_id))
}

/// The description and its rendered pages, which load nothing from anywhere else.
fn reference(description: utoipa::openapi::OpenApi) -> Router<ApiState> {
    // Swagger UI would have a third party's server judge the description.
    let config = Config::from(DESCRIPTION)
        .validator_url("none")
        .use_base_layout();
    let pages: Router<ApiState> = SwaggerUi::new("/docs")
        .config(config)
        .url(DESCRIPTION, description)
        .into();
    pages
        .route(page::PATH, get(page::read))
        .layer(set(CSP, CONTENT_SECURITY_POLICY))
}

/// Sets a header of every answer.
fn set(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

/// What every log line of a request says. The query is left out: it may hold a customer's data.
fn span(request: &Request) -> tracing::Span {
    let id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default();
    tracing::info_span!(
        "request",
        request.id = id,
        http.method = %request.method(),
        http.path = checkout::without_token(request.uri().path())
    )
}

/// Logs every request once, when it is answered; probes and pages, which come all the time, only if
/// wanted.
async fn log(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let path = checkout::without_token(request.uri().path()).to_owned();
    let method = request.method().clone();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let is_probe = matches!(path.as_str(), "/healthz" | "/readyz" | "/metrics");
    if is_probe || path.starts_with(checkout::PAGES) {
        tracing::debug!(http.status = status, took_ms, "{method} {path}: {status}");
    } else {
        tracing::info!(http.status = status, took_ms, "{method} {path}: {status}");
    }
    response
}

/// Drops a caller's request id that does not look like one: it goes into answers and logs.
async fn drop_strange_id(mut request: Request, next: Next) -> Response {
    let is_strange = |id: &HeaderValue| {
        let is_plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        id.is_empty() || id.len() > LONGEST_REQUEST_ID || !id.as_bytes().iter().all(is_plain)
    };
    if request.headers().get(REQUEST_ID).is_some_and(is_strange) {
        request.headers_mut().remove(REQUEST_ID);
    }
    next.run(request).await
}

/// A panic is a bug, but only of the one request.
fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause
        .downcast::<String>()
        .map(|text| *text)
        .or_else(|cause| cause.downcast::<&str>().map(|text| (*text).to_owned()))
        .ok();
    tracing::error!(cause = text, "a request panicked; please report this");
    Problem::new(Code::Internal).into_response()
}

async fn not_found(request: Request) -> Problem {
    let path = request.uri().path();
    Problem::because(
        Code::NotFound,
        format!("there is nothing at {path}; see /docs"),
    )
}

async fn method_not_allowed(request: Request) -> Problem {
    let (method, path) = (request.method(), request.uri().path());
    Problem::because(
        Code::MethodNotAllowed,
        format!("{method} does not exist at {path}; see /docs"),
    )
}
