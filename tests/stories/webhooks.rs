//! Webhooks as receivers see them: checked by the libraries that they use, and by our own listener.

use std::process::Stdio;
use std::time::SystemTime;

use paywatch_notifier::{Message, Secret, SecretKind, Signed, Verifier};
use paywatch_tests::tools;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const ID: &str = "evt_0123456789abcdef0123456789abcdef";
const BODY: &str = r#"{"type":"order.paid","amount":"12.50","note":"ünï"}"#;

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("it is after 1970").as_secs()
}

fn secret(kind: SecretKind) -> Secret {
    Secret::generate(kind).expect("the system has randomness")
}

fn case(signed: &Signed, body: &str) -> Value {
    let headers = json!({
        "webhook-id": signed.id,
        "webhook-timestamp": signed.timestamp,
        "webhook-signature": signed.signature,
    });
    json!({ "headers": headers, "body": body })
}

/// Webhooks, and whether a receiver should believe each by its secret and by its public key.
fn cases(secrets: &[Secret; 2]) -> Vec<(Value, [bool; 2])> {
    let message = Message::new(ID, now(), BODY.as_bytes()).expect("an id");
    let signed = message.sign(secrets);
    let rotating = message.sign([&secret(SecretKind::Shared), &secrets[0], &secrets[1]]);
    let stranger = message.sign([&secret(SecretKind::Shared), &secret(SecretKind::KeyPair)]);
    let old = Message::new(ID, now().saturating_sub(7), BODY.as_bytes()).expect("an id");
    let with_id = |id: &str| Signed {
        id: id.to_owned(),
        ..signed.clone()
    };
    let with_time = |timestamp: String| Signed {
        timestamp,
        ..signed.clone()
    };
    vec![
        (case(&signed, BODY), [true, true]),
        (case(&rotating, BODY), [true, true]),
        (case(&old.sign(secrets), BODY), [true, true]),
        (case(&message.sign([&secrets[0]]), BODY), [true, false]),
        (case(&message.sign([&secrets[1]]), BODY), [false, true]),
        (case(&stranger, BODY), [false, false]),
        (
            case(&with_id("evt_1123456789abcdef0123456789abcdef"), BODY),
            [false, false],
        ),
        (
            case(&with_time(now().saturating_sub(7).to_string()), BODY),
            [false, false],
        ),
        (
            case(&signed, &BODY.replace("12.50", "12.51")),
            [false, false],
        ),
        (case(&signed, &format!("{BODY} ")), [false, false]),
    ]
}

/// Lets a receiver's program say what it thinks of each of the cases.
async fn is_believed_as_it_should_be(mut program: Command) {
    let secrets = [secret(SecretKind::Shared), secret(SecretKind::KeyPair)];
    let Verifier::Public(public_key) = secrets[1].verifier() else {
        panic!("a key pair has a public key");
    };
    let (cases, expected): (Vec<_>, Vec<_>) = cases(&secrets).into_iter().unzip();
    let asked = json!({
        "secret": secrets[0].reveal().as_str(),
        "public_key": public_key.to_string(),
        "cases": cases,
    });
    let mut program = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program can be started");
    let mut input = program.stdin.take().expect("it has an input");
    input
        .write_all(asked.to_string().as_bytes())
        .await
        .expect("it reads");
    drop(input);
    let output = program.wait_with_output().await.expect("it ends");
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{wrong}");
    let answers: Vec<[bool; 2]> = serde_json::from_slice(&output.stdout).expect("it answers JSON");
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn receivers_in_python_believe_what_is_ours_and_nothing_else() {
    let mut program = Command::new(tools::python("python"));
    program.arg(tools::root().join("tests/python/webhooks.py"));
    is_believed_as_it_should_be(program).await;
}

#[tokio::test]
async fn receivers_in_javascript_believe_what_is_ours_and_nothing_else() {
    let mut program = Command::new("node");
    program.current_dir(tools::javascript()).arg("webhooks.mjs");
    is_believed_as_it_should_be(program).await;
}
