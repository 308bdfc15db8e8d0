//! Webhooks as receivers see them: checked by the libraries that they use, and by our own listener.

use std::process::Stdio;
use std::time::SystemTime;

use paywatch_notifier::{Message, Secret, SecretKind, Signed, Verifier};
use paywatch_tests::{tools, wait};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const ID: &str = "evt_0123456789abcdef0123456789abcdef";
const VARIABLE: &str = "PAYWATCH_WEBHOOK_SECRET";
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

/// The real program, listening on a port of its own.
struct Listening {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Listening {
    async fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(tools::paywatch())
            .args(["webhook", "listen", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program can be started");
        let aside = child.stderr.take().expect("it has an output");
        let first = BufReader::new(aside).lines().next_line().await;
        let first = first.expect("text").expect("it says where it listens");
        let mut words = first.split(' ');
        let url = words.find(|word| word.starts_with("http://"));
        let url = url.expect("it says where").to_owned();
        let said = child.stdout.take().expect("it has an output");
        let said = BufReader::new(said).lines();
        Self { child, said, url }
    }

    /// Sends a webhook: the answer's status and text, and the line that the program prints.
    async fn receives(&mut self, signed: &Signed, body: &str) -> (u16, String, String) {
        let client = reqwest::Client::new();
        let headers = signed.headers().expect("they can be headers");
        let sent = client.post(format!("{}some/path", self.url));
        let answer = sent.headers(headers).body(body.to_owned()).send().await;
        let answer = answer.expect("it answers");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("it answers in text");
        (status, text, self.line().await)
    }

    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(wait::LIMIT, self.said.next_line()).await;
        line.expect("it prints in time")
            .expect("text")
            .expect("a line")
    }

    /// Ends it as Ctrl-C does.
    async fn stop(mut self) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().await;
        assert!(
            sent.is_ok_and(|status| status.success()),
            "{id} is told to stop"
        );
        let ended = tokio::time::timeout(wait::LIMIT, self.child.wait()).await;
        let status = ended.expect("it ends in time").expect("it ends");
        assert!(status.success(), "it ended with {status}");
    }
}

/// An integrator listens: events verify or he is told why not, and those that come again are marked.
#[tokio::test]
async fn an_integrator_sees_what_would_come_and_what_is_wrong_with_it() {
    tools::install_tls();
    let former = secret(SecretKind::Shared);
    let secret = secret(SecretKind::Shared);
    let text = secret.reveal();
    let file = tempfile::NamedTempFile::new().expect("a file");
    // As it is while one secret is changed for another.
    let both = format!("{}\n{}\n", *former.reveal(), *text);
    std::fs::write(&file, both).expect("it can be written");
    let path = file.path().to_str().expect("a text");
    let mut listening = Listening::start(&["--secret-file", path, "--fail", "1"]).await;
    let message = Message::new(ID, now(), BODY.as_bytes()).expect("an id");
    let signed = message.sign([&secret]);

    let (status, _, line) = listening.receives(&signed, BODY).await;
    assert_eq!(status, 500, "the first one fails, as asked");
    assert!(
        line.contains("order.paid  amount 12.50  verified  → 500"),
        "{line}"
    );
    let (status, _, line) = listening.receives(&signed, BODY).await;
    assert_eq!(status, 204);
    assert!(
        line.contains(ID) && line.contains("for the 2. time"),
        "{line}"
    );

    let (status, text, line) = listening
        .receives(&signed, &BODY.replace("12.50", "12.51"))
        .await;
    assert_eq!(status, 400);
    assert!(
        text.contains("byte for byte") && line.contains(&text),
        "{text}\n{line}"
    );
    let old = Message::new(ID, now().saturating_sub(3_600), BODY.as_bytes()).expect("an id");
    let (status, text, _) = listening.receives(&old.sign([&secret]), BODY).await;
    assert!(status == 400 && text.contains("clock"), "{text}");
    let answer = reqwest::get(&listening.url).await.expect("it answers");
    assert_eq!(answer.status().as_u16(), 405);
    assert!(listening.line().await.contains("by GET"));
    listening.stop().await;
}

/// The same for Ed25519 and for programs; a private key is nothing to verify with.
#[tokio::test]
async fn a_program_reads_what_came_as_json() {
    tools::install_tls();
    let pair = secret(SecretKind::KeyPair);
    let Verifier::Public(public_key) = pair.verifier() else {
        panic!("a key pair has a public key");
    };
    let public_key = public_key.to_string();
    let arguments = ["--public-key", &public_key, "--json", "--status", "410"];
    let mut listening = Listening::start(&arguments).await;
    let message = Message::new(ID, now(), BODY.as_bytes()).expect("an id");
    let (status, _, line) = listening.receives(&message.sign([&pair]), BODY).await;
    let line: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(status, 410);
    assert_eq!(line["verified"], true, "{line}");
    assert_eq!(line["status"], 410);
    assert_eq!(line["body"]["note"], "ünï");
    let stranger = message.sign([&secret(SecretKind::KeyPair)]);
    let (status, text, line) = listening.receives(&stranger, BODY).await;
    let line: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(
        (status, line["problem"].as_str()),
        (400, Some(text.as_str()))
    );
    listening.stop().await;

    let private = pair.reveal();
    let nothing = format!("{}!", *private);
    let shared = secret(SecretKind::Shared).reveal();
    for (arguments, variable, words) in [
        (
            vec!["--public-key", &private],
            None,
            "only the sender may hold",
        ),
        (
            vec!["--public-key", &shared],
            None,
            "give it in --secret-file",
        ),
        (vec![], Some(nothing.as_str()), "only the sender may hold"),
        (vec![], Some(public_key.as_str()), "give it as --public-key"),
        (vec![], Some(" "), "there is no secret in it"),
        (vec![], None, "set PAYWATCH_WEBHOOK_SECRET"),
        (
            vec!["--secret-file", "/nowhere"],
            None,
            "/nowhere: it cannot be read",
        ),
        (
            vec!["--secret", &shared],
            None,
            "unexpected argument '--secret'",
        ),
    ] {
        let mut program = Command::new(tools::paywatch());
        program.args(["webhook", "listen"]).args(arguments);
        program
            .env_remove(VARIABLE)
            .envs(variable.map(|text| (VARIABLE, text)));
        let output = program.output().await.expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{said}");
        for hidden in [&private, &shared] {
            assert!(!said.contains(hidden.as_str()), "{said}");
        }
    }
}
