//! Reading the event log: on from a number, all of it or what is wanted of it, and one by its id.

use std::iter;

use paywatch_core::{ChainEvent, EndpointEvent, Event, OrderId, PaymentEvent, PaymentId};
use sqlx::any::AnyRow;
use sqlx::{Any, Executor};

use crate::batch::{Statement, Value};
use crate::error::{StoreError, failed};
use crate::events::then;
use crate::fields::{Fields, number};
use crate::record::{EventFilter, EventPage, EventRecord, OrderEvent, Told};
use crate::store::Store;

/// How many events one statement names.
const MOST_NUMBERS: usize = 256;
/// Longer pages are cut to this.
const LONGEST_PAGE: u32 = 1_000;

const LAST: &str = "SELECT value FROM counters WHERE name = 'events'";
/// Names the columns once.
macro_rules! columns {
    () => {
        "SELECT seq, id, order_id, order_seq, chain_id, endpoint_id, kind, payment_id, status, flags, received, \
         counted, confirmed, excess, detail, happened_at, refunded, told_before, order_then \
         FROM events"
    };
}

/// Everything about events.
pub(super) const SELECT: &str = columns!();
/// The same by their ids.
pub(super) const BY_ID: &str = concat!(columns!(), " WHERE id IN");

impl Store {
    /// The events with these numbers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events_numbered(&self, seqs: &[u64]) -> Result<Vec<EventRecord>, StoreError> {
        let mut events = Vec::with_capacity(seqs.len());
        let mut tx = self.read().await?;
        for part in seqs.chunks(MOST_NUMBERS) {
            let numbers = part.iter().map(|seq| number(*seq, "sequence number"));
            let numbers: Vec<i64> = numbers.collect::<Result<_, _>>()?;
            let mut statement = Statement::new(concat!(columns!(), " WHERE seq IN ("));
            statement.bind_list(numbers.into_iter().map(Value::from));
            statement.push(")");
            for row in statement.rows(&mut tx, "read events").await? {
                events.push(record(&row)?);
            }
        }
        Ok(events)
    }
}

impl Store {
    /// At most `limit` events after number `seq`, in order and without gaps.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events_after(&self, seq: u64, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        let rows = sqlx::query(concat!(columns!(), " WHERE seq > $1 ORDER BY seq LIMIT $2"))
            .bind(number(seq, "sequence number")?)
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(failed("read events"))?;
        rows.iter().map(record).collect()
    }

    /// At most `limit` of the events after number `seq` that meet `filter`, in order, and how far
    /// the log was read for them. All of one moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events(
        &self,
        filter: &EventFilter,
        seq: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let after = number(seq, "sequence number")?;
        let mut tx = self.read().await?;
        let last = last_event(&mut *tx).await?;
        let statement = wanted(filter, after, i64::from(limit));
        let rows = statement.rows(&mut tx, "read events").await?;
        let events: Vec<EventRecord> = rows.iter().map(record).collect::<Result<_, _>>()?;
        let is_full = u32::try_from(events.len()).is_ok_and(|count| count >= limit);
        let read_up_to = match events.last() {
            Some(event) if is_full => event.seq,
            // A number that was never given may be asked for: then nothing was read.
            Some(_) | None => last.max(seq),
        };
        Ok(EventPage { events, read_up_to })
    }

    /// The event with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn event(&self, id: &str) -> Result<Option<EventRecord>, StoreError> {
        let row = sqlx::query(concat!(columns!(), " WHERE id = $1"))
            .bind(id)
            .fetch_optional(self.readers())
            .await
            .map_err(failed("read an event"))?;
        row.as_ref().map(record).transpose()
    }

    /// The number of the last event; 0 if there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_event(&self) -> Result<u64, StoreError> {
        last_event(self.readers()).await
    }
}

async fn last_event(database: impl Executor<'_, Database = Any>) -> Result<u64, StoreError> {
    let row = sqlx::query(LAST)
        .fetch_one(database)
        .await
        .map_err(failed("read how far the events go"))?;
    Fields::of(&row, "counters", "name").number("value")
}

/// The wanted events after number `seq`. Those of an order are few; else each kind is asked for by
/// itself, so that each can be read on in its index.
fn wanted(filter: &EventFilter, seq: i64, limit: i64) -> Statement {
    if let Some(order) = filter.order {
        let mut statement = Statement::new(SELECT);
        statement
            .push(" WHERE order_id = ")
            .bind(order.to_string())
            .push(" AND seq > ")
            .bind(seq);
        if !filter.kinds.is_empty() {
            let kinds = filter.kinds.iter().map(|kind| (*kind).into());
            statement.push(" AND kind IN (").bind_list(kinds).push(")");
        }
        // As their numbers go, and as the index of an order's events does.
        statement.push(" ORDER BY order_seq LIMIT ").bind(limit);
        return statement;
    }
    if filter.kinds.is_empty() {
        let mut statement = Statement::new(SELECT);
        statement.push(" WHERE seq > ").bind(seq);
        statement.push(" ORDER BY seq LIMIT ").bind(limit);
        return statement;
    }
    let mut statement = Statement::new("");
    let joints = iter::once("").chain(iter::repeat(" UNION ALL "));
    for (kind, joint) in filter.kinds.iter().zip(joints) {
        statement.push(joint).push("SELECT * FROM (").push(SELECT);
        statement
            .push(" WHERE kind = ")
            .bind(*kind)
            .push(" AND seq > ")
            .bind(seq)
            .push(" ORDER BY seq LIMIT ")
            .bind(limit)
            .push(") AS part");
    }
    statement.push(" ORDER BY seq LIMIT ").bind(limit);
    statement
}

/// An event as its row says.
pub(super) fn record(row: &AnyRow) -> Result<EventRecord, StoreError> {
    let fields = Fields::of(row, "events", "id");
    let order = fields.maybe_parsed::<OrderId>("order_id")?;
    let payment = fields.maybe_parsed::<PaymentId>("payment_id")?;
    let told = match (order, payment) {
        (Some(order_id), payment) => Told::Order(of_order(fields, order_id, payment)?),
        (None, Some(payment)) => Told::Payment(PaymentEvent {
            chain_id: fields.chain_id("chain_id")?,
            payment,
            kind: fields.parsed("kind")?,
            detail: fields.text("detail")?,
        }),
        (None, None) => match fields.maybe_parsed("endpoint_id")? {
            Some(endpoint) => Told::Endpoint(EndpointEvent {
                endpoint,
                kind: fields.parsed("kind")?,
                detail: fields.text("detail")?,
            }),
            None => Told::Chain(ChainEvent {
                chain_id: fields.chain_id("chain_id")?,
                kind: fields.parsed("kind")?,
                detail: fields.text("detail")?,
            }),
        },
    };
    Ok(EventRecord {
        seq: fields.number("seq")?,
        id: fields.text("id")?,
        told,
        at: fields.time("happened_at")?,
    })
}

fn of_order(
    fields: Fields<'_>,
    order_id: OrderId,
    payment: Option<PaymentId>,
) -> Result<OrderEvent, StoreError> {
    let then = fields.maybe_text("order_then")?;
    let then = then.map(|text| then::read(&text).map(Box::new));
    Ok(OrderEvent {
        order_id,
        order_seq: fields.number("order_seq")?,
        event: Event {
            kind: fields.parsed("kind")?,
            payment,
        },
        status: fields.parsed("status")?,
        flags: fields.flags("flags")?,
        received: fields.parsed("received")?,
        counted: fields.parsed("counted")?,
        confirmed: fields.parsed("confirmed")?,
        excess: fields.parsed("excess")?,
        // Older events were told when nothing could be sent back.
        refunded: fields.maybe_parsed("refunded")?.unwrap_or_default(),
        told_before: fields.maybe_number("told_before")?,
        then: then
            .transpose()
            .map_err(|cause| fields.corrupt("order_then", cause))?,
    })
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;
    use crate::engine::Engine;
    use crate::store::Tx;
    use crate::test_postgres::PrivatePostgres;

    async fn plan(tx: &mut Tx, engine: Engine, filter: &EventFilter) -> String {
        let (by, column) = match engine {
            Engine::Sqlite => ("EXPLAIN QUERY PLAN ", "detail"),
            Engine::Postgres => ("EXPLAIN ", "QUERY PLAN"),
        };
        let statement = wanted(filter, 7, 100).explained(by);
        let rows = statement.rows(tx, "explain").await.unwrap();
        let lines = rows.iter().map(|row| row.get::<String, _>(column));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Whoever reads on reads what he wants, however long the log is.
    async fn reads_by_its_index(url: &str, engine: Engine) {
        let store = Store::open(&url.parse().unwrap()).await.unwrap();
        let mut tx = store.read().await.unwrap();
        let kinds = vec!["order.paid", "payment.detected"];
        let order = Some(OrderId::from_bytes([7; 16]));
        for (filter, index) in [
            (EventFilter::default(), "seq"),
            (
                EventFilter {
                    kinds: kinds.clone(),
                    order: None,
                },
                "events_by_kind",
            ),
            (EventFilter { kinds, order }, "order_id"),
        ] {
            let plan = plan(&mut tx, engine, &filter).await;
            assert!(plan.contains(index), "{filter:?}: {plan}");
            for slow in ["SCAN events", "Seq Scan"] {
                assert!(!plan.contains(slow), "{filter:?}: {plan}");
            }
        }
        drop(tx);
        store.close().await;
    }

    #[tokio::test]
    async fn filters_read_by_their_indices_on_sqlite() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("books.sqlite").display());
        reads_by_its_index(&url, Engine::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn filters_read_by_their_indices_on_postgres() {
        let server = PrivatePostgres::start().unwrap();
        let url = server.create_database().unwrap();
        reads_by_its_index(&url, Engine::Postgres).await;
    }
}
