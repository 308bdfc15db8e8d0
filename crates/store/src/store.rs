//! The store: a handle on the database, and how its transactions begin.

use sqlx::{Any, AnyConnection, AnyPool, Transaction};

use crate::database_url::DatabaseUrl;
use crate::engine::{self, Engine, Pools};
use crate::error::{StoreError, failed};
use crate::migrations;

/// The books. Cheap to clone; all clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {
    pools: Pools,
}

/// A transaction that is rolled back unless it is committed.
pub(crate) type Tx = Transaction<'static, Any>;

impl Store {
    /// Connects to the database, creates a SQLite file that is missing, brings the layout up to
    /// date, and gives a page to every order that has none.
    ///
    /// # Errors
    /// When the database cannot be reached or written, or was written by a newer program.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let pools = engine::connect(url).await?;
        let store = Self { pools };
        let ready = async {
            migrations::run(&store.pools).await?;
            store.give_older_orders_pages().await
        };
        if let Err(error) = ready.await {
            store.close().await;
            return Err(error);
        }
        Ok(store)
    }

    /// Waits for running transactions, then disconnects.
    pub async fn close(&self) {
        self.pools.readers.close().await;
        self.pools.writers.close().await;
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1")
            .fetch_one(&self.pools.readers)
            .await
            .map(drop)
            .map_err(failed("answer a ping"))
    }

    /// For what is read by one statement.
    pub(crate) const fn readers(&self) -> &AnyPool {
        &self.pools.readers
    }

    /// For what is no transaction.
    #[cfg(feature = "bulk")]
    pub(crate) const fn writers(&self) -> &AnyPool {
        &self.pools.writers
    }

    /// Begins a transaction that writes.
    pub(crate) async fn write(&self) -> Result<Tx, StoreError> {
        let begin = self.pools.engine.begin_write();
        let begun = self.begin(&self.pools.writers, begin).await;
        begun.map_err(failed("begin to write"))
    }

    /// Begins a transaction whose statements all read the same state. Dropping it ends it.
    pub(crate) async fn read(&self) -> Result<Tx, StoreError> {
        let begin = self.pools.engine.begin_read();
        let begun = self.begin(&self.pools.readers, begin).await;
        begun.map_err(failed("begin to read"))
    }

    /// Begins a transaction. Whoever waits for it may be dropped at any moment, as a request is whose
    /// client goes away. In PostgreSQL that would leave a connection in the pool with a transaction
    /// that nobody ends, in which the next ones would read what is old; so it is begun in a task of
    /// its own, which ends it if nobody takes it.
    async fn begin(&self, pool: &AnyPool, statement: &'static str) -> Result<Tx, sqlx::Error> {
        match self.pools.engine {
            Engine::Sqlite => pool.begin_with(statement).await,
            Engine::Postgres => {
                let pool = pool.clone();
                let begun = tokio::spawn(async move { pool.begin_with(statement).await });
                begun.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
            },
        }
    }
}

/// Makes what `tx` wrote last.
pub(crate) async fn commit(tx: Tx) -> Result<(), StoreError> {
    tx.commit().await.map_err(failed("commit"))
}

/// Takes the next `count` numbers of the event log and returns the last of them. The counter's row
/// stays locked until the end of the transaction, so that numbers and commits have one order.
pub(crate) async fn take_event_numbers(
    connection: &mut AnyConnection,
    count: i64,
) -> Result<i64, StoreError> {
    sqlx::query_scalar(
        "UPDATE counters SET value = value + $1 WHERE name = 'events' RETURNING value",
    )
    .bind(count)
    .fetch_one(connection)
    .await
    .map_err(failed("number events"))
}
