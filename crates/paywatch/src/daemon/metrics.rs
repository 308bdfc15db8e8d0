//! The program's metrics, kept for `/metrics`.

use std::fmt;
use std::sync::Arc;

use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use paywatch_api::Metrics;

/// What the recorder has kept.
struct Recorded(PrometheusHandle);

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorded")
    }
}

impl Metrics for Recorded {
    fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

/// Keeps metrics from now on.
pub(super) fn install() -> anyhow::Result<Arc<dyn Metrics>> {
    let handle = PrometheusBuilder::new()
        .install_recorder()
        .context("the metrics cannot be kept")?;
    Ok(Arc::new(Recorded(handle)))
}
