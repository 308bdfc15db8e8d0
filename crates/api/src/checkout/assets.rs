//! The page's own files. Their names hold a digest of their content, so that browsers may keep them.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};
use utoipa_axum::router::OpenApiRouter;

use crate::problem::{Code, Problem};
use crate::state::ApiState;

/// How the page looks.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| Asset {
    name: named("checkout", include_str!("../../assets/checkout.css"), "css"),
    kind: HeaderValue::from_static("text/css; charset=utf-8"),
    content: include_str!("../../assets/checkout.css"),
});
/// Its mark in a browser's tab.
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| Asset {
    name: named("checkout", include_str!("../../assets/checkout.svg"), "svg"),
    kind: HeaderValue::from_static("image/svg+xml"),
    content: include_str!("../../assets/checkout.svg"),
});
/// How it changes by itself.
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| Asset {
    name: named("checkout", include_str!("../../assets/checkout.js"), "js"),
    kind: HeaderValue::from_static("text/javascript; charset=utf-8"),
    content: include_str!("../../assets/checkout.js"),
});

/// A file that is part of the program.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Its name, with a digest of its content.
    pub(crate) name: String,
    kind: HeaderValue,
    content: &'static str,
}

fn named(stem: &str, content: &str, ending: &str) -> String {
    let digest = hex::encode(Sha256::digest(content));
    let digest = digest.get(..16).unwrap_or_default();
    format!("{stem}.{digest}.{ending}")
}

/// Where the files are.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().route("/pay/assets/{name}", get(read))
}

async fn read(Path(name): Path<String>) -> Response {
    let asset = [&STYLE, &SCRIPT, &ICON]
        .into_iter()
        .find(|asset| asset.name == name);
    let Some(asset) = asset else {
        return Problem::because(Code::NotFound, "there is no such file").into_response();
    };
    let for_ever = HeaderValue::from_static("public, max-age=31536000, immutable");
    let headers = [
        (CONTENT_TYPE, asset.kind.clone()),
        (CACHE_CONTROL, for_ever),
    ];
    (StatusCode::OK, headers, asset.content).into_response()
}
