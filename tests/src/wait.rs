//! Waiting on a condition, with a limit.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long a condition may take to come true. Generous, since machines are shared.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Asks `probe` again and again until it answers `Ok`.
///
/// # Panics
/// After [`LIMIT`], with `what` was awaited and the last answer.
pub async fn until<T, P, F>(what: &str, probe: P) -> T
where
    P: FnMut() -> F,
    F: Future<Output = Result<T, String>>,
{
    match in_time(probe).await {
        Ok(value) => value,
        Err(state) => panic!("waited for {what}; last seen: {state}"),
    }
}

/// Asks `probe` again and again until it answers `Ok`.
///
/// # Errors
/// After [`LIMIT`], with the last answer.
pub async fn in_time<T, P, F>(mut probe: P) -> Result<T, String>
where
    P: FnMut() -> F,
    F: Future<Output = Result<T, String>>,
{
    let start = Instant::now();
    loop {
        match probe().await {
            Ok(value) => return Ok(value),
            Err(state) if start.elapsed() > LIMIT => return Err(state),
            Err(_) => tokio::time::sleep(Duration::from_millis(25)).await,
        }
    }
}
