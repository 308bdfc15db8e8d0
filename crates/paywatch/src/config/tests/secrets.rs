//! Secrets come from files, from one place, and are never shown.

use super::*;

#[test]
fn secrets_come_from_files() {
    let written = Written::new("");
    let http = written.file("eth_url", "https://node.example/v2/s3cret\n");
    let database = written.file("database_url", "sqlite:other.sqlite\n");
    let text = format!(
        "{TREASURY}[database]\nurl_file = {database:?}\n[chains.ethereum]\nhttp_file = {http:?}\n"
    );
    written.file("paywatch.toml", &text);
    let config = written.config();
    let http = config.chains[0].endpoints[0].http.as_ref().unwrap();
    assert_eq!(http.path(), "/v2/s3cret");
    assert_eq!(shown(http), "https://node.example/…");
}

#[test]
fn a_secret_comes_from_one_place() {
    let written = Written::beside("");
    let file = written.file("eth_url", "https://node.example/v2/s3cret");
    let file = file.to_string_lossy();
    let problems = written.problems_with(&[("PAYWATCH__CHAINS__ETHEREUM__HTTP_FILE", &file)]);
    assert_eq!(
        problems,
        ["chains.ethereum.http: is given, and so is http_file; give one of the two"]
    );
    let problems = Written::beside("[database]\nurl = \"sqlite:x\"\nurl_file = \"y\"").problems();
    assert_eq!(
        problems,
        ["database.url: is given, and so is url_file; give one of the two"]
    );
}

#[test]
fn a_secret_file_that_cannot_be_read_or_is_empty_is_named() {
    let written = Written::new(&format!(
        "{TREASURY}[chains.ethereum]\nhttp_file = \"/no/such/file\"\n"
    ));
    assert_problems(
        &written,
        &[
            "chains.ethereum.http_file: /no/such/file cannot be read (No such file or directory (os error 2)); name a file with the value alone",
        ],
    );
    let empty = written.file("empty", "\n");
    written.file(
        "paywatch.toml",
        &format!("{TREASURY}[chains.ethereum]\nhttp_file = {empty:?}\n"),
    );
    assert_problems(
        &written,
        &["chains.ethereum.http_file: is empty; give a value to http"],
    );
}

#[test]
fn no_error_and_no_debug_output_shows_a_secret() {
    let secret = "s3cret";
    let texts = [
        // Not even TOML: the parser would quote the line.
        format!("{TREASURY}[chains.ethereum]\nhttp = https://node.example/{secret}\n"),
        format!("{TREASURY}[chains.ethereum]\nhttp = \"ftp://node.example/{secret}\"\n"),
        format!("{TREASURY}[chains.ethereum]\nhttp = \"{secret}\"\n"),
        format!("{TREASURY}[chains.ethereum]\nhttp = [\"{secret}\"]\n"),
        format!("{TREASURY}[database]\nurl = \"mysql://u:{secret}@h/d\"\n{ETHEREUM}"),
        format!("{TREASURY}[chains.ethereum]\nwindow = \"{secret}\"\n"),
    ];
    for text in texts {
        let error = Written::new(&text).load_with(&[]).err().unwrap();
        assert!(!error.to_string().contains(secret), "{error}");
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
    }
    let config = Written::new(&format!("{TREASURY}{ETHEREUM}")).config();
    assert!(!format!("{:?}", config.chains).contains(secret));
}
