//! All routes, and what every request goes through.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CONTENT_SECURITY_POLICY as CSP, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use utoipa_swagger_ui::SwaggerUi;

use crate::auth::require_key;
use crate::docs::{CONTENT_SECURITY_POLICY, openapi};
use crate::problem::{Code, Problem, REQUEST_ID, finish};
use crate::state::ApiState;
use crate::{chains, health, orders};

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The whole API.
pub fn router(state: ApiState) -> Router {
    let with_key = Router::new()
        .route("/v1/orders", post(orders::create).get(orders::list))
        .route("/v1/orders/{id}", get(orders::read))
        .route("/v1/chains", get(chains::list))
        .route_layer(from_fn_with_state(state.clone(), require_key));
    let docs: Router<ApiState> = SwaggerUi::new("/docs")
        .url("/openapi.json", openapi())
        .into();
    let docs = docs.layer(SetResponseHeaderLayer::overriding(
        CSP,
        HeaderValue::from_static(CONTENT_SECURITY_POLICY),
    ));
    let open = Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready));
    let nosniff = HeaderValue::from_static("nosniff");
    let no_referrer = HeaderValue::from_static("no-referrer");
    with_key
        .merge(open)
        .merge(docs)
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(state)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            TIMEOUT,
        ))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(from_fn(finish))
        .layer(SetResponseHeaderLayer::if_not_present(
            X_CONTENT_TYPE_OPTIONS,
            nosniff,
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            REFERRER_POLICY,
            no_referrer,
        ))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
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
        http.path = request.uri().path()
    )
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
