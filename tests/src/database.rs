//! The database of a story: a SQLite file, or a database on a private PostgreSQL.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use paywatch_store::test_postgres::PrivatePostgres;

/// Which engine a story runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// An embedded SQLite file.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

impl Engine {
    /// The URL of a fresh database, whose files, if any, lie in `folder`.
    #[must_use]
    pub fn fresh_database(self, folder: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite:{}", folder.join("paywatch.sqlite").display()),
            Self::Postgres => server().create_database().expect("a database can be made"),
        }
    }
}

/// The one server of this test run: that of the test command, or one of our own.
fn server() -> &'static PrivatePostgres {
    static SERVER: OnceLock<PrivatePostgres> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    let _one_starts = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    SERVER.get_or_init(|| PrivatePostgres::start().expect("PostgreSQL can be started"))
}
