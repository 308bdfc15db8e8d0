//! What the tasks need beyond Rust: Foundry and solc from npm, test tools from Python's index, a browser
//! from the system.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::shell::{cargo, command, root, step};

/// Installs Anvil, Forge, solc and the proxy library, unless they are there already.
pub(crate) fn contract_packages() -> Result<()> {
    node_packages_in("contracts")
}

/// The same, what the TypeScript client is made with, and what the tests check webhooks with.
pub(crate) fn node_packages() -> Result<()> {
    contract_packages()?;
    node_packages_in("clients/typescript")?;
    node_packages_in("tests/javascript")
}

/// Installs the npm packages that the `package-lock.json` of a folder pins.
fn node_packages_in(name: &str) -> Result<()> {
    let folder = root().join(name);
    let wanted = fs::read(folder.join("package-lock.json")).with_context(|| {
        format!("{name}/package-lock.json cannot be read; is this a whole checkout?")
    })?;
    let stamp = folder.join("node_modules").join(".paywatch-installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    needs(
        "npm",
        "install Node.js 20 or newer with npm (Debian: apt-get install nodejs npm)",
    )?;
    let mut install = command("npm");
    install
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder);
    step(&format!("install the npm packages of {name}"), &mut install)?;
    fs::write(&stamp, wanted).with_context(|| format!("{} cannot be written", stamp.display()))
}

/// Installs the Python packages that `tests/python/requirements.txt` pins into an environment of
/// their own, unless they are there already.
pub(crate) fn python_packages() -> Result<()> {
    let list = root().join("tests").join("python").join("requirements.txt");
    let wanted = fs::read(&list)
        .context("tests/python/requirements.txt cannot be read; is this a whole checkout?")?;
    let environment = root().join(".tools").join("python");
    let stamp = environment.join(".paywatch-installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    needs(
        "python3",
        "install Python 3.10 or newer (Debian: apt-get install python3-venv)",
    )?;
    let mut make = command("python3");
    make.args(["-m", "venv", "--clear"]).arg(&environment);
    step("make a Python environment", &mut make)?;
    let mut install = command(environment.join("bin").join("python"));
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    install.args(["--no-deps", "--only-binary", ":all:", "--requirement"]);
    install.arg(&list);
    step("install the Python packages of the tests", &mut install)?;
    fs::write(&stamp, wanted).with_context(|| format!("{} cannot be written", stamp.display()))
}

/// Fails when a program that the tests of pages need cannot be run: better now than after an hour.
pub(crate) fn browser() -> Result<()> {
    for (program, package) in [
        ("chromium", "chromium"),
        ("chromedriver", "chromium-driver"),
        ("zbarimg", "zbar-tools"),
    ] {
        let remedy = format!("the tests of pages need it (Debian: apt-get install {package})");
        needs(program, &remedy)?;
    }
    Ok(())
}

/// The program `name` of the crate of that name and `version`, which is built into `.tools` unless it
/// is there already.
pub(crate) fn cargo_tool(name: &str, version: &str, options: &[&str]) -> Result<PathBuf> {
    let tools = root().join(".tools");
    let program = tools.join("bin").join(name);
    let is_current = command(&program)
        .arg("--version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(version));
    if !is_current {
        let mut install = cargo();
        install.args(["install", name, "--locked", "--version", version]);
        install.args(options).arg("--root").arg(&tools);
        step(&format!("install {name}"), &mut install)?;
    }
    Ok(program)
}

/// Fails with `remedy` when `program` cannot be run.
fn needs(program: &str, remedy: &str) -> Result<()> {
    match Command::new(program).arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => bail!("{program} --version failed ({}); {remedy}", output.status),
        Err(error) => Err(error).with_context(|| format!("{program} is missing; {remedy}")),
    }
}

/// The wrapper that runs the platform's Forge.
pub(crate) fn forge() -> PathBuf {
    root().join("contracts").join("bin").join("forge")
}
