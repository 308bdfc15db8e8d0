//! How many files the process may open: each connection is one, and the books and nodes need theirs.

use std::fs;

use paywatch_api::{ServeSettings, StreamSettings};

use crate::config::ApiConfig;

/// Where Linux says what a process may do.
const LIMITS: &str = "/proc/self/limits";
/// Files that are kept for the books, for nodes and for those who are told.
const KEPT: usize = 256;

/// Lets no more connections in than there can be files for, and says so: without a file for its books or
/// nodes the daemon would stand still.
pub(super) fn fit(api: &mut ApiConfig) {
    let limits = fs::read_to_string(LIMITS);
    // Where nobody says how many there may be, the configuration is taken at its word.
    let Some(limit) = limits.ok().as_deref().and_then(soft_limit) else {
        return;
    };
    let wanted = api.serve.max_connections;
    if wanted.saturating_add(KEPT) <= limit {
        return;
    }
    fit_into(limit, &mut api.serve, &mut api.limits.streams);
    let connections = api.serve.max_connections;
    let needed = wanted.saturating_add(KEPT);
    tracing::warn!(
        open_files = limit,
        "this process may open {limit} files, which is too few for {wanted} connections: it takes \
         {connections} at the same time, and {} streams. Let it open {needed} (LimitNOFILE={needed} in its \
         systemd unit, --ulimit nofile={needed} of a container, ulimit -n {needed} in a shell), or set \
         [api.limits] connections",
        api.limits.streams.of_all
    );
}

/// The connections that `limit` files leave, and streams in the same proportion to them.
fn fit_into(limit: usize, serve: &mut ServeSettings, streams: &mut StreamSettings) {
    let wanted = serve.max_connections;
    let half = limit.checked_div(2).unwrap_or_default().max(1);
    let connections = limit.saturating_sub(KEPT).max(half).min(wanted);
    let scaled = streams.of_all.saturating_mul(connections);
    streams.of_all = scaled.checked_div(wanted).unwrap_or_default().max(1);
    serve.max_connections = connections;
}

/// How many files the process may open as it is; `None` if as many as it likes, or if it is not said.
fn soft_limit(limits: &str) -> Option<usize> {
    let mut lines = limits.lines();
    let rest = lines.find_map(|line| line.strip_prefix("Max open files"))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_read() {
        let limits = |soft: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max processes             63204                63204                processes \n\
                 Max open files            {soft:<21}524288               files     \n"
            )
        };
        assert_eq!(soft_limit(&limits("1024")), Some(1_024));
        assert_eq!(soft_limit(&limits("unlimited")), None);
        assert_eq!(soft_limit("Max processes 1 2 processes"), None);
        if let Ok(here) = fs::read_to_string(LIMITS) {
            assert!(soft_limit(&here).is_none_or(|limit| limit > 0), "{here}");
        }
    }

    #[test]
    fn connections_leave_files_for_the_books() {
        for (limit, connections, streams) in [
            (1_024, 768, 450),
            (2_303, 2_047, 1_199),
            (300, 150, 87),
            (1, 1, 1),
        ] {
            let (mut serve, mut all) = (ServeSettings::default(), StreamSettings::default());
            fit_into(limit, &mut serve, &mut all);
            let fitted = (serve.max_connections, all.of_all);
            assert_eq!(fitted, (connections, streams), "{limit} files");
        }
    }
}
