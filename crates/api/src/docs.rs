//! The API's own description (OpenAPI 3.1) and its rendered reference.

mod parts;

use paywatch_core::Scope;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, Required, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

pub(crate) use crate::docs::parts::describe_parts;

/// What a browser may load on the reference's pages: nothing from anywhere else.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// What every route with a key may answer, in these words if it has none of its own.
const OF_ALL: [(&str, &str); 2] = [
    ("401", "No valid key"),
    ("503", "The database does not answer"),
];

/// What the description says beside the routes, which say the rest themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "paywatch",
        description = "Be paid in USDT straight on chain. Make an order, show its address, ship when it is `completed`.\n\nAmounts are decimal strings, times RFC 3339 in UTC, addresses EIP-55. Errors are problem details (RFC 9457); [Problems](/docs/problems) says what each means and what to do about it.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    modifiers(&ApiKey),
    tags(
        (name = "orders", description = "What you expect to be paid, and what came in"),
        (name = "decisions", description = "What you decide about orders and payments, and the audit log of it"),
        (name = "payments", description = "What was paid, and what shows it"),
        (name = "events", description = "What happened, in order and without gaps: listed, waited for, or as a stream"),
        (name = "refunds", description = "What your own wallet is to send back, and what became of it"),
        (name = "webhooks", description = "Who is told of events, how each fares, and telling again"),
        (name = "checkout", description = "What payers see, without a key: an order's own page"),
        (name = "chains", description = "Where you are paid, and how far the books go"),
        (name = "limits", description = "Who is blocked because requests went on after they were refused"),
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

/// Says of every route of `openapi` that its key must be allowed `scopes`, and what follows when it
/// is not, or calls too often.
pub(crate) fn describe_access(openapi: &mut utoipa::openapi::OpenApi, scopes: &[Scope]) {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    let scope = match names.as_slice() {
        [one] => format!("the scope {one}"),
        several => format!("one of the scopes {}", several.join(", ")),
    };
    for path in openapi.paths.paths.values_mut() {
        for operation in operations(path) {
            let security = SecurityRequirement::new("api_key", names.clone());
            operation.security = Some(vec![security]);
            let answers = [
                (
                    "403",
                    format!("The key lacks {scope}, or may not be used from there"),
                ),
                (
                    "418",
                    "Requests went on after 429: blocked until Retry-After".to_owned(),
                ),
                (
                    "429",
                    "Too many requests: try again after Retry-After".to_owned(),
                ),
            ];
            for (status, what) in answers {
                let responses = &mut operation.responses.responses;
                responses.insert(status.to_owned(), problem(what).into());
            }
            for (status, what) in OF_ALL {
                let answer = operation.responses.responses.entry(status.to_owned());
                answer.or_insert_with(|| problem(what.to_owned()).into());
            }
            if operation.request_body.is_some() {
                describe_body(operation);
            }
        }
        let creating = path.post.as_mut();
        if let Some(creating) = creating.filter(|it| it.request_body.is_some()) {
            describe_key(creating);
        }
    }
}

/// What follows from a body that cannot be read.
fn describe_body(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (status, what) in [
        (
            "400",
            "The body is not a JSON object, or a header cannot be understood",
        ),
        ("408", "The body came too slowly"),
        (
            "409",
            "As things stand, this cannot be done, or the same request is being answered",
        ),
        ("413", "The body is too large"),
        ("415", "The body is not application/json"),
        (
            "422",
            "Some fields are wrong, or the idempotency key was another request's",
        ),
    ] {
        let answer = responses.entry(status.to_owned());
        answer.or_insert_with(|| problem(what.to_owned()).into());
    }
}

/// What an idempotency key is.
fn describe_key(operation: &mut Operation) {
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Your own key for this request: asked again with it within a day, the answer is the same",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).max_length(Some(255)).build()))
        .example(Some("5f1d7a84-db00-42fc-9e00-b31a7fc73224".into()))
        .build();
    operation
        .parameters
        .get_or_insert_default()
        .push(key.into());
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        post,
        put,
        delete,
        patch,
        ..
    } = path;
    [get, post, put, delete, patch].into_iter().flatten()
}

fn problem(what: String) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(what)
        .content("application/problem+json", content)
        .build()
}
