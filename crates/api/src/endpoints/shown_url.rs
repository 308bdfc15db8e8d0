//! Where an endpoint is, as it may be shown: URLs hold secrets in many places.

use paywatch_core::EndpointKind;
use url::Url;

/// What stands in the place of what is not shown.
const HIDDEN: &str = "***";

/// `url` without user, password, fragment and the values of its query. Of what is no webhook only
/// the server is shown, or the servers: those who send messages to people put keys into paths. `None` if
/// it has no URL, or none that can be read.
#[must_use]
pub fn shown_url(kind: EndpointKind, url: &str) -> Option<String> {
    match kind {
        EndpointKind::Webhook => webhook(url),
        EndpointKind::Callbacks | EndpointKind::Email | EndpointKind::Message => server(url),
        EndpointKind::Nats | EndpointKind::Kafka => {
            let servers: Option<Vec<String>> = url.split(',').map(server).collect();
            Some(servers?.join(","))
        },
    }
}

/// A server alone, with a scheme if it has one: mail servers and brokers are `host:port`.
fn server(text: &str) -> Option<String> {
    let text = text.trim();
    let (url, scheme) = if text.contains("://") {
        let url: Url = text.parse().ok()?;
        let scheme = format!("{}://", url.scheme());
        (url, scheme)
    } else {
        (format!("server://{text}").parse().ok()?, String::new())
    };
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let port = url.port().map(|port| format!(":{port}"));
    Some(format!("{scheme}{host}{}", port.unwrap_or_default()))
}

fn webhook(url: &str) -> Option<String> {
    let mut url: Url = url.parse().ok()?;
    // Without a host there is nowhere to go, and what is there may be anything.
    url.host_str()?;
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
            (
                EndpointKind::Nats,
                "nats://u:s3cret@a.internal:4222, tls://b.internal",
                "nats://a.internal:4222,tls://b.internal",
            ),
            (
                EndpointKind::Kafka,
                "kafka-1.internal:9092,u:s3cret@[2001:db8::1]:9092",
                "kafka-1.internal:9092,[2001:db8::1]:9092",
            ),
            (
                EndpointKind::Email,
                "s3cret@smtp.shop.example:465",
                "smtp.shop.example:465",
            ),
            (
                EndpointKind::Email,
                "smtp.shop.example",
                "smtp.shop.example",
            ),
        ] {
            assert_eq!(shown_url(kind, url).as_deref(), Some(shown));
        }
        for (kind, url) in [
            (EndpointKind::Callbacks, ""),
            (EndpointKind::Kafka, "a.internal:9092,"),
            (EndpointKind::Email, "u:s3/cret@smtp.shop.example"),
        ] {
            assert_eq!(shown_url(kind, url), None);
        }
        // What stands after a comma in a path is no server.
        let chat = shown_url(EndpointKind::Message, "https://chat.example/a,s3cret");
        assert_eq!(chat.as_deref(), Some("https://chat.example"));
    }
}
