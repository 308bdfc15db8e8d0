//! What of the rules for webhooks may be shown.

use serde::Serialize;

use crate::config::{WebhooksConfig, shown};

/// Where webhooks may go.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent setting, not a state"
)]
pub(super) struct WebhooksView {
    allow: Vec<String>,
    allow_http: bool,
    ports: Vec<u16>,
    /// Without a login.
    proxy: Option<String>,
    callbacks: bool,
}

/// What of `config` may be shown.
pub(super) fn view(config: &WebhooksConfig) -> WebhooksView {
    let guard = &config.guard;
    WebhooksView {
        allow: guard.allowed().iter().map(ToString::to_string).collect(),
        allow_http: guard.takes_http(),
        ports: guard.ports().to_vec(),
        proxy: config.post.proxy.as_ref().map(shown),
        callbacks: config.callbacks,
    }
}

/// On two lines.
pub(super) fn in_words(view: &WebhooksView) -> String {
    let WebhooksView {
        allow,
        allow_http,
        ports,
        proxy,
        callbacks,
    } = view;
    let own = if allow.is_empty() {
        String::new()
    } else {
        format!(", and to {}", allow.join(", "))
    };
    let by = if *allow_http {
        "by https and http"
    } else {
        "by https"
    };
    let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
    let through = proxy
        .as_ref()
        .map(|proxy| format!(" through {proxy}, which decides where names lead"))
        .unwrap_or_default();
    let orders = if *callbacks { "may" } else { "may not" };
    format!(
        "webhooks   go {by} to ports {} of public servers{own}{through}\n\
         \x20          orders {orders} name where they are told of\n",
        ports.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use paywatch_notifier::{Guard, LaneSettings, PostOptions};

    use super::*;

    #[test]
    fn what_is_allowed_is_shown_and_no_password() {
        let mut config = WebhooksConfig {
            guard: Guard::new(),
            post: PostOptions::default(),
            lanes: LaneSettings::default(),
            keep: std::time::Duration::from_secs(1),
            callbacks: false,
        };
        assert_eq!(
            in_words(&view(&config)),
            "webhooks   go by https to ports 443 of public servers\n\
             \x20          orders may not name where they are told of\n"
        );
        let allowed = ["shop.internal:8080", "10.20.0.0/16"].map(|one| one.parse().unwrap());
        config.guard = Guard::new().with_http().with_allowed(allowed);
        config.post.proxy = Some("http://me:s3cret@proxy.internal:3128".parse().unwrap());
        config.callbacks = true;
        let view = view(&config);
        let shown = in_words(&view);
        for part in [
            "by https and http to ports 443, 80",
            "and to shop.internal:8080, 10.20.0.0/16",
            "through http://proxy.internal:3128",
            "orders may name",
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
        let json = serde_json::to_string(&view).unwrap();
        for text in [shown, json] {
            assert!(!text.contains("s3cret") && !text.contains("me:"), "{text}");
        }
    }
}
