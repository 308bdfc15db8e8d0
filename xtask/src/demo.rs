//! `cargo xtask demo`.

use anyhow::Result;

use crate::shell::{cargo, command, root, step};
use crate::tools::contract_packages;

/// What happens when the demo is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// Everything is stopped and removed.
    Stop,
    /// Chain and daemon go on until Ctrl-C.
    Keep,
}

pub(crate) fn run(afterwards: Afterwards) -> Result<()> {
    contract_packages()?;
    step(
        "build the daemon and the demo",
        cargo().args(["build", "--workspace", "--bins"]),
    )?;
    let mut demo = command(root().join("target").join("debug").join("paywatch-demo"));
    if afterwards == Afterwards::Keep {
        demo.arg("--keep");
    }
    step("demo", &mut demo)
}
