//! Buses and people: what they are by default, and what they say when they are wrong.

use std::collections::BTreeSet;

use figment::Figment;
use figment::providers::{Format as _, Toml};

use super::*;
use crate::config::webhooks;

const MAIL: &str = "[email]\nhost = \"smtp.shop.example\"\nfrom = \"Shop <shop@shop.example>\"\n\
    to = [\"ann@shop.example\"]\n";

fn checked(text: &str) -> Result<Vec<SinkConfig>, String> {
    let mut raw: Raw = Figment::from(Toml::string(text)).extract().unwrap();
    let mut problems = Problems::default();
    let sinks = RawSinks::take(&mut raw);
    let webhooks = webhooks::check(&raw.webhooks, &mut problems);
    check(sinks, &webhooks, &mut problems).map_err(|Reported| problems.to_string())
}

fn one(text: &str) -> SinkConfig {
    let mut all = checked(text).unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn refuses(cases: &[(&str, &str)]) {
    for (text, wrong) in cases {
        let problems = checked(text).unwrap_err();
        assert!(problems.contains(wrong), "{text}: {problems}");
        assert!(!problems.contains("s3cret"), "{problems}");
        for line in problems.lines() {
            let (_, remedy) = line.rsplit_once("; ").unwrap();
            assert!(remedy.len() > 8, "no remedy: {line}");
        }
    }
}

#[test]
fn nobody_is_told_who_has_no_section() {
    assert_eq!(checked("").unwrap().len(), 0);
}

/// What the template says beside the names of hosts is what holds without it.
#[test]
#[cfg(all(feature = "kafka", feature = "nats"))]
fn the_template_names_the_defaults() {
    let template = include_str!("../../command/paywatch.toml");
    let (_, sections) = template.split_once("# [nats]").unwrap();
    let files = tempfile::tempdir().unwrap();
    let secret = files.path().join("telegram");
    std::fs::write(&secret, "https://api.telegram.org/bot1:s3cret/sendMessage").unwrap();
    let written = format!("# [nats]{sections}")
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line)))
        .filter(|line| !line.starts_with("token_file") && !line.starts_with("user"))
        .collect::<String>()
        .replace("/run/secrets/telegram", &secret.to_string_lossy())
        .replace("host = \"…\"", "host = \"smtp.shop.example\"")
        .replace('…', "bus.internal");
    let least = format!(
        "[nats]\nurl = \"nats://bus.internal:4222\"\n[kafka]\nbrokers = [\"bus.internal:9092\"]\n\
         {MAIL}port = 465\n[messages.telegram]\nurl = \"https://api.telegram.org/bot1:s3cret/x\"\n\
         body = '{{}}'\ntypes = [\"payment.unmatched\"]\n"
    );
    let shown = |text: &str| -> Vec<_> {
        let sinks = checked(text).unwrap().into_iter();
        sinks
            .map(|sink| (sink.kind, sink.name, sink.place, sink.how, sink.types))
            .collect()
    };
    assert_eq!(shown(&written), shown(&least));
}

#[test]
#[cfg(feature = "nats")]
fn nats_is_told_everything_in_a_stream_of_ours() {
    let sink = one("[nats]\nurl = \"nats://a.internal:4222/, tls://b.internal\"");
    assert_eq!(
        (sink.kind, sink.name.as_str()),
        (EndpointKind::Nats, "nats")
    );
    assert_eq!(sink.place, "nats://a.internal:4222,tls://b.internal");
    assert_eq!(
        sink.how,
        "subjects paywatch.>, stream PAYWATCH, without a login"
    );
    assert_eq!(sink.types, EventTypes::All);
    let sink = one(
        "[nats]\nurl = \"nats://a\"\nsubject = \"shop.x\"\nstream = \"\"\nuser = \"me\"\n\
         password = \"s3cret\"\ntypes = [\"order.*\"]",
    );
    assert_eq!(sink.how, "subjects shop.x.>, a stream of yours, as me");
    assert!(sink.types.has("order.paid") && !sink.types.has("chain.stalled"));
    assert!(!format!("{sink:?} {:?}", sink.sink).contains("s3cret"));
}

#[test]
#[cfg(feature = "nats")]
fn what_nats_cannot_be_is_named() {
    let beside = |text: &str| format!("[nats]\nurl = \"nats://a\"\n{text}");
    for (text, wrong) in [
        (
            "subject = \"a.*\"",
            "nats.subject: \"a.*\" is not a subject",
        ),
        ("subject = \"\"", "nats.subject: "),
        ("stream = \"a b\"", "nats.stream: \"a b\" is not a name"),
        (
            "token = \"s3cret\"\nuser = \"me\"\npassword = \"x\"",
            "nats.token: is given, and so is user",
        ),
        (
            "token = \"s3cret\"\ntoken_file = \"x\"",
            "nats.token: is given, and so is token_file",
        ),
        ("user = \"me\"", "nats.password: is missing"),
        ("password = \"s3cret\"", "nats.user: is missing"),
        ("timeout = \"1h\"", "nats.timeout: \"1h\" is out of range"),
        (
            "types = [\"order.gone\"]",
            "nats.types: \"order.gone\" is not a type of event; write a list of some of order.created, ",
        ),
        ("types = []", "nats.types: names nothing to tell of"),
    ] {
        refuses(&[(&beside(text), wrong)]);
    }
    refuses(&[
        ("[nats]", "nats.url: is missing; write nats://<host>:4222"),
        (
            "[nats]\nurl = \"http://a\"",
            "nats.url: has the scheme http",
        ),
        (
            "[nats]\nurl = \"nats://me:s3cret@a\"",
            "nats.url: holds a login",
        ),
        (
            "[nats]\nurl = \"nats://a:4222/s3cret\"",
            "nats.url: has a path, a query or a fragment; write nothing after host and port",
        ),
        (
            "[nats]\nurl = \"nats://a, nats://b?tls=s3cret\"",
            "nats.url: has a path, a query",
        ),
        (
            "[nats]\nurl = \"nats://a#s3cret\"",
            "nats.url: has a path, a query",
        ),
        (
            "[nats]\nurl_file = \"/no/such\"",
            "nats.url_file: /no/such cannot be read",
        ),
    ]);
}

#[test]
#[cfg(feature = "kafka")]
fn kafka_is_told_everything_in_a_topic_that_is_there() {
    let sink =
        one("[kafka]\nbrokers = [\"a:9092\", \"b:9093\"]\nuser = \"me\"\npassword = \"s3cret\"");
    assert_eq!(
        (sink.kind, sink.name.as_str()),
        (EndpointKind::Kafka, "kafka")
    );
    assert_eq!(sink.place, "a:9092,b:9093");
    assert_eq!(sink.how, "topic paywatch, TLS, as me");
    assert_eq!(sink.types, EventTypes::All);
    assert!(!format!("{sink:?} {:?}", sink.sink).contains("s3cret"));
    let beside = |text: &str| format!("[kafka]\nbrokers = [\"a:9092\"]\n{text}");
    assert_eq!(
        one(&beside("security = \"none\"")).how,
        "topic paywatch, no TLS, without a login"
    );
    for (text, wrong) in [
        ("topic = \"a b\"", "kafka.topic: is not the name of a topic"),
        ("topic = \"..\"", "kafka.topic: "),
        (
            "security = \"ssl\"",
            "kafka.security: \"ssl\" is not known; write \"tls\" or \"none\"",
        ),
        (
            "mechanism = \"oauth\"",
            "kafka.mechanism: \"oauth\" is not known",
        ),
        ("user = \"me\"", "kafka.password: is missing"),
    ] {
        refuses(&[(&beside(text), wrong)]);
    }
    refuses(&[
        ("[kafka]", "kafka.brokers: names nobody"),
        (
            "[kafka]\nbrokers = [\"a\"]",
            "kafka.brokers: number 1 is no host with a port",
        ),
        (
            "[kafka]\nbrokers = [\"a:1\", \"me:s3cret@b:0\"]",
            "kafka.brokers: number 2 is no host",
        ),
    ]);
}

#[test]
fn people_are_told_of_what_they_must_act_on() {
    let sink = one(MAIL);
    assert_eq!(
        (sink.kind, sink.name.as_str()),
        (EndpointKind::Email, "email")
    );
    assert_eq!(sink.place, "smtp.shop.example");
    assert_eq!(
        sink.how,
        "from Shop <shop@shop.example> to ann@shop.example, TLS, without a login"
    );
    let EventTypes::Only(types) = sink.types else {
        panic!("not everything");
    };
    let chains = EventTypes::names().filter(|name| name.starts_with("chain."));
    let expected: BTreeSet<&str> = [
        "payment.unmatched",
        "payment.wrong_asset",
        "order.late_payment",
        "order.reverted",
        "token.alert",
        "audit.mismatch",
        "endpoint.failing",
        "endpoint.recovered",
        "endpoint.disabled",
    ]
    .into_iter()
    .chain(chains)
    .collect();
    assert_eq!(types, expected);
}

#[test]
fn what_mail_cannot_be_is_named() {
    for (text, wrong) in [
        ("port = 0", "email.port: 0 is out of range"),
        (
            "security = \"ssl\"",
            "email.security: \"ssl\" is not known; write \"tls\" or \"starttls\" or \"none\"",
        ),
        ("user = \"me\"", "email.password: is missing"),
        (
            "subject = \"{order}\"",
            "email.subject: {order} is no place",
        ),
        ("text = \"{\"", "email.text: a brace has no partner"),
        (
            "types = [\"chain\"]",
            "email.types: \"chain\" is not a type",
        ),
    ] {
        refuses(&[(&format!("{MAIL}{text}"), wrong)]);
    }
    refuses(&[
        ("[email]", "email.host: is missing"),
        ("[email]", "email.from: is missing"),
        (
            &MAIL.replace("smtp.shop.example", "smtp://a"),
            "email.host: is not a name",
        ),
        (
            &MAIL.replace("smtp.shop.example", "a:465"),
            "email.host: is not a name",
        ),
        (
            &MAIL.replace("Shop <shop@shop.example>", "Shop"),
            "email.from: \"Shop\" is no mail address",
        ),
        (
            &MAIL.replace("ann@", ""),
            "email.to: \"shop.example\" is no mail address",
        ),
        (
            &MAIL.replace("\"ann@shop.example\"", ""),
            "email.to: names nobody",
        ),
    ]);
}

#[test]
fn a_message_goes_where_webhooks_may_go() {
    let section = "[messages.telegram]\nurl = \"https://api.telegram.org/bot1:s3cret/sendMessage\"\n\
        body = '{\"chat_id\": 1, \"text\": \"{type}\"}'\n";
    let sink = one(section);
    assert_eq!(
        (sink.kind, sink.name.as_str()),
        (EndpointKind::Message, "telegram")
    );
    assert_eq!(sink.place, "https://api.telegram.org/…");
    assert!(!format!("{sink:?} {:?}", sink.sink).contains("s3cret"));
    let inside = section.replace("https://api.telegram.org", "http://10.0.0.1:8080");
    let allowed = format!("[webhooks]\nallow_http = true\nallow = [\"10.0.0.1:8080\"]\n{inside}");
    assert_eq!(one(&allowed).place, "http://10.0.0.1:8080/…");
    refuses(&[
        (&inside, "messages.telegram.url: "),
        (
            &section.replace("https://api.telegram.org", "s3cret"),
            "messages.telegram.url: it is no URL",
        ),
        ("[messages.a]\nbody = '{}'", "messages.a.url: is missing"),
        (
            "[messages.a]\nurl = \"https://a.example\"",
            "messages.a.body: is missing; write JSON such as",
        ),
        (
            "[messages.a]\nbody = '{type}'",
            "messages.a.body: it is no JSON; places belong inside of quotes (",
        ),
        (
            "[messages.a]\nbody = '{\"a\": \"{b}\"}'",
            "messages.a.body: {b} is no place",
        ),
        (
            "[messages.On_Call]\nbody = '{}'",
            "messages.On_Call: is not a name",
        ),
    ]);
}

#[test]
#[cfg(not(feature = "nats"))]
fn a_program_without_nats_says_how_to_get_it() {
    refuses(&[(
        "[nats]",
        "nats: this paywatch was built without the feature nats; build it with --features nats",
    )]);
}

#[test]
#[cfg(not(feature = "kafka"))]
fn a_program_without_kafka_says_how_to_get_it() {
    refuses(&[(
        "[kafka]",
        "kafka: this paywatch was built without the feature kafka; build it with --features kafka",
    )]);
}
