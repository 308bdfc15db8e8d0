//! Reading sweeps: a page of them, or one.

use paywatch_core::{PaymentId, Timestamp};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::batch::Statement;
use crate::error::StoreError;
use crate::fields::{Fields, address, chain_number, hash};
use crate::load::recorded;
use crate::payments;
use crate::record::{Sweep, SweepFilter, SweepStatus};
use crate::store::Store;

/// Moved from a deposit address: an operator's own wallets may pay each other as well.
const FROM_DEPOSIT: &str = " AND EXISTS (SELECT 1 FROM watched_addresses \
    WHERE watched_addresses.address = transfers.sender)";
/// Longer pages are cut to this.
const LONGEST_PAGE: u32 = 1_000;

impl Store {
    /// A page of the sweeps that meet `filter`. The next page begins `after` the last of this one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweeps(
        &self,
        filter: &SweepFilter,
        after: Option<(Timestamp, PaymentId)>,
        limit: u32,
    ) -> Result<Vec<Sweep>, StoreError> {
        let mut tx = self.read().await?;
        let limit = i64::from(limit.clamp(1, LONGEST_PAGE));
        let statement = wanted(filter, after, limit)?;
        let rows = statement.rows(&mut tx, "list sweeps").await?;
        sweeps(&mut tx, &rows).await
    }

    /// The sweep with this id, which is that of its transfer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self, id: &PaymentId) -> Result<Option<Sweep>, StoreError> {
        let mut tx = self.read().await?;
        let mut statement = Statement::new(payments::SELECT);
        statement
            .push(" WHERE state = 'moved' AND payment_id = ")
            .bind(id.to_string())
            .push(FROM_DEPOSIT);
        let rows = statement.rows(&mut tx, "read a sweep").await?;
        Ok(sweeps(&mut tx, &rows).await?.pop())
    }
}

/// The sweeps of a page. Few are in a transaction or of an address: they are found by its index and
/// then sorted, and `|| ''` and `+ 0` keep the database from the indices by state and by time.
fn wanted(
    filter: &SweepFilter,
    after: Option<(Timestamp, PaymentId)>,
    limit: i64,
) -> Result<Statement, StoreError> {
    let has_few = has_few(filter);
    let mut statement = Statement::new(payments::SELECT);
    statement.push(if has_few {
        " WHERE state || '' = 'moved'"
    } else {
        " WHERE state = 'moved'"
    });
    statement.push(FROM_DEPOSIT);
    place(&mut statement, filter)?;
    time(&mut statement, filter);
    if let Some((at, id)) = after {
        statement
            .push(" AND (detected_at, payment_id)")
            .push(if filter.oldest_first { " > (" } else { " < (" })
            .bind(at.unix_ms())
            .push(", ")
            .bind(id.to_string())
            .push(")");
    }
    let sorted = match (has_few, filter.oldest_first) {
        (false, false) => " ORDER BY detected_at DESC, payment_id DESC LIMIT ",
        (false, true) => " ORDER BY detected_at, payment_id LIMIT ",
        (true, false) => " ORDER BY detected_at + 0 DESC, payment_id DESC LIMIT ",
        (true, true) => " ORDER BY detected_at + 0, payment_id LIMIT ",
    };
    statement.push(sorted).bind(limit);
    Ok(statement)
}

const fn has_few(filter: &SweepFilter) -> bool {
    filter.tx_hash.is_some() || filter.address.is_some() || filter.order.is_some()
}

/// Where they are to be.
fn place(statement: &mut Statement, filter: &SweepFilter) -> Result<(), StoreError> {
    let has_few = has_few(filter);
    if let Some(tx_hash) = &filter.tx_hash {
        statement.push(" AND tx_hash = ").bind(hash(tx_hash));
    }
    if let Some(deposit) = &filter.address {
        statement.push(" AND sender = ").bind(address(deposit));
    }
    if let Some(order) = filter.order {
        statement
            .push(" AND sender IN (SELECT address FROM order_options WHERE order_id = ")
            .bind(order.to_string())
            .push(" AND factory IS NOT NULL)");
    }
    // By one index only: a token has fewer than its chain.
    if let Some(token) = &filter.token {
        let column = if has_few {
            " AND token || '' = "
        } else {
            " AND token = "
        };
        statement.push(column).bind(address(token));
    }
    if let Some(chain_id) = filter.chain_id {
        let column = if has_few || filter.token.is_some() {
            " AND chain_id + 0 = "
        } else {
            " AND chain_id = "
        };
        statement.push(column).bind(chain_number(chain_id)?);
    }
    Ok(())
}

/// When they are to have been seen, and how far they are to be.
fn time(statement: &mut Statement, filter: &SweepFilter) {
    match filter.status {
        None => {},
        Some(SweepStatus::Detected) => {
            statement.push(" AND canonical + 0 = 1 AND confirmed_at_tip IS NULL");
        },
        Some(SweepStatus::Completed) => {
            statement.push(" AND canonical + 0 = 1 AND confirmed_at_tip IS NOT NULL");
        },
        Some(SweepStatus::Reverted) => {
            statement.push(" AND canonical + 0 = 0");
        },
    }
    if let Some(from) = filter.detected_from {
        statement.push(" AND detected_at >= ").bind(from.unix_ms());
    }
    if let Some(before) = filter.detected_before {
        statement.push(" AND detected_at < ").bind(before.unix_ms());
    }
}

async fn sweeps(connection: &mut AnyConnection, rows: &[AnyRow]) -> Result<Vec<Sweep>, StoreError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let fields = Fields::of(row, "transfers", "block_hash");
        let times = (
            fields.time("detected_at")?,
            fields.maybe_time("reverted_at")?,
        );
        found.push((recorded(fields)?, times));
    }
    let senders = found.iter().map(|(recorded, _)| recorded.transfer.from);
    let owners = payments::owners(connection, senders.collect()).await?;
    let sweeps = found.into_iter().filter_map(|(recorded, times)| {
        let order = *owners.get(&recorded.transfer.from)?;
        let (detected_at, reverted_at) = times;
        Some(Sweep {
            recorded,
            order,
            detected_at,
            reverted_at,
        })
    });
    Ok(sweeps.collect())
}

#[cfg(test)]
mod tests {
    use paywatch_core::{Address, B256, ChainId, OrderId};
    use sqlx::Row as _;

    use super::*;

    /// However much was ever moved, a page is read by the index of what is asked for. (PostgreSQL
    /// chooses by what there is, and SQLite by the statement alone.)
    #[tokio::test]
    async fn sweeps_are_read_by_their_indices() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("books.sqlite").display());
        let store = Store::open(&url.parse().unwrap()).await.unwrap();
        let mut tx = store.read().await.unwrap();
        let of = |change: fn(&mut SweepFilter)| {
            let mut filter = SweepFilter::default();
            change(&mut filter);
            filter
        };
        for (filter, index) in [
            (SweepFilter::default(), "transfers_by_state"),
            (
                of(|filter| filter.chain_id = ChainId::new(1).ok()),
                "transfers_by_chain",
            ),
            (
                of(|filter| filter.token = Some(Address::ZERO)),
                "transfers_by_token",
            ),
            (
                of(|filter| filter.tx_hash = Some(B256::ZERO)),
                "transfers_by_transaction",
            ),
            (
                of(|filter| filter.address = Some(Address::ZERO)),
                "transfers_moved_from",
            ),
            (
                of(|filter| filter.order = Some(OrderId::from_bytes([7; 16]))),
                "transfers_moved_from",
            ),
        ] {
            let statement = wanted(&filter, None, 20)
                .unwrap()
                .explained("EXPLAIN QUERY PLAN ");
            let rows = statement.rows(&mut tx, "explain").await.unwrap();
            let lines = rows.iter().map(|row| row.get::<String, _>("detail"));
            let plan = lines.collect::<Vec<_>>().join("\n");
            assert!(plan.contains(index), "{filter:?}: {plan}");
        }
        drop(tx);
        store.close().await;
    }
}
