//! What can go wrong with the books, split by what the caller does next.

use std::error::Error;
use std::path::PathBuf;

use paywatch_core::OrderId;
use sqlx::migrate::MigrateError;

use crate::engine;

/// Any cause.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why the store could not do what it was asked. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else wrote first: read again and decide again.
    #[error("{what} moved on meanwhile; read again and decide again")]
    Stale {
        /// What moved on.
        what: String,
    },
    /// The database does not answer now: wait and try again.
    #[error("the database does not answer (to {what})")]
    Unreachable {
        /// What was wanted.
        what: &'static str,
        /// What the driver says.
        #[source]
        source: sqlx::Error,
    },
    /// The database answered with an error that should not happen.
    #[error("the database failed to {what}")]
    Database {
        /// What was wanted.
        what: &'static str,
        /// What the driver says.
        #[source]
        source: sqlx::Error,
    },
    /// A row in the database means nothing.
    #[error("the database is corrupt: {table}.{column} of {key} cannot be read")]
    Corrupt {
        /// Its table.
        table: &'static str,
        /// The column that cannot be read.
        column: &'static str,
        /// Which row.
        key: String,
        /// Why it cannot be read.
        #[source]
        source: BoxError,
    },
    /// What was to be written contradicts the books: a mistake of the caller.
    #[error("refused to write: {what}")]
    Refused {
        /// The contradiction.
        what: String,
    },
    /// Another order has the exact amount by which this one would be told apart.
    #[error("the exact amount of order {order} belongs to another order by now; make a new order")]
    AmountTaken {
        /// The order that would be open again.
        order: OrderId,
    },
    /// The folder of the SQLite file does not exist.
    #[error(
        "the folder {} of the database file {} does not exist; create it, or set another path in database.url",
        folder.display(),
        path.display()
    )]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// The SQLite file cannot be opened for writing.
    #[error(
        "the database file {} cannot be opened and written; check its permissions, or set another path in database.url",
        path.display()
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the driver says.
        #[source]
        source: sqlx::Error,
    },
    /// A newer program has changed the database's layout.
    #[error(
        "the database has layout {found}, and this program knows only up to {known}; run the newer paywatch that wrote it"
    )]
    NewerSchema {
        /// The layout of the database.
        found: i64,
        /// The newest layout that this program knows.
        known: i64,
    },
    /// The database's layout could not be brought up to date.
    #[error("the database's layout could not be brought up to date")]
    Migration(#[source] MigrateError),
}

impl StoreError {
    pub(crate) fn stale(what: impl Into<String>) -> Self {
        Self::Stale { what: what.into() }
    }

    pub(crate) fn refused(what: impl Into<String>) -> Self {
        Self::Refused { what: what.into() }
    }

    pub(crate) const fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// What the driver's error means to the caller who wanted to do `what`.
pub(crate) fn failed(what: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |source| {
        if engine::is_collision(&source) {
            StoreError::stale("the database")
        } else if engine::is_unreachable(&source) {
            StoreError::Unreachable { what, source }
        } else {
            StoreError::Database { what, source }
        }
    }
}
