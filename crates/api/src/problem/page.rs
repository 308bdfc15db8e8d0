//! The page of the reference that says what each problem means, and what to do about it.

use askama::Template;
use axum::response::Html;

use crate::problem::{Code, Kind, Problem};

/// Where the page is. Each kind of problem has a section of its name.
pub(crate) const PATH: &str = "/docs/problems";

#[derive(Debug, Template)]
#[template(path = "problems.html")]
struct Page {
    kinds: Vec<Kind>,
}

/// Where the problem `name` is explained.
pub(crate) fn anchor(name: &str) -> String {
    format!("{PATH}#{name}")
}

/// All problems that there are.
pub(crate) async fn read() -> Result<Html<String>, Problem> {
    let kinds = Code::ALL.iter().map(|code| code.kind()).collect();
    let written = Page { kinds }.render();
    written.map(Html).map_err(|error| {
        let cause: &dyn std::error::Error = &error;
        tracing::error!(error = cause, "a page could not be written");
        Problem::new(Code::Internal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_kind_has_the_section_that_it_leads_to() {
        let Html(text) = read().await.unwrap();
        for kind in Code::ALL.iter().map(|code| code.kind()) {
            let (path, section) = anchor(kind.name).split_once('#').map_or_else(
                || panic!("{} leads nowhere", kind.name),
                |(path, section)| (path.to_owned(), section.to_owned()),
            );
            assert_eq!(path, PATH);
            let opening = format!("<section id=\"{section}\">");
            assert_eq!(text.matches(&opening).count(), 1, "{section}");
            assert!(
                kind.meaning.ends_with('.') && kind.remedy.ends_with('.'),
                "{section}"
            );
        }
    }
}
