//! Endpoints as they may be shown: scheme and host, and nothing that could be a key.

use std::fmt;

use url::Url;

/// Parts of a URL's path that are too short to be a key, such as `v3`.
const SHORTEST_SECRET: usize = 8;
/// How much of a node's text is kept.
const LONGEST_TEXT: usize = 400;

/// An endpoint that can be shown, and that takes its own secrets out of texts.
#[derive(Clone)]
pub(super) struct Endpoint {
    shown: String,
    secrets: Vec<String>,
}

impl Endpoint {
    pub(super) fn new(url: &Url) -> Self {
        let host = url.host_str().unwrap_or("?");
        let shown = match url.port() {
            Some(port) => format!("{}://{host}:{port}", url.scheme()),
            None => format!("{}://{host}", url.scheme()),
        };
        let path = url.path_segments().into_iter().flatten();
        let query = url.query_pairs().map(|(_, value)| value.into_owned());
        let login = [Some(url.username()), url.password()].into_iter().flatten();
        let mut secrets: Vec<String> = path
            .filter(|part| part.len() >= SHORTEST_SECRET)
            .chain(login.filter(|part| !part.is_empty()))
            .chain(url.query())
            .map(str::to_owned)
            .chain(query.filter(|value| value.len() >= SHORTEST_SECRET))
            .collect();
        // Longer ones first: one may lie in another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { shown, secrets }
    }

    /// `text` as it may be shown: without this endpoint's secrets, and not for ever.
    pub(super) fn scrub(&self, text: &str) -> String {
        let scrubbed = self
            .secrets
            .iter()
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| {
                text.replace(secret, "[hidden]")
            });
        let mut short: String = scrubbed.chars().take(LONGEST_TEXT).collect();
        if short.len() < scrubbed.len() {
            short.push('…');
        }
        short
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_scheme_and_host_only() {
        let url = "https://user:secret@eth.example:8443/v3/0123456789abcdef?key=topsecret";
        let endpoint = Endpoint::new(&url.parse().unwrap());
        assert_eq!(endpoint.to_string(), "https://eth.example:8443");
        assert_eq!(format!("{endpoint:?}"), "https://eth.example:8443");
        let text = "project 0123456789abcdef, login secret, key topsecret: denied at v3";
        let scrubbed = endpoint.scrub(text);
        assert_eq!(
            scrubbed,
            "project [hidden], login [hidden], key [hidden]: denied at v3"
        );
    }

    #[test]
    fn cuts_what_is_long() {
        let endpoint = Endpoint::new(&"http://node".parse().unwrap());
        let long = "ü".repeat(10_000);
        assert_eq!(endpoint.scrub(&long).chars().count(), LONGEST_TEXT + 1);
    }
}
