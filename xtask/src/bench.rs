//! `cargo xtask bench`: figures, each with what it is compared with in the same run.

use anyhow::Result;

use crate::shell::{cargo, command, root, step};
use crate::tools::cargo_tool;

/// The load generator of the API's benchmark.
const OHA: &str = "1.16.0";

pub(crate) fn run(names: &[String]) -> Result<()> {
    if names.is_empty() || names.iter().any(|name| name == "api") {
        cargo_tool("oha", OHA, &[])?;
    }
    let build = [
        "build",
        "--release",
        "--locked",
        "-p",
        "paywatch",
        "-p",
        "paywatch-tests",
        "--bin",
        "paywatch",
        "--bin",
        "paywatch-bench",
    ];
    step("build", cargo().args(build))?;
    let program = root().join("target").join("release").join("paywatch-bench");
    step("benchmarks", command(program).args(names))
}
