//! The rendered reference loads nothing from anybody else.

use crate::api::{Answer, Api};

/// The values of `src` and `href` in a page.
fn resources(page: &str) -> Vec<&str> {
    ["src=\"", "href=\""]
        .into_iter()
        .flat_map(|attribute| page.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

fn is_own(resource: &str) -> bool {
    !resource.contains("://") && !resource.starts_with("//") && !resource.starts_with("data:")
}

#[track_caller]
fn assert_strict(answer: &Answer) {
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    for source in policy.split([' ', ';']) {
        assert!(!source.contains('.') && !source.contains('*'), "{policy}");
    }
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
}

#[tokio::test]
async fn the_pages_load_only_their_own_files() {
    let api = Api::open().await;
    let redirect = api.get("/docs").await;
    assert_eq!(redirect.header("location"), Some("/docs/"));
    let index = api.get("/docs/").await;
    assert_strict(&index);
    let page = index.text();
    let resources = resources(&page);
    assert!(resources.len() >= 4, "{page}");
    assert!(
        !page.contains("<style") && !page.contains(" onload="),
        "{page}"
    );
    for resource in resources {
        assert!(is_own(resource), "{resource}");
        let path = format!("/docs/{}", resource.trim_start_matches("./"));
        let file = api.get(&path).await;
        assert_eq!(file.status.as_u16(), 200, "{path}");
        assert_strict(&file);
    }
    // A script without a source would be inline, which the policy forbids.
    assert_eq!(
        page.matches("<script").count(),
        page.matches("<script src=").count()
    );
}

#[tokio::test]
async fn the_pages_show_the_api_s_own_description() {
    let api = Api::open().await;
    let settings = api.get("/docs/swagger-initializer.js").await.text();
    assert!(settings.contains("/openapi.json"), "{settings}");
    assert!(settings.contains(r#""validatorUrl": "none""#), "{settings}");
    assert!(!settings.contains("://"), "{settings}");

    let described = api.get("/openapi.json").await;
    assert_strict(&described);
    let expected = serde_json::to_value(paywatch_api::openapi()).unwrap();
    assert_eq!(described.json(), expected);
}

#[tokio::test]
async fn every_problem_leads_to_a_section_that_explains_it() {
    let api = Api::open().await;
    let page = api.get("/docs/problems").await;
    assert_strict(&page);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let text = page.text();
    let index = api.get("/docs/").await;
    assert!(
        index.text().contains("<title>"),
        "the reference is still there"
    );
    let refused = [
        api.get("/v1/orders?limit=0").await,
        api.get("/v1/orders/ord_").await,
        api.get("/nowhere").await,
        api.get("/pay/nobody/status").await,
        api.post("{").await,
        api.post(r#"{"amount": "1"}"#).await,
    ];
    for refused in refused {
        let problem = refused.json();
        let (path, section) = problem["type"].as_str().unwrap().split_once('#').unwrap();
        assert_eq!(path, "/docs/problems");
        assert_eq!(section, problem["code"]);
        assert!(
            text.contains(&format!("<section id=\"{section}\">")),
            "{section}"
        );
        assert!(
            text.contains(problem["title"].as_str().unwrap()),
            "{problem}"
        );
    }
    // Every kind has one section, and the list at the top leads to each.
    let sections = text.matches("<section id=").count();
    assert_eq!(sections, text.matches("<li><a href=\"#").count());
    assert!(sections >= 27, "{sections}");
}
