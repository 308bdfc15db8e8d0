//! An endpoint's URL, which may hold a key: what of it may be shown, and how texts are rid of it.

use std::fmt;

use url::Url;

/// Parts of a path or query that are too short to be a key, such as `v3`.
const TOO_SHORT: usize = 8;
/// How much of a node's words is kept.
const LONGEST_TEXT: usize = 400;

/// A URL that shows no more of itself than scheme and host.
#[derive(Clone)]
pub(crate) struct Endpoint(Url);

impl Endpoint {
    pub(crate) const fn new(url: Url) -> Self {
        Self(url)
    }

    /// The whole of it, for the one who connects.
    pub(crate) fn url(&self) -> Url {
        self.0.clone()
    }

    /// `text` with whatever could be a key replaced, and not for ever.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let Self(url) = self;
        let login = [url.username(), url.password().unwrap_or_default()];
        let values: Vec<String> = url
            .query_pairs()
            .map(|(_, value)| value.into_owned())
            .collect();
        let long = url
            .path()
            .split('/')
            .chain(values.iter().map(String::as_str))
            .filter(|part| part.len() >= TOO_SHORT);
        let mut secrets: Vec<&str> = long
            .chain(login)
            .chain(url.query())
            .filter(|part| !part.is_empty())
            .collect();
        // A short one may be part of a long one.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let text = secrets.into_iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret, "[hidden]")
        });
        text.chars().take(LONGEST_TEXT).collect()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or("?");
        write!(f, "{}://{host}", self.0.scheme())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_could_be_a_key_is_shown() {
        let url = "https://me:pass@eth.example:8443/v3/0123456789abcdef?apikey=topsecret1";
        let endpoint = Endpoint::new(url.parse().unwrap());
        assert_eq!(
            format!("{endpoint} {endpoint:?}")
                .matches("https://eth.example:8443")
                .count(),
            2
        );
        let said =
            endpoint.scrub("v3/0123456789abcdef of me with pass: apikey=topsecret1 and topsecret1");
        for secret in ["0123456789abcdef", "pass", "topsecret1"] {
            assert!(!said.contains(secret), "{said}");
        }
        assert!(said.starts_with("v3/"), "{said}");
        assert_eq!(endpoint.scrub(&"x".repeat(9_999)).len(), LONGEST_TEXT);
    }
}
