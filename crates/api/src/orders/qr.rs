//! An order's QR code, for a merchant's own pages.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};

use crate::orders::view::ask::{Content, due, is_payable};
use crate::orders::way::{Wish, WishParams};
use crate::orders::{find, read_id};
use crate::parameters::{read_each, unknown};
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::qr::{self, DrawError};
use crate::state::ApiState;

const PARAMETERS: [&str; 5] = ["chain", "token", "method", "plain", "size"];
/// The sides that an image may have, in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 96..=2_048;

/// Which image is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Asked<'a> {
    wish: Wish<'a>,
    content: Content,
    side: Option<u32>,
}

/// Draw an order's QR code as SVG
///
/// What remains to be paid, as wallets read it (EIP-681), or the address alone with `plain=true`.
/// Of several ways to pay, the parameters say which; else it is the first that takes no more than a
/// transfer.
#[utoipa::path(
    get, path = "/v1/orders/{id}/qr.svg", operation_id = "draw_order", tag = "orders", security(("api_key" = [])),
    params(
        ("id" = String, Path, description = "The order's id", example = "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b"),
        WishParams,
        ("plain" = Option<bool>, Query, description = "Whether the address alone is wanted"),
        ("size" = Option<u32>, Query, description = "The least side in pixels, 96 to 2048, 256 if not given"),
    ),
    responses(
        (status = 200, description = "The code", body = String, content_type = "image/svg+xml"),
        (status = 404, description = "There is no such order", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is not to be paid now, or the rest not in this way", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong parameters, or a way that the order does not have", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn svg(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let (text, side) = content(&state, id, pairs).await?;
    Ok(image(qr::svg(&text, side).map_err(undrawn)?))
}

/// Draw an order's QR code as PNG
///
/// As `qr.svg`, in exactly the size that is asked for.
#[utoipa::path(
    get, path = "/v1/orders/{id}/qr.png", operation_id = "draw_order_png", tag = "orders", security(("api_key" = [])),
    params(
        ("id" = String, Path, description = "The order's id", example = "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b"),
        WishParams,
        ("plain" = Option<bool>, Query, description = "Whether the address alone is wanted"),
        ("size" = Option<u32>, Query, description = "The side in pixels, 96 to 2048, 256 if not given"),
    ),
    responses(
        (status = 200, description = "The code", body = Vec<u8>, content_type = "image/png"),
        (status = 404, description = "There is no such order", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is not to be paid now, or the rest not in this way", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong parameters, or a way that the order does not have", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn png(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let (text, side) = content(&state, id, pairs).await?;
    let file = qr::png(&text, side).map_err(undrawn)?;
    let kind = HeaderValue::from_static("image/png");
    Ok(([(CONTENT_TYPE, kind)], file).into_response())
}

/// An SVG image.
pub(crate) fn image(svg: String) -> Response {
    let kind = HeaderValue::from_static("image/svg+xml");
    ([(CONTENT_TYPE, kind)], svg).into_response()
}

/// Why there is no image.
pub(crate) fn undrawn(error: DrawError) -> Problem {
    match error {
        DrawError::TooSmall { .. } => {
            Problem::fields(vec![FieldError::new("size", "too_small", error)])
        },
        DrawError::TooLong(_) | DrawError::Png(_) => {
            let cause: &dyn std::error::Error = &error;
            tracing::error!(error = cause, "an order could not be drawn");
            Problem::new(Code::Internal)
        },
    }
}

/// What the code says, and how large it is to be.
async fn content(
    state: &ApiState,
    id: Result<Path<String>, PathRejection>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<(String, u32), Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let asked = read(&pairs).map_err(Problem::fields)?;
    let record = find(state, read_id(id)?).await?;
    if !is_payable(&record, state.clock.now()) {
        // Whoever still has it on a screen must not pay twice, or in vain.
        let (id, status) = (record.order.id, record.snapshot.status);
        let detail = format!("{id} is {status} or past its deadline, and must not be paid now");
        return Err(Problem::because(Code::Refused, detail));
    }
    let way = asked.wish.find(&record.order, &state.shop);
    let way = way.ok_or_else(|| {
        let detail = "the order cannot be paid so; its options say how it can";
        Problem::fields(vec![FieldError::new("chain", "not_offered", detail)])
    })?;
    let ask = due(&record, way).ok_or_else(|| {
        let detail = "some of it is paid, and the rest cannot be paid by this way";
        Problem::because(Code::Refused, detail)
    })?;
    let text = ask.text(asked.content).ok_or_else(|| {
        let detail = "with the method contract, a mere transfer to an address pays nothing";
        Problem::fields(vec![FieldError::new("plain", "invalid", detail)])
    })?;
    Ok((text.to_owned(), asked.side.unwrap_or(qr::USUAL_SIDE)))
}

fn invalid(name: &str, detail: String) -> FieldError {
    FieldError::new(name, "invalid", detail)
}

/// Reads the parameters; every one that is wrong is told.
fn read(pairs: &[(String, String)]) -> Result<Asked<'_>, Vec<FieldError>> {
    let mut asked = Asked::default();
    read_each(pairs, &[], |name, value| {
        match name {
            "chain" => asked.wish.chain = Some(value),
            "token" => asked.wish.token = Some(value),
            "method" => asked.wish.method = Some(value),
            "plain" => {
                asked.content = match value {
                    "true" => Content::Address,
                    "false" => Content::Uri,
                    _other => return Err(invalid(name, "must be true or false".to_owned())),
                };
            },
            "size" => {
                let side = value.parse().ok().filter(|side| SIDES.contains(side));
                let (least, most) = (SIDES.start(), SIDES.end());
                let wrong = || invalid(name, format!("must be between {least} and {most}"));
                asked.side = Some(side.ok_or_else(wrong)?);
            },
            _unknown => return Err(unknown(name, &PARAMETERS)),
        }
        Ok(())
    })?;
    Ok(asked)
}
