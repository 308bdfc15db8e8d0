//! Flushes of deposit addresses: which wait to be final, and which were told to be.
//!
//! `confirmed_at_tip` of a transfer that was moved is the tip under which it was told as a flush that
//! is final. What was moved otherwise has it from the beginning: nothing is told of that.

mod read;

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{
    Address, ChainId, EventKind, FinalityRule, Loose, PaymentId, RecordedTransfer, Transfer,
};
use sqlx::AnyConnection;

use crate::batch::{Statement, Value, insert, rows_of};
use crate::error::{StoreError, failed};
use crate::fields::{self, Fields, chain_number, number};
use crate::payments;
use crate::record::{ChainCommit, Flush, Touch};

/// The rules of the orders whose deposit addresses these are.
const RULES: &str = "SELECT watched_addresses.address AS deposit, order_options.chain_id, \
    order_options.treasury, order_options.min_confirmations, order_options.finality_tag \
    FROM watched_addresses \
    JOIN order_options ON order_options.order_id = watched_addresses.order_id \
    WHERE order_options.treasury IS NOT NULL AND watched_addresses.address IN";

/// When a payment to a deposit address is final, by chain and treasury.
type Rules = BTreeMap<Address, Vec<(ChainId, Address, FinalityRule)>>;

/// The flushes on a chain that nobody was told of yet.
pub(crate) async fn waiting(
    connection: &mut AnyConnection,
    chain_id: ChainId,
) -> Result<Vec<Flush>, StoreError> {
    let mut statement = Statement::new(
        "SELECT payment_id FROM transfers WHERE state = 'moved' AND canonical = 1 \
         AND confirmed_at_tip IS NULL AND chain_id = ",
    );
    statement.bind(chain_number(chain_id)?);
    let ids = ids(connection, statement).await?;
    let moved = payments::by_id(connection, &ids).await?;
    let senders: BTreeSet<Address> = moved
        .values()
        .map(|moved| moved.recorded.transfer.from)
        .collect();
    let rules = rules(connection, &senders).await?;
    let flushes = moved.into_values().filter_map(|moved| {
        let recorded: RecordedTransfer = moved.recorded;
        let rules = rules_for(&recorded.transfer, rules.get(&recorded.transfer.from)?);
        Some(Flush { recorded, rules })
    });
    Ok(flushes.collect())
}

/// Flushes that were told to be final.
const TOLD: &str = "SELECT payment_id FROM transfers WHERE canonical = 1 AND state = 'moved' \
    AND confirmed_at_tip IS NOT NULL \
    AND EXISTS (SELECT 1 FROM watched_addresses WHERE address = transfers.sender)";

/// The flushes that were told to be final and that are retracted, or struck.
pub(crate) async fn gone(
    connection: &mut AnyConnection,
    touch: &Touch,
) -> Result<Vec<Transfer>, StoreError> {
    let mut gone = BTreeSet::new();
    if let Some(above) = touch.retract_above {
        let mut statement = Statement::new(TOLD);
        statement
            .push(" AND chain_id = ")
            .bind(chain_number(touch.chain_id)?)
            .push(" AND block_number > ")
            .bind(number(above, "block")?);
        gone.extend(ids(connection, statement).await?);
    }
    if !touch.struck.is_empty() {
        let struck = touch.struck.iter();
        let struck = struck.map(|id| PaymentId::of(id).to_string().into());
        let mut statement = Statement::new(TOLD);
        statement
            .push(" AND payment_id IN (")
            .bind_list(struck)
            .push(")");
        gone.extend(ids(connection, statement).await?);
    }
    let gone = payments::by_id(connection, &gone).await?;
    let gone = gone.into_values().map(|moved| moved.recorded.transfer);
    Ok(gone.collect())
}

/// Notes of which flushes `update` tells, and of which moves nothing will be told.
pub(crate) async fn settle(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<(), StoreError> {
    let tip = number(update.heads.tip.number, "block")?;
    let told = update.payment_events.iter();
    let told = told.filter(|event| event.kind == EventKind::SweepCompleted);
    let rows: Vec<[Value; 2]> = told
        .map(|event| [event.payment.to_string().into(), tip.into()])
        .collect();
    let before = "UPDATE transfers SET confirmed_at_tip = new.column2 FROM (";
    let after = ") AS new WHERE payment_id = new.column1 AND canonical = 1 AND state = 'moved'";
    insert(connection, &rows, before, after, "note flushes").await?;
    let mut loose = update.loose.iter();
    if !loose.any(|(_, loose)| *loose == Loose::Moved) {
        return Ok(());
    }
    sqlx::query(
        "UPDATE transfers SET confirmed_at_tip = block_number WHERE state = 'moved' \
         AND canonical = 1 AND confirmed_at_tip IS NULL AND chain_id = $1 \
         AND NOT EXISTS (SELECT 1 FROM watched_addresses WHERE address = transfers.sender)",
    )
    .bind(chain_number(update.chain_id)?)
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("note what was moved"))
}

async fn ids(
    connection: &mut AnyConnection,
    statement: Statement,
) -> Result<BTreeSet<PaymentId>, StoreError> {
    let rows = statement.rows(connection, "look for flushes").await?;
    rows.iter()
        .map(|row| Fields::of(row, "transfers", "payment_id").parsed("payment_id"))
        .collect()
}

async fn rules(
    connection: &mut AnyConnection,
    deposits: &BTreeSet<Address>,
) -> Result<Rules, StoreError> {
    let keys: Vec<String> = deposits.iter().map(fields::address).collect();
    let mut rules = Rules::new();
    for row in rows_of(connection, &keys, RULES, "", "read rules of flushes").await? {
        let fields = Fields::of(&row, "order_options", "deposit");
        let rule = FinalityRule::confirmations(fields.number("min_confirmations")?)
            .map_err(|cause| fields.corrupt("min_confirmations", cause))?;
        let rule = match fields.maybe_parsed("finality_tag")? {
            Some(tag) => rule.and_tag(tag),
            None => rule,
        };
        let of_deposit = rules.entry(fields.parsed("deposit")?).or_default();
        of_deposit.push((
            fields.chain_id("chain_id")?,
            fields.parsed("treasury")?,
            rule,
        ));
    }
    Ok(rules)
}

/// All rules of its order on the flush's chain; if it may not be paid there, how deep its payments
/// have to lie elsewhere.
fn rules_for(flush: &Transfer, known: &[(ChainId, Address, FinalityRule)]) -> Vec<FinalityRule> {
    let here = known
        .iter()
        .filter(|(chain, treasury, _)| *chain == flush.id.chain_id && *treasury == flush.to);
    let here: Vec<FinalityRule> = here.map(|(_, _, rule)| *rule).collect();
    if !here.is_empty() {
        return here;
    }
    let deep = known.iter().filter_map(|(_, _, rule)| {
        // Another chain's tags say nothing here.
        FinalityRule::confirmations(rule.min_confirmations()).ok()
    });
    deep.collect()
}
