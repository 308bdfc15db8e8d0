//! Deposit addresses that money came to: what a sweep begins with.

use std::collections::BTreeMap;

use paywatch_core::{Address, Amount, ChainId, OrderId};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::batch::{Statement, rows_of};
use crate::error::StoreError;
use crate::fields::{self, Fields, chain_number};
use crate::record::{PaidDeposit, PaidDeposits};
use crate::store::Store;

/// Longer pages are cut to this.
const LONGEST_PAGE: u32 = 1_000;

const OPTIONS: &str = "SELECT DISTINCT order_id, address, factory, treasury FROM order_options \
    WHERE factory IS NOT NULL AND order_id IN";
/// What came, by the orders: the books attach whatever comes to an order's address to it.
const CAME: &str = "SELECT payment_id, chain_id, token, recipient AS deposit, amount \
    FROM transfers WHERE canonical = 1 AND order_id IN";
/// What left the places that something had come to.
const LEFT: &str = "SELECT DISTINCT departed.payment_id, departed.chain_id, departed.token, \
    departed.sender AS deposit, departed.amount FROM transfers AS arrived \
    JOIN transfers AS departed ON departed.chain_id = arrived.chain_id \
    AND departed.token = arrived.token AND departed.sender = arrived.recipient \
    AND departed.canonical = 1 WHERE arrived.canonical = 1 AND arrived.order_id IN";

/// A deposit address, and a token.
type Key = (Address, Address);

impl Store {
    /// A page of the deposit addresses to which money came on `chain_id` that is on it still,
    /// by address, beginning `after` one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn paid_deposits(
        &self,
        chain_id: ChainId,
        after: Option<Address>,
        limit: u32,
    ) -> Result<PaidDeposits, StoreError> {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let mut tx = self.read().await?;
        let found = paid(&mut tx, chain_id, after, limit).await?;
        let is_full = u32::try_from(found.len()).is_ok_and(|count| count >= limit);
        let next = found.last().map(|(address, _)| *address);
        let orders: Vec<String> = found.iter().map(|(_, order)| order.to_string()).collect();
        let came = rows_of(&mut tx, &orders, CAME, "", "add up what came").await?;
        let came = sums(&came, chain_id)?;
        let left = rows_of(&mut tx, &orders, LEFT, "", "add up what left").await?;
        let left = sums(&left, chain_id)?;
        let mut origins = BTreeMap::new();
        for row in &rows_of(&mut tx, &orders, OPTIONS, "", "read payment options").await? {
            let fields = Fields::of(row, "order_options", "order_id");
            let origin = (fields.parsed("factory")?, fields.parsed("treasury")?);
            origins.insert(fields.parsed::<Address>("address")?, origin);
        }
        let mut deposits = Vec::with_capacity(found.len());
        for (address, order_id) in found {
            let (factory, treasury) =
                origins
                    .get(&address)
                    .copied()
                    .ok_or_else(|| StoreError::Corrupt {
                        table: "watched_addresses",
                        column: "address",
                        key: fields::address(&address),
                        source: format!("{order_id} has no option with it").into(),
                    })?;
            let of_it =
                came.range((address, Address::ZERO)..=(address, Address::repeat_byte(0xff)));
            deposits.extend(of_it.map(|((_, token), came)| PaidDeposit {
                order_id,
                address,
                factory,
                treasury,
                token: *token,
                came: *came,
                left: left.get(&(address, *token)).copied().unwrap_or_default(),
            }));
        }
        Ok(PaidDeposits {
            deposits,
            next: next.filter(|_| is_full),
        })
    }
}

/// The addresses, and whose they are.
async fn paid(
    connection: &mut AnyConnection,
    chain_id: ChainId,
    after: Option<Address>,
    limit: u32,
) -> Result<Vec<(Address, OrderId)>, StoreError> {
    let mut statement = Statement::new(
        "SELECT watched.address, watched.order_id FROM watched_addresses AS watched \
         WHERE EXISTS (SELECT 1 FROM transfers WHERE transfers.order_id = watched.order_id \
         AND transfers.recipient = watched.address AND transfers.canonical = 1 \
         AND transfers.chain_id = ",
    );
    statement
        .bind(chain_number(chain_id)?)
        .push(") AND watched.address > ")
        .bind(after.as_ref().map_or_else(String::new, fields::address))
        .push(" ORDER BY watched.address LIMIT ")
        .bind(i64::from(limit));
    let rows = statement.rows(connection, "find paid deposits").await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::of(row, "watched_addresses", "address");
            Ok((fields.parsed("address")?, fields.parsed("order_id")?))
        })
        .collect()
}

/// What `rows` add up to on one chain, for each address and token.
fn sums(rows: &[AnyRow], chain_id: ChainId) -> Result<BTreeMap<Key, Amount>, StoreError> {
    let mut sums: BTreeMap<Key, Amount> = BTreeMap::new();
    for row in rows {
        let fields = Fields::of(row, "transfers", "payment_id");
        if fields.chain_id("chain_id")? != chain_id {
            continue;
        }
        let key = (fields.parsed("deposit")?, fields.parsed("token")?);
        let sum = sums.entry(key).or_default();
        *sum = sum
            .checked_add(fields.parsed("amount")?)
            .ok_or_else(|| fields.corrupt("amount", "no sum can be that large"))?;
    }
    Ok(sums)
}
