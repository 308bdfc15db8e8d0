//! Where the programs are that a story starts.

use std::env;
use std::path::{Path, PathBuf};

/// The root of the checkout.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the checkout")
        .to_owned()
}

/// Installs the TLS provider that HTTP clients need, once.
pub fn install_tls() {
    // An error means that it is installed already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
}

/// The Anvil that `contracts/package-lock.json` pins, or the one that `ANVIL` names.
#[must_use]
pub fn anvil() -> PathBuf {
    if let Some(path) = env::var_os("ANVIL") {
        return path.into();
    }
    let (system, machine) = match (env::consts::OS, env::consts::ARCH) {
        ("macos", "aarch64") => ("darwin", "arm64"),
        ("macos", _) => ("darwin", "amd64"),
        ("linux", "aarch64") => ("linux", "arm64"),
        (system, _) => (system, "amd64"),
    };
    let path = root()
        .join("contracts/node_modules/@foundry-rs")
        .join(format!("anvil-{system}-{machine}"))
        .join("bin/anvil");
    assert!(
        path.exists(),
        "Anvil is not installed at {}; run: cargo xtask setup",
        path.display()
    );
    path
}

/// A program on the path, which Debian has in `package`.
#[must_use]
pub fn on_path(program: &str, package: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file());
    found
        .unwrap_or_else(|| panic!("{program} is not installed (Debian: apt-get install {package})"))
}

/// A program of the Python environment that `tests/python/requirements.txt` describes.
#[must_use]
pub fn python(program: &str) -> PathBuf {
    let path = root().join(".tools/python/bin").join(program);
    assert!(
        path.exists(),
        "the Python packages of the tests are not installed at {}; run: cargo xtask setup",
        path.display()
    );
    path
}

/// The folder of the scripts for Node.js, with the packages that its `package-lock.json` pins.
#[must_use]
pub fn javascript() -> PathBuf {
    let path = root().join("tests/javascript");
    assert!(
        path.join("node_modules").exists(),
        "the npm packages of the tests are not installed in {}; run: cargo xtask setup",
        path.display()
    );
    path
}

/// The daemon, built in the same profile as the tests, or the one that `PAYWATCH_BIN` names.
#[must_use]
pub fn paywatch() -> PathBuf {
    if let Some(path) = env::var_os("PAYWATCH_BIN") {
        return path.into();
    }
    let me = env::current_exe().expect("a test knows its own path");
    let path = me
        .ancestors()
        .skip(1)
        .map(|folder| folder.join("paywatch"))
        .find(|path| path.is_file())
        .unwrap_or_else(|| root().join("target/debug/paywatch"));
    assert!(
        path.exists(),
        "the daemon is not built; run: cargo build --workspace"
    );
    path
}
