//! Reading sweeps: a page of them, or one.

use paywatch_core::{OrderId, PaymentId, SweepStatus, Timestamp};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::batch::Statement;
use crate::error::StoreError;
use crate::fields::{Fields, address, chain_number, hash};
use crate::load::recorded;
use crate::payments;
use crate::record::{Sweep, SweepFilter};
use crate::store::Store;

/// Moved from a deposit address: an operator's own wallets may pay each other as well.
const FROM_DEPOSIT: &str = " AND EXISTS (SELECT 1 FROM watched_addresses \
    WHERE watched_addresses.address = transfers.sender)";
/// By its own index, as migration 0020 has it.
const ONLY_MOVED: &str = " AND state || '' = 'moved'";
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
        let limit = limit.clamp(1, LONGEST_PAGE);
        let Some(few) = few(&mut tx, filter).await? else {
            let statement = wanted(filter, after, i64::from(limit))?;
            let rows = statement.rows(&mut tx, "list sweeps").await?;
            return sweeps(&mut tx, &rows).await;
        };
        let rows = few.rows(&mut tx, "list sweeps").await?;
        let mut sweeps = sweeps(&mut tx, &rows).await?;
        sweeps.retain(|sweep| meets(sweep, filter));
        sweeps.sort_by_cached_key(place);
        if !filter.oldest_first {
            sweeps.reverse();
        }
        if let Some((at, id)) = after {
            let after = (at, id.to_string());
            sweeps.retain(|sweep| {
                if filter.oldest_first {
                    place(sweep) > after
                } else {
                    place(sweep) < after
                }
            });
        }
        sweeps.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(sweeps)
    }

    /// The sweep with this id, which is that of its transfer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self, id: &PaymentId) -> Result<Option<Sweep>, StoreError> {
        let mut tx = self.read().await?;
        let mut statement = Statement::new(payments::SELECT);
        statement
            .push(" WHERE payment_id = ")
            .bind(id.to_string())
            .push(ONLY_MOVED);
        let rows = statement.rows(&mut tx, "read a sweep").await?;
        Ok(sweeps(&mut tx, &rows).await?.pop())
    }
}

/// What reads the sweeps that can meet `filter`, if it asks for what only few can have.
async fn few(
    connection: &mut AnyConnection,
    filter: &SweepFilter,
) -> Result<Option<Statement>, StoreError> {
    let mut statement = Statement::new(payments::SELECT);
    if let Some(tx_hash) = &filter.tx_hash {
        statement.push(" WHERE tx_hash = ").bind(hash(tx_hash));
    } else if let Some(deposit) = &filter.address {
        statement.push(" WHERE sender = ").bind(address(deposit));
    } else if let Some(order) = filter.order {
        let deposits = deposits(connection, order).await?;
        if deposits.is_empty() {
            statement.push(" WHERE 1 = 0");
        } else {
            statement.push(" WHERE sender IN (");
            statement.bind_list(deposits.into_iter().map(Into::into));
            statement.push(")");
        }
    } else {
        return Ok(None);
    }
    statement.push(ONLY_MOVED);
    Ok(Some(statement))
}

/// An order's deposit addresses.
async fn deposits(
    connection: &mut AnyConnection,
    order: OrderId,
) -> Result<Vec<String>, StoreError> {
    let mut statement = Statement::new(
        "SELECT DISTINCT address FROM order_options WHERE factory IS NOT NULL AND order_id = ",
    );
    statement.bind(order.to_string());
    let rows = statement.rows(connection, "read payment options").await?;
    rows.iter()
        .map(|row| Fields::of(row, "order_options", "address").text("address"))
        .collect()
}

/// By what lists are sorted.
fn place(sweep: &Sweep) -> (Timestamp, String) {
    let id = sweep.recorded.transfer.payment_id();
    (sweep.detected_at, id.to_string())
}

/// Whether a sweep meets every condition of `filter`.
fn meets(sweep: &Sweep, filter: &SweepFilter) -> bool {
    let transfer = &sweep.recorded.transfer;
    let is = |wanted: Option<bool>| wanted.unwrap_or(true);
    (filter.statuses.is_empty() || filter.statuses.contains(&sweep.status()))
        && is(filter.chain_id.map(|chain| transfer.id.chain_id == chain))
        && is(filter.token.map(|token| transfer.token == token))
        && is(filter.address.map(|deposit| transfer.from == deposit))
        && is(filter.order.map(|order| sweep.order == order))
        && is(filter.tx_hash.map(|hash| transfer.tx_hash == hash))
        && is(filter.detected_from.map(|from| sweep.detected_at >= from))
        && is(filter.detected_before.map(|end| sweep.detected_at < end))
}

/// The sweeps of a page, read from the end of an index. Few wait to be final and few left their chain:
/// those have indices of their own, by the same words as migration 0020 has them.
fn wanted(
    filter: &SweepFilter,
    after: Option<(Timestamp, PaymentId)>,
    limit: i64,
) -> Result<Statement, StoreError> {
    let mut statement = Statement::new(payments::SELECT);
    let has_index = match filter.statuses.as_slice() {
        [SweepStatus::Detected] => {
            statement.push(" WHERE canonical = 1 AND confirmed_at_tip IS NULL");
            true
        },
        [SweepStatus::Reverted] => {
            statement.push(" WHERE canonical = 0");
            true
        },
        statuses => {
            statement.push(" WHERE state = 'moved'");
            if !statuses.is_empty() {
                any_of(&mut statement, statuses);
            }
            false
        },
    };
    if has_index {
        statement.push(ONLY_MOVED);
    }
    statement.push(FROM_DEPOSIT);
    // By one index only: a token has fewer than its chain.
    if let Some(token) = &filter.token {
        let column = if has_index {
            " AND token || '' = "
        } else {
            " AND token = "
        };
        statement.push(column).bind(address(token));
    }
    if let Some(chain_id) = filter.chain_id {
        let column = if has_index || filter.token.is_some() {
            " AND chain_id + 0 = "
        } else {
            " AND chain_id = "
        };
        statement.push(column).bind(chain_number(chain_id)?);
    }
    seen(&mut statement, filter, after);
    statement.push(if filter.oldest_first {
        " ORDER BY detected_at, payment_id LIMIT "
    } else {
        " ORDER BY detected_at DESC, payment_id DESC LIMIT "
    });
    statement.bind(limit);
    Ok(statement)
}

/// In one of several statuses.
fn any_of(statement: &mut Statement, statuses: &[SweepStatus]) {
    for (index, status) in statuses.iter().enumerate() {
        statement.push(if index == 0 { " AND (" } else { " OR " });
        statement.push(match status {
            SweepStatus::Detected => "(canonical + 0 = 1 AND confirmed_at_tip IS NULL)",
            SweepStatus::Completed => "(canonical + 0 = 1 AND confirmed_at_tip IS NOT NULL)",
            SweepStatus::Reverted => "canonical + 0 = 0",
        });
    }
    statement.push(")");
}

/// When they are to have been seen.
fn seen(statement: &mut Statement, filter: &SweepFilter, after: Option<(Timestamp, PaymentId)>) {
    if let Some(from) = filter.detected_from {
        statement.push(" AND detected_at >= ").bind(from.unix_ms());
    }
    if let Some(before) = filter.detected_before {
        statement.push(" AND detected_at < ").bind(before.unix_ms());
    }
    if let Some((at, id)) = after {
        statement
            .push(" AND (detected_at, payment_id)")
            .push(if filter.oldest_first { " > (" } else { " < (" })
            .bind(at.unix_ms())
            .push(", ")
            .bind(id.to_string())
            .push(")");
    }
}

/// The sweeps among what was moved.
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
    use paywatch_core::{Address, B256, ChainId};
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
                of(|filter| filter.statuses = vec![SweepStatus::Completed]),
                "transfers_by_state",
            ),
            (
                of(|filter| filter.statuses = vec![SweepStatus::Detected]),
                "transfers_moving_by_time",
            ),
            (
                of(|filter| filter.statuses = vec![SweepStatus::Reverted]),
                "transfers_moved_in_vain",
            ),
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
            let statement = match few(&mut tx, &filter).await.unwrap() {
                Some(few) => few,
                None => wanted(&filter, None, 20).unwrap(),
            };
            let statement = statement.explained("EXPLAIN QUERY PLAN ");
            let rows = statement.rows(&mut tx, "explain").await.unwrap();
            let lines = rows.iter().map(|row| row.get::<String, _>("detail"));
            let plan = lines.collect::<Vec<_>>().join("\n");
            assert!(plan.contains(index), "{filter:?}: {plan}");
            let is_sorted = plan.contains("TEMP B-TREE");
            assert!(!is_sorted, "{filter:?}: {plan}");
        }
        drop(tx);
        store.close().await;
    }
}
