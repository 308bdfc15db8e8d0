//! `cargo xtask bench`: figures, each with what it is compared with in the same run.

use anyhow::Result;

use crate::shell::{cargo, command, root, step};

pub(crate) fn run(names: &[String]) -> Result<()> {
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
