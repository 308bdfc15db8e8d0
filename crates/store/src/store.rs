//! The store: a handle on the database, and how its transactions begin.

use std::ops::{Deref, DerefMut};

use paywatch_core::OrderId;
use sqlx::{Any, AnyConnection, AnyPool, Transaction};
use tokio::sync::watch;

use crate::create::queue;
use crate::database_url::DatabaseUrl;
use crate::engine::{self, Engine, Pools};
use crate::error::{StoreError, failed};
use crate::listing::Whole;
use crate::migrations;
use crate::record::{ApiKeyRecord, CreateOutcome, NewOrder};
use crate::together::{Together, several};

/// So many statements of one kind run at a time. Whoever asks meanwhile shares the next one.
const READS_AT_A_TIME: usize = 2;

/// The books. Cheap to clone; all clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {
    pools: Pools,
    /// Counts what this program has committed.
    commits: watch::Sender<u64>,
    /// Who waits for an order to be made.
    pub(crate) queue: Together<NewOrder, CreateOutcome>,
    /// Who asks for orders.
    pub(crate) orders: Together<OrderId, Option<Whole>>,
    /// Who asks for keys, by what they hash to.
    pub(crate) keys: Together<String, Option<ApiKeyRecord>>,
}

/// A transaction that is rolled back unless it is committed.
pub(crate) struct Tx {
    inner: Transaction<'static, Any>,
    commits: watch::Sender<u64>,
}

impl Tx {
    /// Undoes what it wrote.
    pub(crate) async fn rollback(self) -> Result<(), sqlx::Error> {
        self.inner.rollback().await
    }
}

impl Deref for Tx {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}

impl Store {
    /// Connects to the database, creates a SQLite file that is missing, brings the layout up to
    /// date, and gives a page to every order that has none.
    ///
    /// # Errors
    /// When the database cannot be reached or written, or was written by a newer program.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let pools = engine::connect(url).await?;
        let commits = watch::Sender::new(0);
        let store = Self {
            pools,
            commits,
            // Two at once would only wait for each other.
            queue: Together::new("make an order", 1, queue::next),
            orders: Together::new("read an order", READS_AT_A_TIME, several),
            keys: Together::new("look up an API key", READS_AT_A_TIME, several),
        };
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

    /// Changes whenever this program has committed something: there may be events. Other programs'
    /// commits do not show.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
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
        let inner = match self.pools.engine {
            Engine::Sqlite => pool.begin_with(statement).await?,
            Engine::Postgres => {
                let pool = pool.clone();
                let begun = tokio::spawn(async move { pool.begin_with(statement).await });
                begun.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))?
            },
        };
        let commits = self.commits.clone();
        Ok(Tx { inner, commits })
    }
}

/// Makes what `tx` wrote last.
pub(crate) async fn commit(tx: Tx) -> Result<(), StoreError> {
    let Tx { inner, commits } = tx;
    inner.commit().await.map_err(failed("commit"))?;
    commits.send_modify(|count| *count = count.wrapping_add(1));
    Ok(())
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
