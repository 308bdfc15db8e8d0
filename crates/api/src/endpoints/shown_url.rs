//! Where an endpoint is, as it may be shown: URLs hold secrets in many places.

use paywatch_core::EndpointKind;
use url::Url;

/// What stands in the place of what is not shown.
const HIDDEN: &str = "***";

/// `url` without user, password, fragment and the values of its query. Of what is no webhook only
/// the server is shown: those who send messages to people put keys into paths. `None` if it has no
/// URL, or none that can be read.
#[must_use]
pub fn shown_url(kind: EndpointKind, url: &str) -> Option<String> {
    let mut url: Url = url.parse().ok()?;
    let host = url.host_str()?;
    match kind {
        EndpointKind::Webhook => {},
        EndpointKind::Callbacks
        | EndpointKind::Nats
        | EndpointKind::Kafka
        | EndpointKind::Email
        | EndpointKind::Message => {
            let port = url
                .port()
                .map_or_else(String::new, |port| format!(":{port}"));
            return Some(format!("{}://{host}{port}", url.scheme()));
        },
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_fragment(None);
    let query = url.query().map(|query| {
        let parts = query.split('&').map(|part| match part.split_once('=') {
            Some((name, _)) => format!("{name}={HIDDEN}"),
            None => HIDDEN.to_owned(),
        });
        parts.collect::<Vec<_>>().join("&")
    });
    url.set_query(query.as_deref());
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_a_url_is_shown() {
        let webhook = |url| shown_url(EndpointKind::Webhook, url);
        for (url, shown) in [
            ("https://shop.example/hook", "https://shop.example/hook"),
            (
                "https://u:p@shop.example:8443/h#f",
                "https://shop.example:8443/h",
            ),
            (
                "https://shop.example/h?key=s3cret&b=2&s3cret",
                "https://shop.example/h?key=***&b=***&***",
            ),
        ] {
            assert_eq!(webhook(url).as_deref(), Some(shown));
        }
        assert_eq!(webhook(""), None);
        assert_eq!(webhook("mailto:s3cret@shop.example"), None);
        for (kind, url, shown) in [
            (
                EndpointKind::Nats,
                "nats://u:s3cret@bus.example:4222",
                "nats://bus.example:4222",
            ),
            (
                EndpointKind::Message,
                "https://chat.example/bot-s3cret/send?to=1",
                "https://chat.example",
            ),
        ] {
            assert_eq!(shown_url(kind, url).as_deref(), Some(shown));
        }
    }
}
