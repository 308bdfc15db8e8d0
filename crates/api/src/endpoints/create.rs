//! Webhooks are made, and given other secrets: the two answers that hold a secret.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use paywatch_core::{
    DecisionKind, EndpointId, EndpointKind, MOST_SECRETS, MOST_WEBHOOKS, SignatureKind,
    USUAL_OVERLAP_S,
};
use paywatch_store::{EndpointOutcome, EndpointRecord, NewEndpoint};
use secrecy::SecretString;
use uuid::Uuid;

use crate::auth::Caller;
use crate::body::read_object;
use crate::deciding::new_decision;
use crate::endpoints::manage::{only_webhooks, taken};
use crate::endpoints::request::{self, CreateEndpoint, RotateSecret};
use crate::endpoints::view::{EndpointView, WithSecret, signature_of};
use crate::endpoints::{called, desk, find, missing, read_id, shown, shown_url};
use crate::idempotency::KeptInstead;
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::state::ApiState;
use crate::wire::time;

/// Make a webhook
///
/// It is told of what happens from now on; of what happened before with `redeliver`. Each request is
/// signed as Standard Webhooks says, so that its libraries check it. The secret is in this answer and
/// in no other: store it now. With `format` `blockatm` it is told of payments as the gateway `BlockATM`
/// tells, signed by a key whose `public_key` is always shown.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints", operation_id = "create_webhook_endpoint", tag = "webhooks", security(("api_key" = [])),
    request_body = CreateEndpoint,
    responses(
        (status = 201, description = "It was made; this is its secret", body = WithSecret),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "This daemon sends no webhooks", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another webhook has the name, or there are 50", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong fields, all of them at once; nothing may be sent to such a URL", body = ProblemBody, content_type = "application/problem+json",
            example = json!({"type": "/docs/problems#invalid_fields", "title": "Some fields are wrong", "status": 422, "code": "invalid_fields", "detail": "wrong: url", "errors": [{"field": "url", "code": "not_allowed", "detail": "10.0.0.7 is 10.0.0.7, which is a private address; only public addresses are asked, and those that the operator lists as allowed"}], "request_id": "5f1d7a84-db00-42fc-9e00-b31a7fc73224"})),
    )
)]
pub(crate) async fn create(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let desk = desk(&state)?;
    let asked = request::create(&object, &|url| desk.check_url(url)).map_err(Problem::fields)?;
    let secret = secret(&state, asked.signature)?;
    let new = NewEndpoint {
        id: EndpointId::from_bytes(*Uuid::now_v7().as_bytes()),
        kind: EndpointKind::Webhook,
        name: asked.name.to_string(),
        url: asked.url,
        format: asked.format,
        types: asked.types,
        secrets: vec![secret.clone()],
        created_at: state.clock.now(),
    };
    let at = shown_url(new.kind, &new.url).unwrap_or_default();
    let detail = format!(
        "{} \"{}\" made: told of {} at {at}, signed by {}",
        new.id, new.name, new.types, asked.signature
    );
    let kind = DecisionKind::CreateEndpoint;
    let decision = new_decision(&state, &caller, kind, &asked.reason, detail);
    let outcome = state.store.create_endpoint(&new, Some(&decision)).await?;
    let made = match outcome {
        EndpointOutcome::Done(made) => made,
        EndpointOutcome::NameTaken(other) => return Err(taken(&new.name, other)),
        EndpointOutcome::Full | EndpointOutcome::Missing => {
            let detail = format!(
                "there are {MOST_WEBHOOKS} webhooks, the most that there may be; change one that \
                 is not needed any more, and enable it"
            );
            return Err(Problem::because(Code::Refused, detail));
        },
    };
    tracing::info!(endpoint.id = %made.id, decision.id = decision.id, decision.by = decision.by, "{}", decision.detail);
    let location = format!("/v1/webhook-endpoints/{}", made.id);
    let mut response = answer(
        &state,
        StatusCode::CREATED,
        &made,
        (asked.signature, secret),
    )
    .await?;
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Give a webhook another secret
///
/// Those before it sign along until the overlap is over: each request then has several signatures,
/// and every one of your servers accepts it, whichever secret it has. The new secret is in this
/// answer and in no other. In the form `blockatm` one key signs, the newest.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/rotate-secret", operation_id = "rotate_webhook_secret", tag = "webhooks", security(("api_key" = [])),
    params(("id" = String, Path, description = "The endpoint's id", example = "ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")),
    request_body = RotateSecret,
    responses(
        (status = 200, description = "The endpoint, and its new secret", body = WithSecret),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such endpoint", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is no webhook, or 5 secrets sign for it already", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong fields, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn rotate(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let (overlap_s, reason) = request::rotate(&object).map_err(Problem::fields)?;
    let known = find(&state, read_id(id)?).await?;
    only_webhooks(&known, "given another secret")?;
    let signature = signature_of(&known, desk(&state)?);
    let overlap_s = overlap(signature, overlap_s)?;
    let secret = secret(&state, signature)?;
    let now = state.clock.now();
    let overlap_ms = i64::try_from(overlap_s.saturating_mul(1_000)).unwrap_or(i64::MAX);
    let ends_at = now.plus_ms(overlap_ms).unwrap_or(now);
    let ends = time(ends_at);
    let detail = format!(
        "{} has another secret; others sign until {ends}",
        called(&known)
    );
    let kind = DecisionKind::RotateSecret;
    let decision = new_decision(&state, &caller, kind, &reason, detail);
    let store = &state.store;
    let outcome = store
        .rotate_endpoint_secret(known.id, (&secret, ends_at), &decision)
        .await?;
    let rotated = match outcome {
        EndpointOutcome::Done(rotated) => rotated,
        EndpointOutcome::Missing | EndpointOutcome::NameTaken(_) => return Err(missing(known.id)),
        EndpointOutcome::Full => {
            let detail = format!(
                "{MOST_SECRETS} secrets sign for {} already, the most that there may be: wait until \
                 one ends, or end all others with \"overlap_seconds\": 0",
                known.id
            );
            return Err(Problem::because(Code::Refused, detail));
        },
    };
    tracing::info!(endpoint.id = %known.id, decision.id = decision.id, decision.by = decision.by, "{}", decision.detail);
    answer(&state, StatusCode::OK, &rotated, (signature, secret)).await
}

/// For how many seconds secrets before the newest sign along. Of `p256`, one signature is sent.
fn overlap(signature: SignatureKind, asked_s: Option<u64>) -> Result<u64, Problem> {
    match (signature, asked_s) {
        (SignatureKind::Hmac | SignatureKind::Ed25519, asked_s) => {
            Ok(asked_s.unwrap_or(USUAL_OVERLAP_S))
        },
        (SignatureKind::P256 | SignatureKind::Md5, None | Some(0)) => Ok(0),
        (SignatureKind::P256 | SignatureKind::Md5, Some(_)) => {
            let detail = "in the form blockatm one key signs, the newest: leave it out, and give \
                          your receiver the new public key";
            let error = FieldError::new("overlap_seconds", "unsupported", detail);
            Err(Problem::fields(vec![error]))
        },
    }
}

fn secret(state: &ApiState, kind: SignatureKind) -> Result<SecretString, Problem> {
    desk(state)?.new_secret(kind).map_err(|error| {
        tracing::error!(error, "no secret could be made");
        Problem::new(Code::Internal)
    })
}

/// The answer that shows a secret, and what is kept of it for who asks again under the same
/// idempotency key: everything else.
async fn answer(
    state: &ApiState,
    status: StatusCode,
    endpoint: &EndpointRecord,
    (signature, secret): (SignatureKind, SecretString),
) -> Result<Response, Problem> {
    let view: EndpointView = shown(state, endpoint).await?;
    let with = |secret| WithSecret {
        endpoint: view.clone(),
        secret,
    };
    let kept = serde_json::to_string(&with(None)).map_err(|error| {
        tracing::error!(%error, "an answer is no JSON");
        Problem::new(Code::Internal)
    })?;
    let shared = signature.is_shared().then_some(secret);
    let mut response = (status, Json(with(shared))).into_response();
    response.extensions_mut().insert(KeptInstead(kept));
    Ok(response)
}
