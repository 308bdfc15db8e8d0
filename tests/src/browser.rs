//! A real Chromium without a window, driven over `WebDriver` (W3C): only what stories need.
//!
//! The protocol is a few JSON requests, so a library for it would cost more than it saves.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::{tools, wait};

/// The name under which `WebDriver` gives an element's reference.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How often it is looked whether all of a browser has ended and its folder is gone.
const MOST_SCANS: usize = 200;

/// Whether pages may run scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scripts {
    /// They may.
    On,
    /// They may not.
    Off,
}

/// A browser. It ends when it is dropped.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    port: u16,
    session: String,
    driver: Child,
    _said: BufReader<ChildStdout>,
    folder: TempDir,
}

impl Browser {
    /// Opens a browser whose window is `width` by `height` CSS pixels.
    pub async fn open(scripts: Scripts, (width, height): (u32, u32)) -> Self {
        tools::install_tls();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let chromium = tools::on_path("chromium", "chromium");
        let mut driver = Command::new(tools::on_path("chromedriver", "chromium-driver"))
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the browser's driver can be started");
        let mut said = BufReader::new(driver.stdout.take().expect("it speaks"));
        let port = tokio::time::timeout(wait::LIMIT, port_of(&mut said));
        let port = port.await.expect("the driver listens in time");
        let profile = format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        );
        let mut preferences = json!({});
        if scripts == Scripts::Off {
            preferences = json!({"profile.default_content_setting_values.javascript": 2});
        }
        let options = json!({
            "binary": chromium,
            "prefs": preferences,
            "mobileEmulation": {"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2.0, "mobile": width < 600}},
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--no-first-run", "--hide-scrollbars", profile,
            ],
        });
        let capabilities =
            json!({"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}});
        let client = Client::new();
        let url = format!("http://127.0.0.1:{port}/session");
        let body = json!({"capabilities": capabilities});
        let session = call(&client, Method::POST, &url, Some(&body)).await;
        let session = session.expect("a browser can be opened");
        let session = session["sessionId"].as_str().expect("a session").to_owned();
        Self {
            client,
            port,
            session,
            driver,
            _said: said,
            folder,
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let answer = self.try_to(method, path, body).await;
        answer.expect("the browser does it")
    }

    async fn try_to(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, String> {
        let url = format!(
            "http://127.0.0.1:{}/session/{}{path}",
            self.port, self.session
        );
        call(&self.client, method, &url, body).await
    }

    /// Goes to `url` and waits until the page is loaded.
    pub async fn goes_to(&self, url: &str) {
        self.ask(Method::POST, "/url", Some(&json!({"url": url})))
            .await;
    }

    /// Loads the page again.
    pub async fn reloads(&self) {
        self.ask(Method::POST, "/refresh", Some(&json!({}))).await;
    }

    /// Where it is.
    pub async fn url(&self) -> String {
        let url = self.ask(Method::GET, "/url", None).await;
        url.as_str().expect("a URL").to_owned()
    }

    /// The path of the first element that `selector` names.
    async fn element(&self, selector: &str) -> Result<String, String> {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = self.try_to(Method::POST, "/element", Some(&wanted)).await?;
        let reference = found[ELEMENT].as_str().expect("a reference");
        Ok(format!("/element/{reference}"))
    }

    async fn tries_to_read(&self, selector: &str) -> Result<String, String> {
        let path = format!("{}/text", self.element(selector).await?);
        let text = self.try_to(Method::GET, &path, None).await?;
        Ok(text.as_str().expect("a text").to_owned())
    }

    /// What a person reads in the first element that `selector` names.
    pub async fn reads(&self, selector: &str) -> String {
        self.tries_to_read(selector)
            .await
            .expect("there is such an element")
    }

    /// Clicks on the first element that `selector` names.
    pub async fn clicks(&self, selector: &str) {
        let element = self.element(selector).await;
        let path = format!("{}/click", element.expect("there is such an element"));
        self.ask(Method::POST, &path, Some(&json!({}))).await;
    }

    /// What a script of ours returns, which is no script of the page's.
    pub async fn evaluates(&self, script: &str) -> Value {
        let body = json!({"script": script, "args": []});
        self.ask(Method::POST, "/execute/sync", Some(&body)).await
    }

    /// Waits until a person reads `wanted` in the first element that `selector` names.
    pub async fn shows(&self, selector: &str, wanted: &str) {
        wait::until(&format!("{selector} to say {wanted:?}"), || async {
            // An element may be replaced between the two requests.
            let text = self.tries_to_read(selector).await?;
            text.contains(wanted).then_some(()).ok_or(text)
        })
        .await;
    }

    /// A picture of the whole page, written to a file that lives as long as the browser.
    pub async fn takes_picture(&self) -> std::path::PathBuf {
        let body =
            json!({"cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": true}});
        let picture = self
            .ask(Method::POST, "/goog/cdp/execute", Some(&body))
            .await;
        let picture = picture["data"].as_str().expect("a picture");
        let picture = STANDARD.decode(picture).expect("in base 64");
        let path = self.folder.path().join("picture.png");
        std::fs::write(&path, picture).expect("the folder takes a file");
        path
    }

    /// Keeps a picture of the page for people to look at, if `PAYWATCH_PICTURES` names a folder.
    pub async fn is_looked_at(&self, name: &str) {
        let Some(folder) = std::env::var_os("PAYWATCH_PICTURES") else {
            return;
        };
        let picture = self.takes_picture().await;
        let kept = Path::new(&folder).join(format!("{name}.png"));
        std::fs::copy(picture, kept).expect("the folder of pictures takes a file");
    }

    /// What a scanner of QR codes reads on the page.
    pub async fn scans(&self) -> String {
        let picture = self.takes_picture().await;
        scan(&picture).await
    }
}

/// What a scanner of QR codes reads in a picture: one code.
pub async fn scan(picture: &Path) -> String {
    let mut zbar = Command::new(tools::on_path("zbarimg", "zbar-tools"));
    zbar.args(["-q", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable"]);
    let output = zbar.arg(picture).output().await.expect("zbarimg runs");
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert!(
        output.status.success() && !text.contains('\n'),
        "no single code in {}: {output:?}",
        picture.display()
    );
    text
}

/// The port in the line by which the driver says that it listens.
async fn port_of(said: &mut BufReader<ChildStdout>) -> u16 {
    let mut line = String::new();
    loop {
        line.clear();
        let read = said.read_line(&mut line).await.expect("it speaks text");
        assert!(read > 0, "the browser's driver ended before it listened");
        let port = line.split("successfully on port ").nth(1);
        if let Some(port) = port.and_then(|port| port.trim().trim_end_matches('.').parse().ok()) {
            return port;
        }
    }
}

/// What the driver answers, or its error.
async fn call(
    client: &Client,
    method: Method,
    url: &str,
    body: Option<&Value>,
) -> Result<Value, String> {
    let mut request = client.request(method, url).timeout(wait::LIMIT);
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer = request.send().await.expect("the driver answers");
    let status = answer.status();
    let mut answer: Value = answer.json().await.expect("in JSON");
    let value = answer["value"].take();
    if status.is_success() {
        Ok(value)
    } else {
        Err(format!("{}: {}", value["error"], value["message"]))
    }
}

impl Drop for Browser {
    /// Asks the driver to end the browser, which would otherwise outlive it, and ends what is left.
    fn drop(&mut self) {
        // Whether it is asked in vain is seen below.
        let _answer = self.asks_to_end();
        let _killed = self.driver.start_kill();
        for _ in 0..MOST_SCANS {
            let left = processes_in(self.folder.path());
            // A helper of the browser's may still write into the folder while it is removed.
            if left.is_empty() && std::fs::remove_dir_all(self.folder.path()).is_ok() {
                break;
            }
            if left.is_empty() {
                continue;
            }
            let mut kill = std::process::Command::new("kill");
            kill.arg("-KILL").args(left).stderr(Stdio::null());
            let _sent = kill.status();
        }
    }
}

impl Browser {
    fn asks_to_end(&self) -> std::io::Result<usize> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let (port, session) = (self.port, &self.session);
        let request = format!(
            "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        stream.read(&mut [0; 512])
    }
}

/// The processes that were started with something in `folder`; none where a system does not tell.
fn processes_in(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_ours = processes.filter(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&*folder)
    });
    of_ours
        .map(|process| process.file_name().to_string_lossy().into_owned())
        .collect()
}
