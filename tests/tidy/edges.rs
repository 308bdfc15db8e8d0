//! The table of allowed edges, as `ARCHITECTURE.md` states it, against `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use paywatch_tests::tools::root;
use serde_json::Value;

/// A crate, which of our crates it may use, and which outside crates it must never use directly.
struct Rule {
    name: &'static str,
    may_use: &'static [&'static str],
    never: &'static [&'static str],
}

const HTTP: [&str; 4] = ["axum", "hyper", "reqwest", "tower-http"];

const RULES: [Rule; 14] = [
    Rule {
        name: "paywatch-core",
        may_use: &[],
        never: &["tokio", "sqlx", "serde", "serde_json", "jiff"],
    },
    Rule {
        name: "paywatch-contracts",
        may_use: &["core"],
        never: &["tokio", "sqlx", "reqwest"],
    },
    Rule {
        name: "paywatch-proof",
        may_use: &["core"],
        never: &["tokio", "sqlx", "axum", "reqwest"],
    },
    Rule {
        name: "paywatch-indexer",
        may_use: &["core", "contracts", "proof"],
        never: &["sqlx", "axum"],
    },
    Rule {
        name: "paywatch-store",
        may_use: &["core"],
        never: &["alloy", "axum", "reqwest"],
    },
    Rule {
        name: "paywatch-reconciler",
        may_use: &["core", "indexer", "proof", "store"],
        never: &["sqlx", "axum", "reqwest", "alloy"],
    },
    Rule {
        name: "paywatch-notifier",
        may_use: &["core", "store"],
        never: &["sqlx", "axum", "alloy"],
    },
    Rule {
        name: "paywatch-sweep",
        may_use: &["core", "contracts"],
        never: &["sqlx", "axum"],
    },
    Rule {
        name: "paywatch-api",
        may_use: &["core", "contracts", "store"],
        never: &["sqlx", "alloy", "reqwest"],
    },
    Rule {
        name: "paywatch-client",
        may_use: &[],
        never: &["sqlx", "axum", "alloy"],
    },
    Rule {
        name: "paywatch",
        may_use: &[
            "api",
            "client",
            "contracts",
            "core",
            "indexer",
            "notifier",
            "proof",
            "reconciler",
            "simulator",
            "store",
            "sweep",
        ],
        never: &["sqlx", "alloy"],
    },
    Rule {
        name: "paywatch-simulator",
        may_use: &["core", "contracts", "indexer", "proof"],
        never: &["sqlx"],
    },
    Rule {
        name: "paywatch-tests",
        may_use: &[
            "client",
            "contracts",
            "core",
            "indexer",
            "notifier",
            "reconciler",
            "simulator",
            "store",
        ],
        never: &[],
    },
    Rule {
        name: "xtask",
        may_use: &[],
        never: &["tokio", "alloy", "sqlx"],
    },
];

/// The direct, ordinary dependencies of every crate of the workspace.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo speaks JSON");
    let packages = metadata["packages"].as_array().expect("it lists packages");
    packages
        .iter()
        .map(|package| {
            let ordinary = package["dependencies"]
                .as_array()
                .expect("a package lists dependencies")
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
                .collect();
            (
                package["name"]
                    .as_str()
                    .expect("a package has a name")
                    .to_owned(),
                ordinary,
            )
        })
        .collect()
}

#[test]
fn crates_use_only_what_the_table_allows() {
    let dependencies = dependencies();
    let known: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    let found: BTreeSet<_> = dependencies.keys().map(String::as_str).collect();
    assert_eq!(
        found, known,
        "the table and the workspace name the same crates"
    );

    let mut wrong = Vec::new();
    for rule in &RULES {
        for used in &dependencies[rule.name] {
            let is_ours = known.contains(used.as_str());
            let short = used.trim_start_matches("paywatch-");
            if is_ours && !rule.may_use.contains(&short) {
                wrong.push(format!("{} may not use {used}", rule.name));
            }
            if rule.never.contains(&used.as_str()) {
                wrong.push(format!("{} must never use {used}", rule.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_store_knows_sql_and_only_the_edges_know_http() {
    for (name, used) in dependencies() {
        let is_store = name == "paywatch-store";
        assert!(is_store || !used.contains("sqlx"), "{name} uses sqlx");
        let is_edge = [
            "paywatch-api",
            "paywatch-client",
            "paywatch-indexer",
            "paywatch-notifier",
            "paywatch-simulator",
            "paywatch-sweep",
            "paywatch",
            "paywatch-tests",
        ]
        .contains(&name.as_str());
        let speaks_http = HTTP.iter().any(|library| used.contains(*library));
        assert!(is_edge || !speaks_http, "{name} speaks HTTP");
    }
}
