//! What all decisions have in common: a reason, somebody who decides, and books that may move on
//! meanwhile.

use paywatch_core::{DecisionKind, Reason};
use paywatch_store::{NewDecision, StoreError};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::Caller;
use crate::body::unknown_fields;
use crate::orders::request::text;
use crate::problem::{Code, FieldError, Problem};
use crate::state::ApiState;

/// How often a decision is taken anew because what it is about changed meanwhile.
const ATTEMPTS: u32 = 8;

/// Why somebody decided.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decide {
    /// Why, on one line of 3 to 500 characters. It stays in the audit log for good.
    #[schema(example = "the customer asked for it on the phone")]
    reason: String,
}

/// The reason in a request that may have these `fields` and no others.
pub(crate) fn read_reason(object: &Map<String, Value>, fields: &[&str]) -> Result<Reason, Problem> {
    let mut errors = unknown_fields(object, fields);
    let reason = text("reason", object.get("reason")).and_then(|text| {
        let parsed = text.parse::<Reason>();
        parsed.map_err(|error| FieldError::new("reason", "invalid", error))
    });
    match reason {
        Ok(reason) if errors.is_empty() => Ok(reason),
        Ok(_) => Err(Problem::fields(errors)),
        Err(error) => {
            errors.push(error);
            Err(Problem::fields(errors))
        },
    }
}

/// Why a decision was not carried out.
pub(crate) enum Trouble {
    Stale,
    Problem(Box<Problem>),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        if let StoreError::Stale { .. } = error {
            return Self::Stale;
        }
        Problem::from(error).into()
    }
}

/// Carries out `decision`, anew as long as the books move on meanwhile.
pub(crate) async fn anew_while_stale<T, F>(mut decision: impl FnMut() -> F) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Trouble>>,
{
    let mut attempts = 0_u32;
    loop {
        attempts = attempts.saturating_add(1);
        match decision().await {
            Ok(done) => return Ok(done),
            Err(Trouble::Stale) if attempts < ATTEMPTS => {},
            Err(Trouble::Stale) => return Err(Problem::new(Code::Unavailable)),
            Err(Trouble::Problem(problem)) => return Err(*problem),
        }
    }
}

/// A decision of `caller`'s, taken now.
pub(crate) fn new_decision(
    state: &ApiState,
    caller: &Caller,
    kind: DecisionKind,
    reason: &Reason,
    detail: String,
) -> NewDecision {
    NewDecision {
        id: format!("dec_{}", Uuid::now_v7().simple()),
        kind,
        reason: reason.clone(),
        by: caller.to_string(),
        detail,
        at: state.clock.now(),
    }
}
