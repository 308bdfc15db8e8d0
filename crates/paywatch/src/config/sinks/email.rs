//! `[email]`

use std::sync::Arc;
use std::time::Duration;

use paywatch_core::EndpointKind;
use paywatch_notifier::{Mail, MailError, MailLogin, MailOptions, MailSecurity, TextTemplate};

use crate::config::problem::{Problems, Reported};
use crate::config::raw::RawEmail;
use crate::config::section::Section;
use crate::config::sinks::{FOR_PEOPLE, SinkConfig, login, timeout, types, word};

/// The subject of each if nothing is said.
const SUBJECT: &str = "paywatch: {type} {reference} {amount}";
/// The text of each if nothing is said.
const TEXT: &str = "{detail}\n\n{advice}\n\n{type} {reference}\nEvent {id}\n";

/// Checks `[email]`.
pub(super) fn check(mut raw: RawEmail, problems: &mut Problems) -> Result<SinkConfig, Reported> {
    let section = &mut Section::new("email", problems);
    let host = check_host(section, raw.host.take());
    let port = raw
        .port
        .map(|port| section.number("port", Some(port), 1, 1..=u16::MAX));
    let securities = [
        ("tls", MailSecurity::Tls),
        ("starttls", MailSecurity::StartTls),
        ("none", MailSecurity::None),
    ];
    let security = word(section, "security", raw.security.as_deref(), &securities);
    let password = (raw.password.take(), raw.password_file.take());
    let login = login(section, raw.user.take(), password);
    let from = raw.from.take().ok_or_else(|| {
        let allowed = "give the sender, such as \"Shop <shop@shop.example>\"";
        section.wrong("from", "is missing", allowed)
    });
    let subject = template(
        section,
        "subject",
        raw.subject.as_deref().unwrap_or(SUBJECT),
    );
    let text = template(section, "text", raw.text.as_deref().unwrap_or(TEXT));
    let types = types(section, raw.types.as_deref(), &FOR_PEOPLE);
    let within: Result<Duration, Reported> = timeout(section, raw.timeout.as_deref());
    let options = MailOptions {
        host: host?,
        port: port.transpose()?,
        security: security?,
        login: login?.map(|(user, password)| MailLogin { user, password }),
        from: from?,
        to: raw.to.unwrap_or_default(),
        subject: subject?,
        text: text?,
        within: within?,
    };
    let place = match options.port {
        Some(port) => format!("{}:{port}", options.host),
        None => options.host.clone(),
    };
    let how = format!(
        "from {} to {}, {}, {}",
        options.from,
        options.to.join(", "),
        match options.security {
            MailSecurity::Tls => "TLS",
            MailSecurity::StartTls => "STARTTLS",
            MailSecurity::None => "no TLS",
        },
        match &options.login {
            None => "without a login".to_owned(),
            Some(login) => format!("as {}", login.user),
        }
    );
    let from = options.from.clone();
    let mail = Mail::new(options).map_err(|error| refused(section, &error, &from))?;
    Ok(SinkConfig {
        kind: EndpointKind::Email,
        name: "email".to_owned(),
        place,
        how,
        types: types?,
        sink: Arc::new(mail),
    })
}

fn check_host(section: &mut Section<'_>, given: Option<String>) -> Result<String, Reported> {
    let allowed = "give the name of your mail server, such as \"smtp.shop.example\"";
    let host = given.unwrap_or_default();
    if host.is_empty() {
        return Err(section.wrong("host", "is missing", allowed));
    }
    // IPv6 addresses have colons, URLs and ports behind names as well.
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    if !is_address && host.contains(['/', ':', '@', ' ']) {
        let allowed = format!("{allowed}, and its port as port");
        return Err(section.wrong("host", "is not a name", allowed));
    }
    Ok(host)
}

fn template(section: &mut Section<'_>, key: &str, text: &str) -> Result<TextTemplate, Reported> {
    TextTemplate::parse(text).map_err(|error| {
        let allowed = "write a text such as \"{type} {reference}: {detail}\"";
        section.wrong(key, error.to_string(), allowed)
    })
}

/// Says which key is meant.
fn refused(section: &mut Section<'_>, error: &MailError, from: &str) -> Reported {
    match error {
        MailError::Address { text, .. } => {
            let key = if text == from { "from" } else { "to" };
            let wrong = format!("\"{text}\" is no mail address");
            let allowed = "write addresses like shop@shop.example or Shop <shop@shop.example>";
            section.wrong(key, wrong, allowed)
        },
        MailError::Nobody => {
            let allowed = "write who is told, such as [\"ann@shop.example\"]";
            section.wrong("to", "names nobody", allowed)
        },
        MailError::Tls { cause, .. } => {
            let wrong = format!("is no name that TLS can be spoken with ({cause})");
            section.wrong(
                "host",
                wrong,
                "give the server's name, as in its certificate",
            )
        },
    }
}
