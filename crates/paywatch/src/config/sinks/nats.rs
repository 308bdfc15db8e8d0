//! `[nats]`

use std::sync::Arc;

use paywatch_core::EndpointKind;
use paywatch_notifier::{Nats, NatsLogin, NatsOptions};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::config::problem::{Problems, Reported};
use crate::config::raw::RawNats;
use crate::config::section::Section;
use crate::config::sinks::{FOR_BUSES, SinkConfig, login, timeout, types};

/// What subjects begin with if nothing is said.
const SUBJECT: &str = "paywatch";
/// The stream if nothing is said.
const STREAM: &str = "PAYWATCH";

/// Checks `[nats]`.
pub(super) fn check(mut raw: RawNats, problems: &mut Problems) -> Result<SinkConfig, Reported> {
    let section = &mut Section::new("nats", problems);
    let servers = check_servers(section, &mut raw);
    let subject = check_subject(section, raw.subject.take());
    let stream = check_stream(section, raw.stream.take());
    let types = types(section, raw.types.as_deref(), &FOR_BUSES);
    let within = timeout(section, raw.timeout.as_deref());
    let login = check_login(section, raw);
    let (servers, subject, stream, login) = (servers?, subject?, stream?, login?);
    let place = servers.join(",");
    let how = format!(
        "subjects {subject}.>, {}, {}",
        match &stream {
            Some(name) => format!("stream {name}"),
            None => "a stream of yours".to_owned(),
        },
        match &login {
            NatsLogin::Nobody => "without a login".to_owned(),
            NatsLogin::Token(_) => "by a token".to_owned(),
            NatsLogin::User { user, .. } => format!("as {user}"),
        }
    );
    let options = NatsOptions {
        servers,
        subject,
        stream,
        login,
        within: within?,
    };
    Ok(SinkConfig {
        kind: EndpointKind::Nats,
        name: "nats".to_owned(),
        place,
        how,
        types: types?,
        sink: Arc::new(Nats::new(options)),
    })
}

/// The servers of one cluster, with commas between them.
fn check_servers(section: &mut Section<'_>, raw: &mut RawNats) -> Result<Vec<String>, Reported> {
    let Some(text) = section.secret("url", raw.url.take(), raw.url_file.take())? else {
        let allowed =
            "write nats://<host>:4222 or tls://<host>:4222, several with commas between them";
        return Err(section.wrong("url", "is missing", allowed));
    };
    let mut servers = Vec::new();
    for one in text.expose_secret().split(',') {
        let url = section.url("url", &SecretString::from(one.trim()), ["nats", "tls"])?;
        if !url.username().is_empty() || url.password().is_some() {
            let allowed = "write user and password, or token, with _file for one in a file";
            return Err(section.wrong("url", "holds a login", allowed));
        }
        if url.path().len() > 1 || url.query().is_some() || url.fragment().is_some() {
            let wrong = "has a path, a query or a fragment";
            let allowed = "write nothing after host and port";
            return Err(section.wrong("url", wrong, allowed));
        }
        servers.push(server(&url));
    }
    Ok(servers)
}

/// What is connected to.
fn server(url: &Url) -> String {
    let (scheme, host) = (url.scheme(), url.host_str().unwrap_or_default());
    let port = url.port().map(|port| format!(":{port}"));
    format!("{scheme}://{host}{}", port.unwrap_or_default())
}

fn check_subject(section: &mut Section<'_>, given: Option<String>) -> Result<String, Reported> {
    let subject = given.unwrap_or_else(|| SUBJECT.to_owned());
    if subject.split('.').all(is_plain) {
        return Ok(subject);
    }
    let allowed = "write letters, digits, - and _, in parts with dots between them";
    Err(section.wrong(
        "subject",
        format!("\"{subject}\" is not a subject"),
        allowed,
    ))
}

fn check_stream(
    section: &mut Section<'_>,
    given: Option<String>,
) -> Result<Option<String>, Reported> {
    let stream = given.unwrap_or_else(|| STREAM.to_owned());
    if stream.is_empty() {
        return Ok(None);
    }
    if is_plain(&stream) {
        return Ok(Some(stream));
    }
    let allowed = "write letters, digits, - and _, or \"\" if none is to be made";
    Err(section.wrong("stream", format!("\"{stream}\" is not a name"), allowed))
}

fn is_plain(part: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !part.is_empty() && part.bytes().all(is_plain)
}

fn check_login(section: &mut Section<'_>, raw: RawNats) -> Result<NatsLogin, Reported> {
    let token = section.secret("token", raw.token, raw.token_file)?;
    let user = login(section, raw.user, (raw.password, raw.password_file))?;
    match (token, user) {
        (None, None) => Ok(NatsLogin::Nobody),
        (Some(token), None) => Ok(NatsLogin::Token(token)),
        (None, Some((user, password))) => Ok(NatsLogin::User { user, password }),
        (Some(_), Some(_)) => {
            let allowed = "give the one or the other";
            Err(section.wrong("token", "is given, and so is user", allowed))
        },
    }
}
