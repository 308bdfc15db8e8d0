//! Is the process alive, and does it do all of its work?

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use paywatch_store::Store;
use serde::Serialize;
use utoipa::ToSchema;

use crate::condition::ChainCondition;
use crate::state::ApiState;
use crate::wire::time;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The process is alive.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The program's version.
    version: &'static str,
}

/// Whether everything works, and if not, what.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// Whether the database answers and every chain is being followed.
    ready: bool,
    /// `ok`, or `unreachable`.
    #[schema(example = "ok")]
    database: &'static str,
    /// Every chain's condition.
    chains: Vec<ChainReadiness>,
}

/// How one chain is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChainReadiness {
    /// Its id.
    #[schema(example = 137)]
    id: u64,
    /// Its name.
    #[schema(example = "polygon")]
    name: String,
    /// `starting`, `following`, `degraded` (it keeps trying) or `stopped`.
    #[schema(example = "following")]
    condition: &'static str,
    /// What is wrong, and what to do.
    cause: Option<String>,
    /// Since when.
    since: Option<String>,
}

/// Is the process alive?
#[utoipa::path(
    get, path = "/healthz", operation_id = "read_health", tag = "health",
    responses((status = 200, description = "It is", body = Health))
)]
pub(crate) async fn live() -> Json<Health> {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Does it do all of its work?
#[utoipa::path(
    get, path = "/readyz", operation_id = "read_readiness", tag = "health",
    responses(
        (status = 200, description = "It does", body = Readiness),
        (status = 503, description = "Something is amiss", body = Readiness),
    )
)]
pub(crate) async fn ready(State(state): State<ApiState>) -> (StatusCode, Json<Readiness>) {
    let answers = database_answers(&state.store).await;
    let chains: Vec<_> = state
        .shop
        .chains
        .iter()
        .map(|chain| {
            let condition = state.board.get(chain.id);
            let trouble = condition.trouble();
            ChainReadiness {
                id: chain.id.get(),
                name: chain.name.clone(),
                condition: condition.name(),
                cause: trouble.map(|(cause, _)| cause.to_owned()),
                since: trouble.map(|(_, since)| time(since)),
            }
        })
        .collect();
    let all_followed = chains
        .iter()
        .all(|chain| chain.condition == ChainCondition::Following.name());
    let ready = answers && all_followed;
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let database = if answers { "ok" } else { "unreachable" };
    (
        status,
        Json(Readiness {
            ready,
            database,
            chains,
        }),
    )
}

/// Whether the database answers soon: whoever probes does not wait for long.
async fn database_answers(store: &Store) -> bool {
    match tokio::time::timeout(PATIENCE, store.ping()).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            let cause: &dyn std::error::Error = &error;
            tracing::warn!(error = cause, "the database does not answer");
            false
        },
        Err(_elapsed) => {
            let patience_s = PATIENCE.as_secs();
            tracing::warn!(patience_s, "the database did not answer in {patience_s} s");
            false
        },
    }
}
