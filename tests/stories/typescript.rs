//! The TypeScript client against the live daemon.

use std::process::Stdio;

use paywatch_core::Address;
use paywatch_tests::chain::PAYER;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::Shop;
use paywatch_tests::tools;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// A program of the client's folder.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(tools::root().join("clients/typescript"));
    command
}

async fn succeeds(what: &str, command: &mut Command) {
    let output = command.output().await.expect("Node.js is installed");
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}:\n{said}\n{wrong}");
}

#[tokio::test]
async fn an_order_is_made_paid_and_awaited_from_typescript() {
    succeeds("build", command("npm").args(["run", "--silent", "build"])).await;

    let shop = Shop::open(Engine::Sqlite).await;
    let base = shop.daemon.url().as_str().trim_end_matches('/').to_owned();
    let mut script = command("node")
        .arg("dist/test/live.js")
        .env("PAYWATCH_URL", base)
        .env("PAYWATCH_API_KEY", shop.daemon.key().expose_secret())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("Node.js is installed");
    let said = script.stdout.take().expect("it has an output");
    let mut said = BufReader::new(said).lines();
    let asked = said.next_line().await.expect("text");
    let asked = asked.expect("it says where to pay; what went wrong is above");
    let asked: Value = serde_json::from_str(&asked).expect("JSON");
    let address: Address = asked["address"]
        .as_str()
        .expect("a text")
        .parse()
        .expect("it");
    let amount = asked["amount"].as_str().expect("a text");
    shop.chain().pays(PAYER, address, amount).await;
    let ended = script.wait().await.expect("it ends");
    assert!(ended.success(), "what went wrong is above");
    shop.close().await;
}
