//! `cargo xtask fuzz`: libFuzzer over the targets in `fuzz/`, on the stable compiler.

use anyhow::Result;

use crate::shell::{cargo, command, root, step};

const TARGETS: [&str; 3] = ["logs", "answers", "bundles"];
/// What tells libFuzzer which code an input reached. Without a sanitizer this needs no nightly.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";
/// An input that takes longer than this is a finding, too.
const SECONDS_EACH: &str = "-timeout=10";

pub(crate) fn run(inputs: u64) -> Result<()> {
    let folder = root().join("fuzz");
    let output = root().join("target").join("fuzz");
    let mut build = cargo();
    // Only what runs on the target is instrumented, not build scripts and macros.
    build.args(["build", "--release", "--locked", "--target"]);
    build.arg(host()?).current_dir(&folder);
    build
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_TARGET_DIR", &output);
    step("fuzz: build", &mut build)?;
    for target in TARGETS {
        let corpus = output.join("corpus").join(target);
        std::fs::create_dir_all(&corpus)?;
        let mut run = command(output.join(host()?).join("release").join(target));
        run.arg(&corpus).arg(folder.join("seeds").join(target));
        run.arg(format!("-runs={inputs}"));
        run.args([
            SECONDS_EACH,
            "-max_len=65536",
            "-print_final_stats=1",
            "-verbosity=0",
        ]);
        run.arg(format!("-artifact_prefix={}/{target}-", output.display()));
        step(&format!("fuzz: {target}, {inputs} inputs"), &mut run)?;
    }
    Ok(())
}

/// The triple of this machine.
fn host() -> Result<String> {
    let output = command("rustc").arg("-vV").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned)
        .ok_or_else(|| anyhow::anyhow!("rustc -vV names no host"))
}
