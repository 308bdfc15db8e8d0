//! A PostgreSQL for tests: a server of their own, or the one that `PAYWATCH_TEST_POSTGRES` names.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use url::Url;

use crate::error::BoxError;

/// The environment variable that names a server for tests.
pub const VARIABLE: &str = "PAYWATCH_TEST_POSTGRES";

/// Makes a server in a fresh directory, says where, and removes both when its standard input
/// closes, which it does when the tests end, however they end.
const KEEPER: &str = r#"
set -eu
bin=$1
dir=$(mktemp -d --tmpdir=/tmp --suffix=.paywatch-postgres)
trap 'rm -rf "$dir"' EXIT
fail() { cat "$dir/log" >&2; exit 1; }
"$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || fail
options="-c listen_addresses='' -c unix_socket_directories='$dir' -c max_connections=300"
options="$options $2"
"$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/log" -o "$options" start >>"$dir/log" 2>&1 || fail
echo "$dir"
cat >/dev/null
"$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1
"#;

/// What a server of tests does without: nothing of theirs outlives the machine.
const HASTY: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off";
/// What a server does without that is installed and not configured.
const DURABLE: &str = "";

/// Why there is no PostgreSQL to test with.
#[derive(Debug, thiserror::Error)]
pub enum PrivatePostgresError {
    /// Its programs are not installed.
    #[error(
        "PostgreSQL is not installed: apt-get install postgresql, or set {VARIABLE} to the URL of a server"
    )]
    NotInstalled,
    /// A program could not be run.
    #[error("{program} cannot be run")]
    Run {
        /// Which one.
        program: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The server did not come up.
    #[error(
        "the private PostgreSQL did not start; install postgresql, or set {VARIABLE} to the URL of a server: {output}"
    )]
    Start {
        /// What it said.
        output: String,
    },
    /// The server's URL is none.
    #[error("{VARIABLE} is not the URL of a PostgreSQL server")]
    Url(#[source] url::ParseError),
    /// A database could not be made.
    #[error("a test database cannot be made")]
    Database(#[source] BoxError),
}

/// A PostgreSQL server to test with. A private one is stopped and removed when this is dropped, or
/// else when the process ends.
pub struct PrivatePostgres {
    url: Url,
    keeper: Option<Child>,
}

impl fmt::Debug for PrivatePostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivatePostgres")
            .field("is_private", &self.keeper.is_some())
            .finish()
    }
}

impl PrivatePostgres {
    /// Takes the server that `PAYWATCH_TEST_POSTGRES` names, or starts one.
    ///
    /// # Errors
    /// With the remedy, when there can be none.
    pub fn start() -> Result<Self, PrivatePostgresError> {
        Self::with(HASTY)
    }

    /// The same, but what it is given is on the disk before it answers, as a merchant's server has
    /// it.
    ///
    /// # Errors
    /// With the remedy, when there can be none.
    pub fn start_durable() -> Result<Self, PrivatePostgresError> {
        Self::with(DURABLE)
    }

    fn with(options: &str) -> Result<Self, PrivatePostgresError> {
        if let Ok(url) = std::env::var(VARIABLE) {
            let url = Url::parse(&url).map_err(PrivatePostgresError::Url)?;
            return Ok(Self { url, keeper: None });
        }
        let programs = programs().ok_or(PrivatePostgresError::NotInstalled)?;
        let mut keeper = keeper_command()?;
        keeper.arg(KEEPER).arg("keeper").arg(programs).arg(options);
        // A group of its own, so that Ctrl-C at the tests leaves it time to tidy up.
        keeper
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut keeper = keeper.spawn().map_err(|source| PrivatePostgresError::Run {
            program: "sh",
            source,
        })?;
        let mut directory = String::new();
        if let Some(stdout) = keeper.stdout.take() {
            let _length = BufReader::new(stdout)
                .read_line(&mut directory)
                .map_err(|source| PrivatePostgresError::Run {
                    program: "sh",
                    source,
                })?;
        }
        let directory = directory.trim_end();
        if directory.is_empty() {
            let mut output = String::new();
            if let Some(mut stderr) = keeper.stderr.take() {
                let _unread = stderr.read_to_string(&mut output);
            }
            let _status = keeper.wait();
            return Err(PrivatePostgresError::Start { output });
        }
        let url = format!("postgres://postgres@localhost/postgres?host={directory}");
        let url = Url::parse(&url).map_err(PrivatePostgresError::Url)?;
        Ok(Self {
            url,
            keeper: Some(keeper),
        })
    }

    /// The server's URL, to be put into `PAYWATCH_TEST_POSTGRES`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// Makes an empty database and returns its URL.
    ///
    /// # Errors
    /// When the server does not.
    pub fn create_database(&self) -> Result<String, PrivatePostgresError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let name = format!("paywatch_{now}_{process}_{count}");
        let server = self.url();
        // Safe: the name is made of letters and digits here.
        let statement = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        // A thread of its own, since the caller may run inside a runtime already.
        let made = std::thread::spawn(move || -> Result<(), BoxError> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&server).await?;
                connection.execute(statement).await?;
                Ok(connection.close().await?)
            })
        });
        let crashed = |_panic| BoxError::from("the thread that makes it panicked");
        made.join()
            .map_err(crashed)
            .flatten()
            .map_err(PrivatePostgresError::Database)?;
        let mut url = self.url.clone();
        url.set_path(&name);
        Ok(url.to_string())
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            let _status = keeper.wait();
        }
    }
}

/// A shell that runs as somebody whom PostgreSQL obeys: it refuses root.
fn keeper_command() -> Result<Command, PrivatePostgresError> {
    let id = Command::new("id")
        .arg("-u")
        .output()
        .map_err(|source| PrivatePostgresError::Run {
            program: "id",
            source,
        })?;
    if id.stdout.trim_ascii() == b"0" {
        let mut command = Command::new("runuser");
        command
            .args(["-u", "postgres", "--", "sh", "-c"])
            .current_dir("/");
        Ok(command)
    } else {
        let mut command = Command::new("sh");
        command.arg("-c");
        Ok(command)
    }
}

/// Where PostgreSQL's programs are: the newest that Debian installed, or those on the path.
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}
