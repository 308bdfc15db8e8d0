//! Payments by themselves: who claims them, lists of them, and one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use paywatch_core::{
    Address, ChainId, Claim, Loose, OrderId, PaymentId, PaymentState, RecordedTransfer, Timestamp,
    Transfer, TransferId,
};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::batch::{Statement, rows_of};
use crate::error::StoreError;
use crate::fields::{self, Fields, address, chain_number, hash};
use crate::load::{assigned, recorded};
use crate::record::{BookedPlace, BookedTransfer, Claimed, PaymentFilter};
use crate::slots;
use crate::store::Store;

/// Names the columns once.
macro_rules! columns {
    () => {
        "SELECT order_id, payment_id, chain_id, block_hash, log_index, block_number, \
         block_timestamp, tx_hash, token, sender, recipient, amount, canonical, confirmed_at_tip, \
         proof, state, is_late, detected_at, reverted_at, assigned_confirmations, assigned_tag, \
         assigned_proof, paid_receiver, paid_payer, paid_ref"
    };
}

/// Everything about transfers.
pub(crate) const SELECT: &str = concat!(columns!(), " FROM transfers");
/// The same about unmatched ones, by their ids.
pub(crate) const STRUCK: &str = concat!(
    columns!(),
    " FROM transfers WHERE canonical = 1 AND state = 'unmatched' AND payment_id IN"
);
/// The same about any, by their ids.
const BY_ID: &str = concat!(columns!(), " FROM transfers WHERE payment_id IN");
const NEWEST_FIRST: &str = " ORDER BY detected_at DESC, payment_id DESC LIMIT ";
const OLDEST_FIRST: &str = " ORDER BY detected_at, payment_id LIMIT ";
/// Longer pages are cut to this.
const LONGEST_PAGE: u32 = 1_000;

impl Store {
    /// Who claims each of `transfers`: the order whose address was paid, or that was named to the
    /// receiver that it came through, or whose amount was paid to a shared address, or whom an
    /// operator gave it to before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claims(
        &self,
        transfers: &[&Transfer],
    ) -> Result<BTreeMap<TransferId, Claimed>, StoreError> {
        let mut tx = self.read().await?;
        let paid = transfers.iter().map(|transfer| transfer.to);
        let owners = owners(&mut tx, paid.collect()).await?;
        let named = named(&mut tx, transfers).await?;
        // What names an order, even one that there is not, is not told apart by its amount.
        let is_shared = |transfer: &&Transfer| {
            !owners.contains_key(&transfer.to) && transfer.paid_through.is_none()
        };
        let shared = transfers.iter().copied().filter(is_shared);
        let by_amount = slots::owners(&mut tx, shared).await?;
        let mut decided = decided(&mut tx, transfers).await?;
        let claims = transfers.iter().map(|transfer| {
            let by_address = owners.get(&transfer.to).copied().map(Claim::Order);
            let by_name = || named.get(&transfer.id).copied().map(Claim::Order);
            let by_amount = || by_amount.get(&transfer.id).copied().map(Claim::Amount);
            let claimed = decided.remove(&transfer.id).unwrap_or(Claimed {
                claim: by_address
                    .or_else(by_name)
                    .or_else(by_amount)
                    .unwrap_or(Claim::Nobody),
                assigned: None,
            });
            (transfer.id, claimed)
        });
        Ok(claims.collect())
    }

    /// A page of the payments that meet `filter`. The next page begins `after` the last of this one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payments(
        &self,
        filter: &PaymentFilter,
        after: Option<(Timestamp, PaymentId)>,
        limit: u32,
    ) -> Result<Vec<BookedTransfer>, StoreError> {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let mut tx = self.read().await?;
        let Some(few) = few(filter) else {
            let statement = wanted(filter, after, i64::from(limit))?;
            let rows = statement.rows(&mut tx, "list payments").await?;
            return rows.iter().map(booked).collect();
        };
        let rows = few.rows(&mut tx, "list payments").await?;
        let payments: Vec<BookedTransfer> = rows.iter().map(booked).collect::<Result<_, _>>()?;
        let after = after.map(|(at, id)| (at, id.to_string()));
        let mut payments: Vec<_> = payments
            .into_iter()
            .map(|payment| (place_in_list(&payment), payment))
            .filter(|(place, _)| {
                after.as_ref().is_none_or(|after| {
                    if filter.oldest_first {
                        place > after
                    } else {
                        place < after
                    }
                })
            })
            .filter(|(_, payment)| meets(payment, filter))
            .collect();
        payments.sort_by(|(one, _), (other, _)| one.cmp(other));
        if !filter.oldest_first {
            payments.reverse();
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        payments.truncate(limit);
        Ok(payments.into_iter().map(|(_, payment)| payment).collect())
    }

    /// The payment with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payment(&self, id: &PaymentId) -> Result<Option<BookedTransfer>, StoreError> {
        let mut statement = Statement::new(SELECT);
        statement.push(" WHERE payment_id = ").bind(id.to_string());
        let mut tx = self.read().await?;
        let rows = statement.rows(&mut tx, "read a payment").await?;
        rows.first().map(booked).transpose()
    }
}

/// What reads the payments that can meet `filter`, if it asks for what only few can have.
fn few(filter: &PaymentFilter) -> Option<Statement> {
    let mut statement = Statement::new(SELECT);
    if let Some(tx_hash) = &filter.tx_hash {
        statement.push(" WHERE tx_hash = ").bind(hash(tx_hash));
    } else {
        let order = filter.order?;
        statement.push(" WHERE order_id = ").bind(order.to_string());
    }
    Some(statement)
}

/// By what lists are sorted.
fn place_in_list(payment: &BookedTransfer) -> (Timestamp, String) {
    let id = payment.recorded.transfer.payment_id();
    (payment.detected_at, id.to_string())
}

/// Whether a payment meets every condition of `filter`.
fn meets(payment: &BookedTransfer, filter: &PaymentFilter) -> bool {
    let transfer = &payment.recorded.transfer;
    let state = match &payment.place {
        BookedPlace::Order { state, .. } => state.name(),
        BookedPlace::Loose(loose) => loose.name(),
    };
    (filter.states.is_empty() || filter.states.contains(&state))
        && filter
            .chain_id
            .is_none_or(|chain| transfer.id.chain_id == chain)
        && filter.to.is_none_or(|to| transfer.to == to)
        && filter.tx_hash.is_none_or(|hash| transfer.tx_hash == hash)
        && filter.token.is_none_or(|token| transfer.token == token)
        && filter
            .detected_from
            .is_none_or(|from| payment.detected_at >= from)
        && filter
            .detected_before
            .is_none_or(|before| payment.detected_at < before)
        && filter
            .order
            .is_none_or(|order| payment.order() == Some(order))
}

/// The payments of a page. Each wanted state is asked for by itself, so that each can be read from
/// the end of its index.
fn wanted(
    filter: &PaymentFilter,
    after: Option<(Timestamp, PaymentId)>,
    limit: i64,
) -> Result<Statement, StoreError> {
    let is_any = filter.states.is_empty();
    let states: BTreeSet<Option<&str>> = if !is_any {
        filter.states.iter().copied().map(Some).collect()
    } else if filter.to.is_none() && filter.chain_id.is_none() && filter.token.is_none() {
        [None].into()
    } else {
        let of_orders = PaymentState::ALL.into_iter().map(PaymentState::name);
        let of_none = Loose::ALL.into_iter().map(Loose::name);
        of_orders.chain(of_none).map(Some).collect()
    };
    let sorted = if filter.oldest_first {
        OLDEST_FIRST
    } else {
        NEWEST_FIRST
    };
    let mut statement = Statement::new("");
    let joints = iter::once("").chain(iter::repeat(" UNION ALL "));
    for (state, joint) in states.into_iter().zip(joints) {
        statement.push(joint).push("SELECT * FROM (").push(SELECT);
        match after {
            Some((at, id)) => statement
                .push(" WHERE (detected_at, payment_id)")
                .push(if filter.oldest_first { " > (" } else { " < (" })
                .bind(at.unix_ms())
                .push(", ")
                .bind(id.to_string())
                .push(")"),
            None => statement.push(" WHERE detected_at >= 0"),
        };
        if let Some(state) = state {
            statement.push(" AND state = ").bind(state);
        }
        conditions(&mut statement, filter)?;
        statement.push(sorted).bind(limit).push(") AS part");
    }
    statement.push(sorted).bind(limit);
    Ok(statement)
}

fn conditions(statement: &mut Statement, filter: &PaymentFilter) -> Result<(), StoreError> {
    if let Some(to) = &filter.to {
        statement.push(" AND recipient = ").bind(address(to));
    }
    // By one index only: an address has fewer payments than a token, and that fewer than a chain.
    if let Some(token) = &filter.token {
        let column = if filter.to.is_some() {
            " AND token || '' = "
        } else {
            " AND token = "
        };
        statement.push(column).bind(address(token));
    }
    if let Some(chain_id) = filter.chain_id {
        let column = if filter.to.is_some() || filter.token.is_some() {
            " AND chain_id + 0 = "
        } else {
            " AND chain_id = "
        };
        statement.push(column).bind(chain_number(chain_id)?);
    }
    if let Some(from) = filter.detected_from {
        statement.push(" AND detected_at >= ").bind(from.unix_ms());
    }
    if let Some(before) = filter.detected_before {
        statement.push(" AND detected_at < ").bind(before.unix_ms());
    }
    Ok(())
}

/// Whose deposit addresses these are, of those that are any.
pub(crate) async fn owners(
    connection: &mut AnyConnection,
    addresses: BTreeSet<Address>,
) -> Result<BTreeMap<Address, OrderId>, StoreError> {
    let keys: Vec<String> = addresses.iter().map(fields::address).collect();
    let before = "SELECT address, order_id FROM watched_addresses WHERE address IN";
    let rows = rows_of(connection, &keys, before, "", "read watched addresses").await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::of(row, "watched_addresses", "address");
            Ok((fields.parsed("address")?, fields.parsed("order_id")?))
        })
        .collect()
}

/// Which orders were named to the receivers that `transfers` came through: those that there are and
/// that could be paid so on that chain.
async fn named(
    connection: &mut AnyConnection,
    transfers: &[&Transfer],
) -> Result<BTreeMap<TransferId, OrderId>, StoreError> {
    let named: BTreeMap<TransferId, OrderId> = transfers
        .iter()
        .filter_map(|transfer| {
            let order_ref = transfer.paid_through?.order_ref;
            Some((transfer.id, OrderId::from_contract_ref(order_ref)?))
        })
        .collect();
    let orders: BTreeSet<_> = named.values().map(ToString::to_string).collect();
    let keys: Vec<String> = orders.into_iter().collect();
    let before = "SELECT order_id, chain_id FROM order_options WHERE method = 'contract' \
        AND order_id IN";
    let rows = rows_of(connection, &keys, before, "", "look for named orders").await?;
    let known = rows
        .iter()
        .map(|row| {
            let fields = Fields::of(row, "order_options", "order_id");
            Ok((fields.parsed("order_id")?, fields.chain_id("chain_id")?))
        })
        .collect::<Result<BTreeSet<(OrderId, ChainId)>, StoreError>>()?;
    Ok(named
        .into_iter()
        .filter(|(transfer, order)| known.contains(&(*order, transfer.chain_id)))
        .collect())
}

/// What operators had decided about these transfers before they left their chain.
async fn decided(
    connection: &mut AnyConnection,
    transfers: &[&Transfer],
) -> Result<BTreeMap<TransferId, Claimed>, StoreError> {
    let keys: Vec<String> = transfers
        .iter()
        .map(|transfer| transfer.payment_id().to_string())
        .collect();
    let before = "SELECT chain_id, block_hash, log_index, order_id, assigned_confirmations, \
        assigned_tag, assigned_proof FROM transfers WHERE (state = 'written_off' \
        OR assigned_confirmations IS NOT NULL) AND payment_id IN";
    let rows = rows_of(connection, &keys, before, "", "read decided payments").await?;
    let mut decided = BTreeMap::new();
    for row in &rows {
        let fields = Fields::of(row, "transfers", "block_hash");
        let order: Option<OrderId> = fields.maybe_parsed("order_id")?;
        let claimed = Claimed {
            claim: order.map_or(Claim::WrittenOff, Claim::Order),
            assigned: assigned(fields)?,
        };
        decided.insert(fields.transfer_id()?, claimed);
    }
    Ok(decided)
}

/// The payments with these ids.
pub(crate) async fn by_id(
    connection: &mut AnyConnection,
    ids: &BTreeSet<PaymentId>,
) -> Result<BTreeMap<PaymentId, BookedTransfer>, StoreError> {
    let keys: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let rows = rows_of(connection, &keys, BY_ID, "", "read payments").await?;
    rows.iter()
        .map(|row| {
            let payment = booked(row)?;
            Ok((payment.recorded.transfer.payment_id(), payment))
        })
        .collect()
}

/// A transfer and where it belongs.
pub(crate) fn booked(row: &AnyRow) -> Result<BookedTransfer, StoreError> {
    let fields = Fields::of(row, "transfers", "block_hash");
    let recorded: RecordedTransfer = recorded(fields)?;
    let place = match fields.maybe_parsed::<OrderId>("order_id")? {
        Some(id) => BookedPlace::Order {
            id,
            state: fields.parsed("state")?,
            is_late: fields.flag("is_late")?,
        },
        None => BookedPlace::Loose(fields.parsed::<Loose>("state")?),
    };
    Ok(BookedTransfer {
        recorded,
        place,
        detected_at: fields.time("detected_at")?,
        reverted_at: fields.maybe_time("reverted_at")?,
    })
}
