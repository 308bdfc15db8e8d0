//! The statements that find the orders of a page.

use std::iter;

use paywatch_core::OrderStatus;
use sqlx::AnyConnection;

use crate::batch::{Statement, Value};
use crate::error::StoreError;
use crate::fields::{Fields, address};
use crate::record::OrderFilter;

/// How many orders are looked at for one page, if conditions have to be met together.
const SCANNED: i64 = 10_000;

/// Orders are looked for above and below these numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) above: i64,
    pub(super) below: i64,
}

/// By what orders are found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// They have one of these places.
    Places(Vec<String>),
    /// They have a note with this name and value.
    Note(String, String),
}

/// A list of orders that an index holds in the order of their numbers.
#[derive(Clone, Debug)]
enum Part {
    All,
    Status(OrderStatus),
    /// Of a short time, in which there are few, whatever their status.
    StatusThen(OrderStatus),
    Place(String, OrderStatus),
    Note(String, String),
}

/// How the orders of a page are to be read.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    filter: &'a OrderFilter,
    driver: Option<Source>,
    others: Vec<Source>,
    bounds: Bounds,
    /// The last number that is looked at, if there may be more behind it.
    pub(super) reach: Option<i64>,
}

impl<'a> Plan<'a> {
    /// Of what `filter` asks for, what fewest have is read, and the rest is looked up for each. If
    /// many have each of it, the page ends where enough orders were looked at.
    pub(super) async fn make(
        connection: &mut AnyConnection,
        filter: &'a OrderFilter,
        bounds: Bounds,
    ) -> Result<Self, StoreError> {
        let mut others = sources(filter);
        let is_by_note = |source: &Source| matches!(source, Source::Note(..));
        let has_rest =
            others.len() > 1 || (!filter.statuses.is_empty() && others.iter().any(is_by_note));
        let mut best: Option<(usize, Option<i64>)> = None;
        for (index, source) in others.iter().enumerate() {
            let reach = if has_rest {
                reach(connection, &parts(Some(source), filter), filter, bounds).await?
            } else {
                None
            };
            let is_better = match best {
                None => true,
                Some((_, None)) => false,
                Some((_, Some(known))) => reach.is_none_or(|reach| {
                    if filter.oldest_first {
                        reach > known
                    } else {
                        reach < known
                    }
                }),
            };
            if is_better {
                best = Some((index, reach));
            }
        }
        let reach = best.and_then(|(_, reach)| reach);
        let driver = best.map(|(index, _)| others.remove(index));
        let mut bounds = bounds;
        match reach {
            Some(last) if filter.oldest_first => bounds.below = last.saturating_add(1),
            Some(last) => bounds.above = last.saturating_sub(1),
            None => {},
        }
        Ok(Self {
            filter,
            driver,
            others,
            bounds,
            reach,
        })
    }

    /// What reads ids and numbers of the first `limit` orders. Each list is asked for by itself, so
    /// that each can be read from the end of its index.
    pub(super) fn statement(&self, limit: i64) -> Statement {
        let mut statement = Statement::new("");
        // An order may have several of the places.
        let joints = iter::once("").chain(iter::repeat(" UNION "));
        for (part, joint) in parts(self.driver.as_ref(), self.filter).iter().zip(joints) {
            statement.push(joint).push("SELECT id, seq FROM (");
            statement.push("SELECT orders.id, orders.seq FROM ");
            let sorted = read(&mut statement, part, self.bounds);
            if let (Part::Note(..), [_, ..]) = (part, self.filter.statuses.as_slice()) {
                // Not by the index of statuses, which has many more.
                statement.push(" AND orders.status || '' IN (");
                let names = self.filter.statuses.iter().map(|status| status.name());
                statement.bind_list(names.map(Value::from)).push(")");
            }
            for other in &self.others {
                also(&mut statement, other);
            }
            self.times(&mut statement);
            sort(&mut statement, sorted, self.filter);
            statement.push(" LIMIT ").bind(limit).push(") AS part");
        }
        sort(&mut statement, &["seq"], self.filter);
        statement.push(" LIMIT ").bind(limit);
        statement
    }

    fn times(&self, statement: &mut Statement) {
        if let Some(from) = self.filter.created_from {
            statement
                .push(" AND orders.created_at >= ")
                .bind(from.unix_ms());
        }
        if let Some(before) = self.filter.created_before {
            statement
                .push(" AND orders.created_at < ")
                .bind(before.unix_ms());
        }
    }
}

/// What `filter` asks for beside statuses and times; what fewer have tends to come first.
fn sources(filter: &OrderFilter) -> Vec<Source> {
    let mut sources = Vec::new();
    let place = |place: String| Source::Places(vec![place]);
    sources.extend(filter.address.as_ref().map(address).map(place));
    let notes = filter.metadata.iter();
    sources.extend(notes.map(|(name, value)| Source::Note(name.clone(), value.clone())));
    let flags = filter.flags.names();
    if !flags.is_empty() {
        let flags = flags.into_iter().map(str::to_owned);
        sources.push(Source::Places(flags.collect()));
    }
    let chain = filter.chain_id.map(|chain| chain.to_string());
    sources.extend(chain.map(place));
    sources
}

/// The lists that hold all orders of `source` in the wanted statuses.
fn parts(source: Option<&Source>, filter: &OrderFilter) -> Vec<Part> {
    let is_any = filter.statuses.is_empty();
    let wanted = OrderStatus::ALL.into_iter();
    let wanted = wanted.filter(|status| is_any || filter.statuses.contains(status));
    match source {
        None if is_any => vec![Part::All],
        None if filter.created_from.and(filter.created_before).is_some() => {
            wanted.map(Part::StatusThen).collect()
        },
        None => wanted.map(Part::Status).collect(),
        Some(Source::Note(name, value)) => vec![Part::Note(name.clone(), value.clone())],
        Some(Source::Places(places)) => wanted
            .flat_map(|status| {
                places
                    .iter()
                    .map(move |place| Part::Place(place.clone(), status))
            })
            .collect(),
    }
}

/// Up to which number orders are looked at, if not all are.
async fn reach(
    connection: &mut AnyConnection,
    parts: &[Part],
    filter: &OrderFilter,
    bounds: Bounds,
) -> Result<Option<i64>, StoreError> {
    let count = i64::try_from(parts.len()).unwrap_or(i64::MAX).max(1);
    let passed = SCANNED.checked_div(count).unwrap_or_default();
    let mut statement = Statement::new("");
    let joints = iter::once("").chain(iter::repeat(" UNION ALL "));
    for (part, joint) in parts.iter().zip(joints) {
        statement.push(joint).push("SELECT seq FROM (SELECT ");
        let sorted: &[&str] = match part {
            Part::All | Part::Status(_) | Part::StatusThen(_) => &["orders.seq"],
            Part::Place(..) | Part::Note(..) => &["here.seq"],
        };
        statement.push(if sorted == ["here.seq"] {
            "here.seq FROM "
        } else {
            "orders.seq FROM "
        });
        listed(&mut statement, part);
        within(&mut statement, part, bounds);
        sort(&mut statement, sorted, filter);
        statement
            .push(" LIMIT 1 OFFSET ")
            .bind(passed)
            .push(") AS part");
    }
    let mut last: Option<i64> = None;
    for row in statement
        .rows(connection, "see how many orders there are")
        .await?
    {
        let seq: i64 = Fields::of(&row, "orders", "seq").number("seq")?;
        last = Some(last.map_or(seq, |last| {
            if filter.oldest_first {
                last.min(seq)
            } else {
                last.max(seq)
            }
        }));
    }
    Ok(last)
}

/// Where a list is.
fn listed(statement: &mut Statement, part: &Part) {
    statement.push(match part {
        Part::All | Part::Status(_) | Part::StatusThen(_) => "orders",
        Part::Place(..) => "order_places AS here",
        Part::Note(..) => "order_metadata AS here",
    });
}

/// The orders of a list; returns by what they are sorted.
fn read(statement: &mut Statement, part: &Part, bounds: Bounds) -> &'static [&'static str] {
    listed(statement, part);
    let sorted: &[&str] = match part {
        Part::All | Part::StatusThen(_) => &["orders.seq"],
        Part::Status(_) => &["orders.status", "orders.seq"],
        Part::Place(..) | Part::Note(..) => {
            statement.push(" JOIN orders ON orders.seq = here.seq");
            &["here.seq"]
        },
    };
    within(statement, part, bounds);
    sorted
}

/// Which rows of a list. A status and numbers are bounded together, and sorted together later, since
/// PostgreSQL may otherwise walk through all orders for the few that are in a rare status.
fn within(statement: &mut Statement, part: &Part, Bounds { above, below }: Bounds) {
    match part {
        Part::All => {
            statement.push(" WHERE orders.seq > ").bind(above);
            statement.push(" AND orders.seq < ").bind(below);
        },
        Part::Status(status) => {
            statement
                .push(" WHERE (orders.status, orders.seq) > (")
                .bind(status.name());
            statement.push(", ").bind(above).push(")");
            statement
                .push(" AND (orders.status, orders.seq) < (")
                .bind(status.name());
            statement.push(", ").bind(below).push(")");
        },
        Part::StatusThen(status) => {
            statement
                .push(" WHERE orders.status = ")
                .bind(status.name());
            statement.push(" AND orders.seq > ").bind(above);
            statement.push(" AND orders.seq < ").bind(below);
        },
        Part::Place(place, status) => {
            statement.push(" WHERE here.place = ").bind(place.as_str());
            statement.push(" AND here.status = ").bind(status.name());
            statement.push(" AND here.seq > ").bind(above);
            statement.push(" AND here.seq < ").bind(below);
        },
        Part::Note(name, value) => {
            statement.push(" WHERE here.name = ").bind(name.as_str());
            statement.push(" AND here.value = ").bind(value.as_str());
            statement.push(" AND here.seq > ").bind(above);
            statement.push(" AND here.seq < ").bind(below);
        },
    }
}

/// What else the orders must be. It is counted, since no database makes a join of that.
fn also(statement: &mut Statement, source: &Source) {
    match source {
        Source::Places(places) => {
            statement.push(
                " AND (SELECT COUNT(*) FROM order_places AS there \
                 WHERE there.seq = orders.seq AND there.place IN (",
            );
            let places = places.iter().map(|place| Value::from(place.as_str()));
            statement.bind_list(places).push(")) > 0");
        },
        Source::Note(name, value) => {
            statement.push(
                " AND (SELECT COUNT(*) FROM order_metadata AS there \
                 WHERE there.order_id = orders.id AND there.name = ",
            );
            statement.bind(name.as_str()).push(" AND there.value = ");
            statement.bind(value.as_str()).push(") > 0");
        },
    }
}

fn sort(statement: &mut Statement, columns: &[&'static str], filter: &OrderFilter) {
    for (index, column) in columns.iter().enumerate() {
        statement.push(if index == 0 { " ORDER BY " } else { ", " });
        statement.push(column);
        statement.push(if filter.oldest_first { "" } else { " DESC" });
    }
}
