//! What a browser may load and run on the page, and what nobody may read there.

use axum::http::StatusCode;
use serde_json::json;

use crate::api::{Api, HOSTILE};
use crate::checkout::{assert_strict, made, page, path, values, visit};

#[tokio::test]
async fn nothing_of_others_is_loaded_and_nothing_runs_inline() {
    let api = Api::open().await;
    let order = api.order("INV-1").await;
    let shown = page(&api, &path(&order)).await;
    for src in values(&shown, "src") {
        let file = visit(&api, &format!("/pay/{src}")).await;
        assert_eq!(file.status, StatusCode::OK, "{src}");
        assert!(!src.contains("//") && !src.starts_with('/'), "{src}");
    }
    let style = values(&shown, "href")
        .into_iter()
        .find(|href| href.ends_with(".css"));
    let script = values(&shown, "src")
        .into_iter()
        .find(|src| src.ends_with(".js"));
    for (name, kind) in [
        (style, "text/css; charset=utf-8"),
        (script, "text/javascript; charset=utf-8"),
    ] {
        let file = visit(&api, &format!("/pay/{}", name.unwrap())).await;
        assert_eq!(file.header("content-type"), Some(kind));
        assert_strict(&file, "public, max-age=31536000, immutable");
        assert!(!file.text().contains("://"), "{}", file.text());
    }
    for href in values(&shown, "href") {
        let is_own =
            href.starts_with("assets/") || href.starts_with('?') || href.starts_with("ethereum:0x");
        assert!(is_own, "{href}");
    }
    assert_eq!(shown.matches("<script").count(), 1);
    assert_eq!(shown.matches("<script src=\"assets/").count(), 1);
    for inline in [
        "<style",
        " style=",
        " onclick=",
        " onload=",
        " onerror=",
        "javascript:",
    ] {
        assert!(!shown.contains(inline), "{inline}: {shown}");
    }
    visit(&api, "/pay/assets/checkout.css")
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn names_are_text_and_what_is_the_merchants_stays_his() {
    let api = Api::open().await;
    let secret = "<img src=x onerror=alert(1)>";
    let order = made(&api, json!({"reference": "SECRET-REF", "amount": "100", "metadata": {"note": secret, "secret-key": "secret-value"}})).await;
    for path in [path(&order), format!("{}/status", path(&order))] {
        let shown = visit(&api, &path).await.text();
        let id = order["id"].as_str().unwrap();
        for hidden in [
            "SECRET-REF",
            "secret-key",
            "secret-value",
            "onerror",
            id,
            HOSTILE,
        ] {
            assert!(!shown.contains(hidden), "{hidden}: {shown}");
        }
    }
    let shown = page(&api, &path(&order)).await;
    assert!(shown.contains("Tea &#38; &#60;script&#62;"), "{shown}");
}

#[tokio::test]
async fn a_page_that_is_not_there_is_said_to_be_missing() {
    let api = Api::open().await;
    let order = api.order("INV-1").await;
    let unknown = "chk_00000000000000000000000000000000";
    for token in [
        unknown,
        "chk_",
        order["id"].as_str().unwrap(),
        "%ff",
        "%3Cscript%3E",
    ] {
        let answer = visit(&api, &format!("/pay/{token}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer:?}");
        assert_strict(&answer, "no-store");
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(
            answer.text().contains("There is no such page"),
            "{answer:?}"
        );
        assert!(!answer.text().contains("<script"), "{answer:?}");
    }
    for rest in ["status", "qr.svg"] {
        visit(&api, &format!("/pay/{unknown}/{rest}"))
            .await
            .problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_payer_is_asked_to_wait_while_the_database_is_away() {
    let api = Api::open().await;
    let order = api.order("INV-1").await;
    api.store.close().await;
    let answer = visit(&api, &path(&order)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert_strict(&answer, "no-store");
    assert!(answer.text().contains("Nothing is lost"), "{answer:?}");
    assert!(
        answer
            .text()
            .contains(r#"http-equiv="refresh" content="10""#),
        "{answer:?}"
    );
    let status = visit(&api, &format!("{}/status", path(&order))).await;
    status.problem(503, "unavailable");
}
