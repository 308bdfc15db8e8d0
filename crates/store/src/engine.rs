//! The few things in which SQLite and PostgreSQL differ.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyPool, ConnectOptions as _, Connection as _, Executor as _};

use crate::database_url::{DatabaseUrl, Place, sqlite_url};
use crate::error::{StoreError, failed};

/// How long a caller waits for a free connection, or SQLite for another program's write.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long anything may take that others wait for: longer than what ends by itself.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);
/// How long to wait before a busy database is asked again.
const RETRY: Duration = Duration::from_millis(20);
/// After how long without use a connection to PostgreSQL may have died.
const SURELY_ALIVE: Duration = Duration::from_secs(1);
/// Readers beside SQLite's one writer.
const SQLITE_READERS: u32 = 4;
/// Connections to PostgreSQL.
const POSTGRES_CONNECTIONS: u32 = 16;

/// Readers do not wait for the writer, nor it for them. The file remembers this.
const SQLITE_FILE: &str = "PRAGMA busy_timeout = 15000; PRAGMA journal_mode = WAL;";
/// What a writer of SQLite asks for: a commit is on the disk before it is answered.
const SQLITE_WRITER: &str =
    "PRAGMA busy_timeout = 15000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
const SQLITE_READER: &str = "PRAGMA busy_timeout = 15000; PRAGMA query_only = ON;";

/// PostgreSQL plans by how large tables are, and keeps a plan for as long as nobody counts them again:
/// one that was made when there were ten orders would read all of a hundred thousand, though what is
/// asked for has an index. A statement that has none is not to be compiled for its seeming cost.
const POSTGRES_SESSION: &str = "SET enable_seqscan = off; SET jit = off";

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// The connections of a store.
#[derive(Clone, Debug)]
pub(crate) struct Pools {
    pub(crate) engine: Engine,
    pub(crate) writers: AnyPool,
    pub(crate) readers: AnyPool,
}

impl Engine {
    /// Begins a transaction that writes. SQLite takes its one write lock now rather than fail
    /// when it comes to write.
    pub(crate) const fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Begins a transaction whose statements all read the same state.
    pub(crate) const fn begin_read(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN DEFERRED",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Runs `migrator` so that programs that start at once do not disturb each other: PostgreSQL's
    /// driver takes an advisory lock, SQLite's none, so its write lock is held here.
    pub(crate) async fn migrate(
        self,
        pools: &Pools,
        migrator: &Migrator,
    ) -> Result<(), MigrateError> {
        let mut connection = pools.writers.acquire().await?;
        match self {
            Self::Postgres => migrator.run_direct(None, &mut *connection, false).await,
            Self::Sqlite => {
                let mut transaction = connection.begin_with(self.begin_write()).await?;
                migrator.run_direct(None, &mut *transaction, false).await?;
                Ok(transaction.commit().await?)
            },
        }
    }
}

/// Connects to the database at `url`.
pub(crate) async fn connect(url: &DatabaseUrl) -> Result<Pools, StoreError> {
    sqlx::any::install_default_drivers();
    match url.place() {
        Place::File(path) => connect_sqlite(path).await,
        Place::Server(url) => connect_postgres(url.expose_secret()).await,
    }
}

async fn connect_postgres(url: &str) -> Result<Pools, StoreError> {
    let options = options(url)?;
    try_out(&options, POSTGRES_SESSION)
        .await
        .map_err(failed("connect"))?;
    let pool = AnyPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(POSTGRES_SESSION).await.map(drop) })
        })
        // Whether the server is still there is asked only if it may have gone meanwhile.
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for >= SURELY_ALIVE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await
        .map_err(failed("connect"))?;
    Ok(Pools {
        engine: Engine::Postgres,
        readers: pool.clone(),
        writers: pool,
    })
}

async fn connect_sqlite(path: &Path) -> Result<Pools, StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(StoreError::NoFolder {
            path: path.to_owned(),
            folder: folder.to_owned(),
        });
    }
    let writing = options(&sqlite_url(path, "rwc"))?;
    let unwritable = |source| {
        if is_unreachable(&source) {
            failed("connect")(source)
        } else {
            StoreError::Unwritable {
                path: path.to_owned(),
                source,
            }
        }
    };
    try_out(&writing, SQLITE_FILE).await.map_err(unwritable)?;
    let writers = sqlite_pool(SQLITE_WRITER)
        .max_connections(1)
        .connect_with(writing)
        .await
        .map_err(unwritable)?;
    let readers = sqlite_pool(SQLITE_READER)
        .max_connections(SQLITE_READERS)
        .connect_lazy_with(options(&sqlite_url(path, "rw"))?);
    Ok(Pools {
        engine: Engine::Sqlite,
        writers,
        readers,
    })
}

/// Connects once, so that what is wrong is known: a pool would only try again until its time is
/// up. A database that says it is busy is asked again, above all SQLite's while several programs
/// switch it to WAL at once, since nothing else makes them wait for each other there.
async fn try_out(options: &AnyConnectOptions, statement: &'static str) -> sqlx::Result<()> {
    let attempts = async {
        loop {
            match attempt(options, statement).await {
                Err(error) if code(&error).is_some_and(|code| is_busy(&code)) => {
                    tokio::time::sleep(RETRY).await;
                },
                done => return done,
            }
        }
    };
    tokio::time::timeout(PATIENCE, attempts)
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

async fn attempt(options: &AnyConnectOptions, statement: &'static str) -> sqlx::Result<()> {
    let mut connection = options.connect().await?;
    connection.execute(statement).await?;
    connection.close().await
}

fn sqlite_pool(pragmas: &'static str) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .acquire_timeout(PATIENCE.saturating_mul(2))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(pragmas).await?;
                Ok(())
            })
        })
}

fn options(url: &str) -> Result<AnyConnectOptions, StoreError> {
    url.parse().map_err(failed("read the database's URL"))
}

/// What `work` comes to; that the database does not answer, if that takes longer than `limit`. A server
/// whose machine is gone says nothing at all, and the driver would wait for it.
pub(crate) async fn in_time<T>(
    limit: Duration,
    what: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let silence = |_too_late| {
        let detail = format!("it has said nothing for {} s", limit.as_secs());
        let error = io::Error::new(io::ErrorKind::TimedOut, detail);
        failed(what)(sqlx::Error::Io(error))
    };
    let done = tokio::time::timeout(limit, work).await;
    done.map_err(silence)?
}

/// Whether the database (or the way to it) is away or busy: waiting may help.
pub(crate) fn is_unreachable(error: &sqlx::Error) -> bool {
    let is_away = matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
    );
    is_away || code(error).is_some_and(|code| is_busy(&code))
}

/// Whether a database says by this code that it is busy or going away.
fn is_busy(code: &str) -> bool {
    if code.len() == 5 {
        // A SQLSTATE: no connection, out of resources, shutting down.
        return ["08", "53", "57P"]
            .iter()
            .any(|class| code.starts_with(class));
    }
    // SQLite's extended code, whose low byte is the primary one: SQLITE_BUSY or SQLITE_LOCKED.
    code.parse::<u32>()
        .is_ok_and(|code| matches!(code & 0xff, 5 | 6))
}

/// Whether PostgreSQL gave this transaction up in favour of another.
pub(crate) fn is_collision(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| code == "40001" || code == "40P01")
}

fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sqlite_writes_through_to_the_disk_and_readers_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let url: DatabaseUrl = format!("sqlite:{}", folder.path().join("a b%20#ü").display())
            .parse()
            .unwrap();
        let pools = connect(&url).await.unwrap();
        let pragma = async |statement| {
            sqlx::query_scalar::<_, i64>(statement)
                .fetch_one(&pools.writers)
                .await
                .unwrap()
        };
        assert_eq!(pragma("PRAGMA synchronous").await, 2);
        assert_eq!(pragma("PRAGMA foreign_keys").await, 1);
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&pools.writers)
            .await
            .unwrap();
        assert_eq!(mode, "wal");
        let written = pools.readers.execute("CREATE TABLE t (x BIGINT)").await;
        assert!(written.is_err());
        assert!(folder.path().join("a b%20#ü").is_file());
    }

    #[test]
    fn codes_say_whether_waiting_helps() {
        for code in ["5", "261", "517", "6", "08006", "57P01", "53300"] {
            assert!(is_busy(code), "{code}");
        }
        for code in ["23505", "42601", "1", "2067", "8", "40P01"] {
            assert!(!is_busy(code), "{code}");
        }
    }
}
