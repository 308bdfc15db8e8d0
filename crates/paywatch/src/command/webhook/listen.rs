//! `paywatch webhook listen`: receives webhooks on this machine and says what it thinks of them.

use std::collections::HashMap;
use std::env::VarError;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use paywatch_api::{ServeSettings, serve};
use paywatch_notifier::{ID_HEADER, Received, Verifier, VerifyError};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;

use crate::cli::Listen;
use crate::command::webhook::call::{Call, Trouble};
use crate::output::{self, Format};

/// Where the secret is if no file is given.
const VARIABLE: &str = "PAYWATCH_WEBHOOK_SECRET";
/// Longer bodies are nobody's events.
const LONGEST_BODY: usize = 4 * 1024 * 1024;
/// How long a body may take.
const BODY_WITHIN: Duration = Duration::from_secs(30);
/// How many ids are remembered, to say which come again.
const REMEMBERED: usize = 100_000;
/// The status of answers that fail on purpose, if no other was asked for.
const FAILURE: u16 = 500;

/// What every call is treated by.
struct Rules {
    verifiers: Vec<Verifier>,
    tolerance: Duration,
    /// How many fail on purpose; `None` for all of them.
    fail: Option<u64>,
    status: StatusCode,
    format: Format,
    seen: Mutex<Seen>,
}

/// What came so far.
#[derive(Debug, Default)]
struct Seen {
    failed: u64,
    /// How often each event came and verified.
    times: HashMap<String, u64>,
}

/// Receives webhooks until it is told to stop.
pub(crate) async fn run(args: Listen, format: Format) -> anyhow::Result<()> {
    let wanted = (args.address, args.port);
    let rules = Arc::new(Rules::of(&args, format)?);
    let listener = TcpListener::bind(wanted).await.with_context(|| {
        let (address, port) = wanted;
        format!("--address {address} --port {port}: is it taken by another program?")
    })?;
    let address = listener.local_addr()?;
    let shutdown = crate::signals::shutdown()?;
    // Beside what programs read.
    output::aside(&format!(
        "listening at http://{address}/ for webhooks, under every path"
    ))?;
    let router = Router::new().fallback(receive).with_state(rules);
    serve(
        listener,
        router,
        ServeSettings::default(),
        shutdown.cancelled(),
    )
    .await;
    Ok(())
}

impl Rules {
    fn of(args: &Listen, format: Format) -> anyhow::Result<Self> {
        let fail = match (args.fail, args.status) {
            (None, None) => Some(0),
            (fail, _) => fail,
        };
        Ok(Self {
            verifiers: verifiers(args)?,
            tolerance: *args.tolerance,
            fail,
            status: StatusCode::from_u16(args.status.unwrap_or(FAILURE))?,
            format,
            seen: Mutex::default(),
        })
    }

    /// Counts an event that verified: how often it came so far, and what it is answered with.
    fn count(&self, id: &str) -> (u64, StatusCode) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.times.len() >= REMEMBERED {
            seen.times.clear();
        }
        let times = seen.times.entry(id.to_owned()).or_default();
        *times = times.saturating_add(1);
        let times = *times;
        let fails = self.fail.is_none_or(|fail| seen.failed < fail);
        if fails {
            seen.failed = seen.failed.saturating_add(1);
            return (times, self.status);
        }
        (times, StatusCode::NO_CONTENT)
    }
}

/// What to check signatures with, without showing any of it.
fn verifiers(args: &Listen) -> anyhow::Result<Vec<Verifier>> {
    let mut verifiers = Vec::new();
    if let Some((place, secrets)) = secrets(args.secret_file.as_deref())? {
        for text in secrets.expose_secret().split_whitespace() {
            match text.parse().with_context(|| place.clone())? {
                verifier @ Verifier::Shared(_) => verifiers.push(verifier),
                Verifier::Public(_) => {
                    anyhow::bail!("{place}: this is a public key: give it as --public-key")
                },
            }
        }
        anyhow::ensure!(!verifiers.is_empty(), "{place}: there is no secret in it");
    }
    for text in &args.public_key {
        match text.expose_secret().parse().context("--public-key")? {
            verifier @ Verifier::Public(_) => verifiers.push(verifier),
            Verifier::Shared(_) => anyhow::bail!(
                "--public-key: this is a shared secret: give it in --secret-file or {VARIABLE}"
            ),
        }
    }
    anyhow::ensure!(
        !verifiers.is_empty(),
        "there is nothing to check signatures with: set {VARIABLE}, or give --secret-file or --public-key"
    );
    Ok(verifiers)
}

/// The secrets, apart by white space, and where they are from: the file, or else the variable.
fn secrets(file: Option<&Path>) -> anyhow::Result<Option<(String, SecretString)>> {
    let Some(path) = file else {
        return match std::env::var(VARIABLE) {
            Ok(text) => Ok(Some((VARIABLE.to_owned(), text.into()))),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => anyhow::bail!("{VARIABLE}: it is no text"),
        };
    };
    let place = format!("--secret-file {}", path.display());
    let text = fs::read_to_string(path).with_context(|| format!("{place}: it cannot be read"))?;
    Ok(Some((place, text.into())))
}

async fn receive(State(rules): State<Arc<Rules>>, request: Request) -> (StatusCode, String) {
    let (head, body) = request.into_parts();
    let (body, trouble) = match read(&head.method, body).await {
        Ok(body) => {
            let trouble = verify(&rules, &head.headers, &body)
                .err()
                .map(Trouble::Unverified);
            (body, trouble)
        },
        Err(trouble) => (Vec::new(), Some(trouble)),
    };
    let id = head
        .headers
        .get(ID_HEADER)
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default();
    let (times, status) = match &trouble {
        None => rules.count(id),
        Some(trouble) => (0, trouble.status()),
    };
    let call = Call {
        at: jiff::Timestamp::now(),
        path: head.uri.path(),
        id,
        times,
        trouble: trouble.as_ref(),
        status,
        body: &body,
    };
    let printed = match rules.format {
        Format::Text => output::line(&call.line()).map_err(Into::into),
        Format::Json => output::json_line(&call.json()),
    };
    if let Err(error) = printed {
        // Whoever does not see the line sees the answer.
        return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
    }
    (
        status,
        trouble.map_or_else(String::new, |trouble| trouble.to_string()),
    )
}

async fn read(method: &Method, body: Body) -> Result<Vec<u8>, Trouble> {
    if method != Method::POST {
        return Err(Trouble::NoPost(method.to_string()));
    }
    let read = tokio::time::timeout(BODY_WITHIN, to_bytes(body, LONGEST_BODY)).await;
    match read {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(error)) => Err(Trouble::Body(error.to_string())),
        Err(_elapsed) => Err(Trouble::Body("it took too long".to_owned())),
    }
}

fn verify(rules: &Rules, headers: &HeaderMap, body: &[u8]) -> Result<(), VerifyError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let received = Received::from_headers(headers, body)?;
    received.verify(&rules.verifiers, now.as_secs(), rules.tolerance)
}
