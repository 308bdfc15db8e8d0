//! The page on which an order is paid, for whoever has its URL.
//!
//! It is put together here and works without a script; a script of our own only listens to whether
//! something has changed. Nothing is loaded from anybody else.

mod assets;
mod follow;
mod page;
mod standing;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY as CSP};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use paywatch_core::{ChainId, CheckoutToken};
use paywatch_store::OrderRecord;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::checkout::page::{Chosen, Message};
use crate::checkout::standing::{Standing, standing};
use crate::orders::heads;
use crate::orders::qr::{image, undrawn};
use crate::orders::view::ask::{due, is_payable};
use crate::orders::way::WishParams;
use crate::problem::{Code, Problem, ProblemBody};
use crate::qr;
use crate::state::ApiState;

/// Where the pages are, under the URL that payers reach the daemon by.
pub(crate) const PAGES: &str = "/pay/";
/// What a browser may do on the page: nothing that is not ours.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// How orders are shown to those who pay them.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// What the URLs of pages begin with, as payers reach them; without a slash at its end.
    pub public_url: String,
    /// What payers know the merchant by, if they are told.
    pub merchant_name: Option<String>,
    /// What payers call the chains, where that is not the configured name.
    pub chain_titles: BTreeMap<ChainId, String>,
}

impl Checkout {
    /// The URL of a page.
    pub(crate) fn url(&self, token: CheckoutToken) -> String {
        format!("{}{PAGES}{token}", self.public_url)
    }
}

/// The routes of pages, which need no key: their URLs are what nobody can guess.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    let header =
        |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    let pages = OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(read_status))
        .routes(routes!(follow::follow))
        .routes(routes!(draw))
        .layer(header(CACHE_CONTROL, "no-store"));
    pages
        .merge(assets::routes())
        .layer(header(CSP, CONTENT_SECURITY_POLICY))
}

/// What of a request's path may be logged: whoever reads logs need not see what is paid.
pub(crate) fn without_token(path: &str) -> &str {
    let rest = path.strip_prefix(PAGES).unwrap_or_default();
    if rest.starts_with(CheckoutToken::PREFIX) {
        "/pay/{token}"
    } else {
        path
    }
}

/// Show an order to its payer
///
/// An HTML page with what is to be paid, where to, and what has become of it. It works without
/// scripts.
#[utoipa::path(
    get, path = "/pay/{token}", operation_id = "show_checkout", tag = "checkout",
    params(
        ("token" = String, Path, description = "The end of the order's checkout_url", example = "chk_5f1d7a84db00d2fce00b31a7fc73224f"),
        WishParams,
        ("qr" = Option<String>, Query, description = "`address` for a QR code of the address alone"),
    ),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 404, description = "A page that says that there is none", body = String, content_type = "text/html"),
        (status = 503, description = "A page that asks to wait", body = String, content_type = "text/html"),
    )
)]
pub(crate) async fn show(
    State(state): State<ApiState>,
    token: Result<Path<String>, PathRejection>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Response {
    let pairs = pairs.map(|Query(pairs)| pairs).unwrap_or_default();
    let shown = async {
        let Found { checkout, record } = find(&state, token).await?;
        let standing = standing(&record, &heads(&state).await?, state.clock.now());
        let chosen = Chosen::read(&pairs);
        page::write(&record, &standing, &chosen, (&checkout, &state))
            .map_err(|error| unwritten(&error))
    };
    match shown.await {
        Ok(page) => Html(page).into_response(),
        Err(problem) => tell(&problem),
    }
}

/// Read what has become of an order, as its payer sees it
///
/// Ask again every few seconds, and less often when it fails. `revision` changes whenever something
/// else than `seconds_left` does.
#[utoipa::path(
    get, path = "/pay/{token}/status", operation_id = "read_checkout_status", tag = "checkout",
    params(("token" = String, Path, description = "The end of the order's checkout_url", example = "chk_5f1d7a84db00d2fce00b31a7fc73224f")),
    responses(
        (status = 200, description = "What has become of it", body = Standing),
        (status = 404, description = "There is no such page", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read_status(
    State(state): State<ApiState>,
    token: Result<Path<String>, PathRejection>,
) -> Result<Json<Standing>, Problem> {
    let Found { record, .. } = find(&state, token).await?;
    let heads = heads(&state).await?;
    Ok(Json(standing(&record, &heads, state.clock.now())))
}

/// Draw the QR code of an order's page
///
/// What remains to be paid, as wallets read it (EIP-681), or the address alone with `plain=true`.
#[utoipa::path(
    get, path = "/pay/{token}/qr.svg", operation_id = "draw_checkout", tag = "checkout",
    params(
        ("token" = String, Path, description = "The end of the order's checkout_url", example = "chk_5f1d7a84db00d2fce00b31a7fc73224f"),
        WishParams,
        ("plain" = Option<bool>, Query, description = "Whether the address alone is wanted"),
    ),
    responses(
        (status = 200, description = "The code", body = String, content_type = "image/svg+xml"),
        (status = 400, description = "The query cannot be understood", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such page", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is not to be paid now, or not in this way", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn draw(
    State(state): State<ApiState>,
    token: Result<Path<String>, PathRejection>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    // Not the usual one then: it would be another way than the page shows.
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let Found { record, .. } = find(&state, token).await?;
    let refused = || Problem::because(Code::Refused, "it is not to be paid now, or not so");
    if !is_payable(&record, state.clock.now()) {
        return Err(refused());
    }
    let chosen = Chosen::read(&pairs);
    // Not the nearest: a code for another chain than the page shows would mislead.
    let way = chosen.wish.find(&record.order, &state.shop);
    let ask = way.and_then(|way| due(&record, way)).ok_or_else(refused)?;
    let text = ask.text(chosen.content).ok_or_else(refused)?;
    Ok(image(qr::svg(text, qr::USUAL_SIDE).map_err(undrawn)?))
}

/// An order, and how it is shown.
struct Found {
    checkout: Arc<Checkout>,
    record: OrderRecord,
}

/// The order of a page, which must exist.
async fn find(
    state: &ApiState,
    token: Result<Path<String>, PathRejection>,
) -> Result<Found, Problem> {
    let Path(token) = token.map_err(|error| Problem::because(Code::NotFound, error))?;
    let token: CheckoutToken = token.parse().map_err(|_not_one| missing())?;
    let checkout = state.checkout.clone().ok_or_else(missing)?;
    let record = state.store.order_by_checkout(token).await?;
    let record = record.ok_or_else(missing)?;
    Ok(Found { checkout, record })
}

fn missing() -> Problem {
    Problem::because(Code::NotFound, "there is no such page")
}

fn unwritten(error: &askama::Error) -> Problem {
    let cause: &dyn std::error::Error = error;
    tracing::error!(error = cause, "a page could not be written");
    Problem::new(Code::Internal)
}

/// A problem as payers are told.
fn tell(problem: &Problem) -> Response {
    let status = problem.code().kind().status;
    let message = if status == StatusCode::NOT_FOUND {
        Message::missing()
    } else {
        Message::later()
    };
    match message.write() {
        Ok(page) => (status, Html(page)).into_response(),
        Err(error) => unwritten(&error).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_log_names_a_page() {
        let token = CheckoutToken::from_bytes([7; 16]);
        for path in [format!("/pay/{token}"), format!("/pay/{token}/status")] {
            assert_eq!(without_token(&path), "/pay/{token}");
        }
        for path in ["/pay/assets/checkout.css", "/v1/orders", "/pay/x"] {
            assert_eq!(without_token(path), path);
        }
    }
}
