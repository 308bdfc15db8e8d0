//! `cargo xtask test`: everything that must hold before a change lands, cheapest first.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::fuzz;
use crate::shell::{cargo, command, root, say, step};
use crate::tools::{browser, cargo_tool, forge, node_packages, python_packages};

/// The version of cargo-deny that `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";

/// Compares what the usual transactions cost with `contracts/.gas-snapshot`. Each call is a
/// transaction of its own, and nothing of these tests is random.
const GAS_CHECK: [&str; 5] = [
    "snapshot",
    "--isolate",
    "--check",
    "--match-contract",
    "GasSnapshot",
];

/// How many inputs each fuzz target gets here; `cargo xtask fuzz` gives more.
const FUZZ_INPUTS: u64 = 200_000;

pub(crate) fn run() -> Result<()> {
    browser()?;
    step("format", cargo().args(["fmt", "--all", "--check"]))?;
    node_packages()?;
    python_packages()?;
    contracts()?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    step("lints", cargo().args(clippy))?;
    let doc = [
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--locked",
    ];
    step(
        "documentation",
        cargo().args(doc).env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    dependencies()?;
    tests()?;
    fuzz::run(FUZZ_INPUTS)?;
    say("\neverything passed");
    Ok(())
}

/// Formats, builds and tests the contracts, and compares the artifacts that are checked in.
fn contracts() -> Result<()> {
    let folder = root().join("contracts");
    for (name, arguments) in [
        ("contracts: format", &["fmt", "--check"][..]),
        ("contracts: build", &["build"]),
        ("contracts: test", &["test"]),
        ("contracts: gas is as recorded", &GAS_CHECK),
    ] {
        step(name, command(forge()).args(arguments).current_dir(&folder))?;
    }
    let check = folder.join("bin").join("artifacts");
    step(
        "contracts: artifacts are current",
        command(check).arg("--check").current_dir(&folder),
    )
}

/// Licences, sources and bans of the dependencies. Advisories need a network and are left out.
fn dependencies() -> Result<()> {
    let mut check = command(cargo_tool("cargo-deny", CARGO_DENY, &["--debug"])?);
    check.args(["check", "bans", "licenses", "sources"]);
    step("dependencies", &mut check)
}

/// Every Rust test, with a private PostgreSQL beside them.
fn tests() -> Result<()> {
    // `--all-targets` builds the daemon that the end-to-end stories start.
    let build = [
        "build",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
    ];
    step("build", cargo().args(build))?;
    let postgres = Postgres::start()?;
    let mut run = cargo();
    run.args([
        "test",
        "--workspace",
        "--all-features",
        "--locked",
        "--no-fail-fast",
    ]);
    run.env("PAYWATCH_TEST_POSTGRES", &postgres.url);
    step("tests", &mut run)
}

/// A PostgreSQL server of our own that ends when this is dropped.
struct Postgres {
    child: Child,
    url: String,
    _stdout: BufReader<ChildStdout>,
}

impl Postgres {
    fn start() -> Result<Self> {
        let program = root().join("target").join("debug").join("private-postgres");
        let mut child = command(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} could not be started", program.display()))?;
        let stdout = child
            .stdout
            .take()
            .context("the private PostgreSQL has no output")?;
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let url = line.trim().to_owned();
        if url.is_empty() {
            bail!("the private PostgreSQL did not start; its message is above");
        }
        Ok(Self {
            child,
            url,
            _stdout: stdout,
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Its standard input closing is what ends it; then it removes its folder.
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}
