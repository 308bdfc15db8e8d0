//! `paywatch webhook …`, straight in the database.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use paywatch_api::{Clock as _, SystemClock, WebhookDesk as _, shown_url, signature_of};
use paywatch_core::{
    DecisionKind, EndpointId, EndpointKind, EventFormat, MOST_SECRETS, MOST_TOLD_AGAIN,
    MOST_WEBHOOKS, Reason, SignatureKind, USUAL_OVERLAP_S,
};
use paywatch_store::{
    Again, DisabledBy, EndpointChange, EndpointOutcome, EndpointRecord, NewDecision, NewEndpoint,
    Store,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use uuid::Uuid;

use crate::cli::{AddWebhook, ChangeWebhook, ManageWebhook, RedeliverWebhook};
use crate::command::user::user;
use crate::command::webhook::{deliveries, test, view};
use crate::config::{WebhooksConfig, load_database, load_webhooks, process_environment};
use crate::output::{self, Format};
use crate::webhook_desk::Desk;

/// What the commands work on.
pub(super) struct Office {
    pub(super) store: Store,
    pub(super) config: WebhooksConfig,
    pub(super) desk: Desk,
    pub(super) format: Format,
}

/// Does what is asked.
pub(super) async fn run(
    config: &Path,
    args: ManageWebhook,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let environment = process_environment();
    let url = load_database(config, &environment)?;
    let config = load_webhooks(config, &environment)?;
    let store = Store::open(&url)
        .await
        .context("the database cannot be used")?;
    let office = Office {
        desk: Desk::new(config.guard.clone()),
        store,
        config,
        format,
    };
    let done = office.work(args).await;
    office.store.close().await;
    done
}

impl Office {
    async fn work(&self, args: ManageWebhook) -> anyhow::Result<ExitCode> {
        match args {
            ManageWebhook::Add(args) => self.add(args).await?,
            ManageWebhook::List => self.list().await?,
            ManageWebhook::Show { id } => self.show(id).await?,
            ManageWebhook::Change(args) => self.change(args).await?,
            ManageWebhook::Rotate {
                id,
                overlap,
                reason,
            } => self.rotate(id, overlap, &reason).await?,
            ManageWebhook::Disable { id, reason } => self.disable(id, &reason).await?,
            ManageWebhook::Enable { id, reason } => self.enable(id, &reason).await?,
            ManageWebhook::Deliveries(args) => deliveries::run(self, &args).await?,
            ManageWebhook::Redeliver(args) => self.redeliver(args).await?,
            ManageWebhook::Test { id } => return test::run(self, id).await,
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn add(&self, args: AddWebhook) -> anyhow::Result<()> {
        let url = self.url(&args.url)?;
        let types = args.format.told_of(args.types).context("--types")?;
        let signature = args
            .format
            .signed_by(args.signature)
            .context("--signature")?;
        let secret = self.secret(signature)?;
        let new = NewEndpoint {
            id: EndpointId::from_bytes(*Uuid::now_v7().as_bytes()),
            kind: EndpointKind::Webhook,
            name: args.name.to_string(),
            url,
            format: args.format,
            types,
            secrets: vec![secret.clone()],
            created_at: SystemClock.now(),
        };
        let at = shown_url(new.kind, &new.url).unwrap_or_default();
        let detail = format!(
            "{} \"{}\" made: told of {} at {at}, signed by {}",
            new.id, new.name, new.types, signature
        );
        let decision = decision(DecisionKind::CreateEndpoint, &args.reason, detail);
        match self.store.create_endpoint(&new, Some(&decision)).await? {
            EndpointOutcome::Done(made) => self.tell(
                &made,
                (signature, &secret),
                "It is told of what happens from now on.",
            ),
            EndpointOutcome::NameTaken(other) => Err(taken(&new.name, other)),
            EndpointOutcome::Full | EndpointOutcome::Missing => anyhow::bail!(
                "there are {MOST_WEBHOOKS} webhooks, the most that there may be; change one that is \
                 not needed any more, and enable it"
            ),
        }
    }

    async fn list(&self) -> anyhow::Result<()> {
        let endpoints = self.store.endpoints().await?;
        let pending = self.store.all_pending_deliveries().await?;
        let with_pending: Vec<_> = endpoints
            .iter()
            .map(|it| (it, pending.get(&it.id).copied().unwrap_or_default()))
            .collect();
        if self.format == Format::Json {
            let values = with_pending
                .iter()
                .map(|one| view::for_programs(*one, &self.desk));
            return output::json(&values.collect::<Vec<_>>());
        }
        Ok(output::line(&view::table(&with_pending))?)
    }

    async fn show(&self, id: EndpointId) -> anyhow::Result<()> {
        let endpoint = self.find(id).await?;
        self.print(&endpoint).await
    }

    async fn change(&self, args: ChangeWebhook) -> anyhow::Result<()> {
        let known = self.find_webhook(args.id, "changed").await?;
        let change = EndpointChange {
            name: args.name.map(|name| name.to_string()),
            url: args.url.map(|url| self.url(&url)).transpose()?,
            types: args
                .types
                .map(|types| known.format.told_of(types))
                .transpose()
                .context("--types")?,
        };
        let detail = format!("{}: {}", called(&known), view::change_in_words(&change));
        let decision = decision(DecisionKind::ChangeEndpoint, &args.reason, detail);
        match self
            .store
            .change_endpoint(known.id, &change, &decision)
            .await?
        {
            EndpointOutcome::Done(changed) => self.print(&changed).await,
            EndpointOutcome::NameTaken(other) => {
                Err(taken(&change.name.unwrap_or_default(), other))
            },
            EndpointOutcome::Missing | EndpointOutcome::Full => Err(missing(known.id)),
        }
    }

    async fn rotate(
        &self,
        id: EndpointId,
        overlap: Option<Duration>,
        reason: &Reason,
    ) -> anyhow::Result<()> {
        let known = self.find_webhook(id, "given another secret").await?;
        let signature = signature_of(&known, &self.desk);
        let overlap = overlap_of(signature, overlap)?;
        let secret = self.secret(signature)?;
        let now = SystemClock.now();
        let overlap_ms = i64::try_from(overlap.as_millis()).unwrap_or(i64::MAX);
        let ends_at = now.plus_ms(overlap_ms).context("--overlap is too long")?;
        let ends = output::rfc3339(ends_at);
        let detail = format!(
            "{} has another secret; others sign until {ends}",
            called(&known)
        );
        let decision = decision(DecisionKind::RotateSecret, reason, detail);
        let secrets = (&secret, ends_at);
        match self
            .store
            .rotate_endpoint_secret(id, secrets, &decision)
            .await?
        {
            EndpointOutcome::Done(rotated) => {
                let more = match signature {
                    SignatureKind::Hmac | SignatureKind::Ed25519 => {
                        format!("Those before it sign along until {ends}.")
                    },
                    SignatureKind::P256 | SignatureKind::Md5 => {
                        "It signs alone from now on.".to_owned()
                    },
                };
                self.tell(&rotated, (signature, &secret), &more)
            },
            EndpointOutcome::Full => anyhow::bail!(
                "{MOST_SECRETS} secrets sign for {id} already, the most that there may be: wait until \
                 one ends, or end all others with --overlap 0s"
            ),
            EndpointOutcome::Missing | EndpointOutcome::NameTaken(_) => Err(missing(id)),
        }
    }

    async fn disable(&self, id: EndpointId, reason: &Reason) -> anyhow::Result<()> {
        let known = self.find(id).await?;
        let detail = format!("{} is told nothing any more", called(&known));
        let decision = decision(DecisionKind::DisableEndpoint, reason, detail);
        let because = (reason.as_str(), decision.at);
        self.store
            .disable_endpoint(id, because, DisabledBy::Operator(&decision))
            .await?;
        self.show(id).await
    }

    async fn enable(&self, id: EndpointId, reason: &Reason) -> anyhow::Result<()> {
        let known = self.find(id).await?;
        let detail = format!("{} is told again", called(&known));
        let decision = decision(DecisionKind::EnableEndpoint, reason, detail);
        self.store.enable_endpoint(id, &decision).await?;
        self.show(id).await
    }

    async fn redeliver(&self, args: RedeliverWebhook) -> anyhow::Result<()> {
        let endpoint = self.find(args.id).await?;
        anyhow::ensure!(
            endpoint.disabled.is_none(),
            "{} is disabled; `paywatch webhook enable {}` comes first",
            called(&endpoint),
            endpoint.id
        );
        let (again, what) = self.wanted(&args).await?;
        let detail = format!("{} is told again {what}", called(&endpoint));
        let decision = decision(DecisionKind::Redeliver, &args.reason, detail);
        let queued = self.store.redeliver(&endpoint, again, &decision).await?;
        match self.format {
            Format::Json => output::json(&json!({ "queued": queued })),
            Format::Text => {
                let queued = format!("{queued} deliveries are queued; a running daemon makes them");
                Ok(output::line(&queued)?)
            },
        }
    }

    /// What is to be told again, and the words for it.
    async fn wanted(&self, args: &RedeliverWebhook) -> anyhow::Result<(Again, String)> {
        if let Some((from, to)) = args.from.zip(args.to) {
            anyhow::ensure!(from <= to, "--to must not be less than --from");
            anyhow::ensure!(
                to.saturating_sub(from) < MOST_TOLD_AGAIN,
                "--to: at most {MOST_TOLD_AGAIN} events at once; go on after that"
            );
            return Ok((Again::Range(from, to), format!("of events {from} to {to}")));
        }
        if let Some(id) = &args.event {
            let event = self.store.event(id).await?;
            let seq = event
                .with_context(|| format!("there is no event {id}"))?
                .seq;
            return Ok((Again::Range(seq, seq), format!("of {id}")));
        }
        Ok((Again::Failed, "what was given up".to_owned()))
    }

    /// The endpoint, which must exist.
    pub(super) async fn find(&self, id: EndpointId) -> anyhow::Result<EndpointRecord> {
        self.store.endpoint(id).await?.ok_or_else(|| missing(id))
    }

    /// The endpoint, which must be a webhook: the configuration has all others.
    pub(super) async fn find_webhook(
        &self,
        id: EndpointId,
        what: &str,
    ) -> anyhow::Result<EndpointRecord> {
        let endpoint = self.find(id).await?;
        anyhow::ensure!(
            endpoint.kind == EndpointKind::Webhook,
            "{} is of kind {} and cannot be {what} here: it is set up in the configuration",
            called(&endpoint),
            endpoint.kind
        );
        Ok(endpoint)
    }

    fn url(&self, text: &str) -> anyhow::Result<String> {
        let checked = self.desk.check_url(text);
        checked.map_err(|why| {
            anyhow::anyhow!("--url: {why} (what is allowed is in the configuration's [webhooks])")
        })
    }

    fn secret(&self, kind: SignatureKind) -> anyhow::Result<SecretString> {
        let secret = self.desk.new_secret(kind);
        secret.map_err(|error| anyhow::anyhow!("no secret can be made: {error}"))
    }

    async fn print(&self, endpoint: &EndpointRecord) -> anyhow::Result<()> {
        let pending = self.store.pending_deliveries(endpoint.id).await?;
        let with_pending = (endpoint, pending);
        match self.format {
            Format::Json => output::json(&view::for_programs(with_pending, &self.desk)),
            Format::Text => Ok(output::line(&view::in_words(with_pending, &self.desk))?),
        }
    }

    /// Prints what the receiver needs alone on stdout, so that it can be piped; what is to be said
    /// about it goes to stderr.
    fn tell(
        &self,
        endpoint: &EndpointRecord,
        (signature, secret): (SignatureKind, &SecretString),
        more: &str,
    ) -> anyhow::Result<()> {
        let (id, name) = (endpoint.id, &endpoint.name);
        let public_key = self.desk.public_key_of(secret);
        let shared = signature.is_shared().then(|| secret.expose_secret());
        if self.format == Format::Json {
            return output::json(&json!({
                "id": id.to_string(), "name": name, "signature": signature.name(),
                "secret": shared, "public_key": public_key,
            }));
        }
        let shown = shared.or(public_key.as_deref()).unwrap_or_default();
        output::line(shown)?;
        let (what, once) = if signature.is_shared() {
            let once = " It is shown once: store it where the receiver checks.";
            ("secret", once)
        } else {
            ("public key", "")
        };
        let tried = match endpoint.format {
            EventFormat::Standard => format!(" `paywatch webhook test {id}` tries it."),
            EventFormat::BlockAtm | EventFormat::Epusdt => String::new(),
        };
        Ok(output::aside(&format!(
            "This is the {what} of {id}, \"{name}\".{once} {more}{tried}"
        ))?)
    }
}

/// For how long secrets before the newest sign along.
fn overlap_of(signature: SignatureKind, asked: Option<Duration>) -> anyhow::Result<Duration> {
    match (signature, asked) {
        (SignatureKind::Hmac | SignatureKind::Ed25519, asked) => {
            Ok(asked.unwrap_or(Duration::from_secs(USUAL_OVERLAP_S)))
        },
        (SignatureKind::P256 | SignatureKind::Md5, None | Some(Duration::ZERO)) => {
            Ok(Duration::ZERO)
        },
        (SignatureKind::P256 | SignatureKind::Md5, Some(_)) => anyhow::bail!(
            "--overlap: in the form blockatm one key signs, the newest: leave it out, and give your \
             receiver the new public key"
        ),
    }
}

/// What the audit log calls an endpoint.
pub(super) fn called(endpoint: &EndpointRecord) -> String {
    format!("{} \"{}\"", endpoint.id, endpoint.name)
}

fn missing(id: EndpointId) -> anyhow::Error {
    anyhow::anyhow!("there is no endpoint {id}; `paywatch webhook list` shows them")
}

fn taken(name: &str, other: EndpointId) -> anyhow::Error {
    anyhow::anyhow!("\"{name}\" is the name of {other}; take another, or change that one")
}

fn decision(kind: DecisionKind, reason: &Reason, detail: String) -> NewDecision {
    NewDecision {
        id: format!("dec_{}", Uuid::now_v7().simple()),
        kind,
        reason: reason.clone(),
        by: user(),
        detail,
        at: SystemClock.now(),
    }
}
