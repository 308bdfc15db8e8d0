//! The database's layout: numbered steps that are built into the program.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use crate::engine::Pools;
use crate::error::{StoreError, failed};

/// Every step, in order. A step that was ever released is never changed.
const STEPS: [(i64, &str, &str); 20] = [
    (
        1,
        "orders and payments",
        include_str!("../../../migrations/0001_orders_and_payments.sql"),
    ),
    (
        2,
        "proofs and chain events",
        include_str!("../../../migrations/0002_proofs_and_chain_events.sql"),
    ),
    (
        3,
        "decisions and open work",
        include_str!("../../../migrations/0003_decisions_and_open_work.sql"),
    ),
    (
        4,
        "payments of no order",
        include_str!("../../../migrations/0004_payments_of_no_order.sql"),
    ),
    (
        5,
        "three methods",
        include_str!("../../../migrations/0005_three_methods.sql"),
    ),
    (
        6,
        "what else a block says",
        include_str!("../../../migrations/0006_what_else_a_block_says.sql"),
    ),
    (
        7,
        "large books",
        include_str!("../../../migrations/0007_large_books.sql"),
    ),
    (
        8,
        "audits",
        include_str!("../../../migrations/0008_audits.sql"),
    ),
    (
        9,
        "refunds",
        include_str!("../../../migrations/0009_refunds.sql"),
    ),
    (
        10,
        "one index by time",
        include_str!("../../../migrations/0010_one_index_by_time.sql"),
    ),
    (
        11,
        "keys of services",
        include_str!("../../../migrations/0011_keys_of_services.sql"),
    ),
    (
        12,
        "checkout pages",
        include_str!("../../../migrations/0012_checkout_pages.sql"),
    ),
    (
        13,
        "idempotency keys",
        include_str!("../../../migrations/0013_idempotency_keys.sql"),
    ),
    (
        14,
        "events to be read",
        include_str!("../../../migrations/0014_events_to_be_read.sql"),
    ),
    (
        15,
        "deliveries",
        include_str!("../../../migrations/0015_deliveries.sql"),
    ),
    (
        16,
        "failed deliveries",
        include_str!("../../../migrations/0016_failed_deliveries.sql"),
    ),
    (
        17,
        "look-alikes",
        include_str!("../../../migrations/0017_look_alikes.sql"),
    ),
    (
        18,
        "lists by what orders are",
        include_str!("../../../migrations/0018_lists_by_what_orders_are.sql"),
    ),
    (
        19,
        "changes of endpoints",
        include_str!("../../../migrations/0019_changes_of_endpoints.sql"),
    ),
    (
        20,
        "sweeps by address",
        include_str!("../../../migrations/0020_sweeps_by_address.sql"),
    ),
];

/// Brings the database's layout up to date.
///
/// # Errors
/// [`StoreError::NewerSchema`] when a newer program wrote it.
pub(crate) async fn run(pools: &Pools) -> Result<(), StoreError> {
    let steps = STEPS.map(|(version, what, sql)| {
        Migration::new(
            version,
            Cow::Borrowed(what),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    let migrator = Migrator::with_migrations(steps.to_vec());
    let known = STEPS
        .iter()
        .map(|(version, _, _)| *version)
        .max()
        .unwrap_or_default();
    match pools.engine.migrate(pools, &migrator).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) => Err(StoreError::NewerSchema { found, known }),
        Err(MigrateError::Execute(source)) => Err(failed("bring its layout up to date")(source)),
        Err(other) => Err(StoreError::Migration(other)),
    }
}
