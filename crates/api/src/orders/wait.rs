//! Reading an order as soon as it has come so far.

use std::time::Duration;

use paywatch_core::{OrderId, OrderStatus};
use tokio::time::Instant;

use crate::orders::find;
use crate::problem::{FieldError, Problem};
use crate::state::ApiState;

/// How long a client may wait, in seconds, and for how long he does if he does not say.
const LONGEST_S: u64 = 30;

/// What a client waits for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    statuses: Vec<OrderStatus>,
    timeout: Duration,
}

/// Reads the parameters of a single order.
pub(super) fn read(pairs: &[(String, String)]) -> Result<Waiting, Vec<FieldError>> {
    let mut waiting = Waiting {
        statuses: Vec::new(),
        timeout: Duration::from_secs(LONGEST_S),
    };
    let mut errors = Vec::new();
    for (name, value) in pairs {
        errors.extend(read_one(name, value, &mut waiting).err());
    }
    if errors.is_empty() {
        Ok(waiting)
    } else {
        Err(errors)
    }
}

fn read_one(name: &str, value: &str, waiting: &mut Waiting) -> Result<(), FieldError> {
    match name {
        "wait_for" => {
            for status in value.split(',') {
                let status = status
                    .parse()
                    .map_err(|error| FieldError::new(name, "invalid", error))?;
                waiting.statuses.push(status);
            }
        },
        "timeout" => {
            let seconds = value.parse().ok();
            let seconds = seconds.filter(|seconds| (1..=LONGEST_S).contains(seconds));
            let seconds = seconds.ok_or_else(|| {
                let detail = format!("must be whole seconds between 1 and {LONGEST_S}");
                FieldError::new(name, "invalid", detail)
            })?;
            waiting.timeout = Duration::from_secs(seconds);
        },
        // What is shown is read elsewhere.
        "fields" => {},
        _unknown => {
            let detail = "unknown; known are wait_for, timeout, fields";
            return Err(FieldError::new(name, "unknown_parameter", detail));
        },
    }
    Ok(())
}

/// Waits until the order is in one of the statuses that are waited for, has ended, or the time is
/// over.
pub(super) async fn until(state: &ApiState, id: OrderId, waiting: &Waiting) -> Result<(), Problem> {
    if waiting.statuses.is_empty() {
        return Ok(());
    }
    let end = Instant::now().checked_add(waiting.timeout);
    loop {
        // Before the order: what is told after this is not missed.
        let seq = state.changes.last(&state.store).await?;
        let status = find(state, id).await?.snapshot.status;
        let is_waited_for = waiting.statuses.contains(&status);
        let (Some(end), false) = (end, is_waited_for || has_ended(status)) else {
            return Ok(());
        };
        if !state.changes.any_after(&state.store, seq, end).await? {
            return Ok(());
        }
    }
}

/// Whether an order in this status changes only if its chain does, or somebody decides so.
const fn has_ended(status: OrderStatus) -> bool {
    match status {
        OrderStatus::Completed | OrderStatus::Expired | OrderStatus::Cancelled => true,
        OrderStatus::AwaitingPayment | OrderStatus::PartiallyPaid | OrderStatus::Paid => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn what_is_waited_for_is_read_and_what_is_wrong_is_named() {
        let waiting = read(&pairs(&[("wait_for", "paid,completed"), ("timeout", "5")])).unwrap();
        assert_eq!(
            waiting.statuses,
            [OrderStatus::Paid, OrderStatus::Completed]
        );
        assert_eq!(waiting.timeout, Duration::from_secs(5));
        let wrong = [("wait_for", "lost"), ("timeout", "31"), ("for", "x")];
        assert_eq!(read(&pairs(&wrong)).unwrap_err().len(), 3);
        assert!(read(&pairs(&[("timeout", "0")])).is_err());
    }
}
