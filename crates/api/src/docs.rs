//! The API's own description (OpenAPI 3.1) and its rendered reference.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// What a browser may load on the reference's pages: nothing from anywhere else.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// What the description says beside the routes, which say the rest themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "paywatch",
        description = "Be paid in USDT straight on chain. Make an order, show its address, ship when it is `completed`.\n\nAmounts are decimal strings, times RFC 3339 in UTC, addresses EIP-55. Errors are problem details (RFC 9457).",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    modifiers(&ApiKey),
    tags(
        (name = "orders", description = "What you expect to be paid, and what came in"),
        (name = "decisions", description = "What you decide about orders and payments, and the audit log of it"),
        (name = "payments", description = "What was paid, and what shows it"),
        (name = "refunds", description = "What your own wallet is to send back, and what became of it"),
        (name = "checkout", description = "What payers see, without a key: an order's own page"),
        (name = "chains", description = "Where you are paid, and how far the books go"),
        (name = "health", description = "Is it alive, does it do all of its work")
    )
)]
pub(crate) struct Document;

/// Says how to authenticate.
struct ApiKey;

impl Modify for ApiKey {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description =
            Some("A key made with `paywatch api-key create`, like pw_live_…".to_owned());
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
}
