//! Books against balances: which addresses there are, what came and went, what was found.

mod books;

use std::collections::BTreeMap;

use paywatch_core::{
    Address, Amount, BlockNumber, Opening, SumError, Timestamp, Turnover, Verdict,
};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::batch::{Statement, Value, insert, rows_of};
use crate::error::StoreError;
use crate::fields::{self, Fields, chain_number, number};
use crate::record::{AuditAccount, AuditEntry, AuditRun, AuditScope, Holder, Ledger};
use crate::store::{Store, commit};

const CAME: &str = "SELECT recipient AS address, block_number, amount FROM transfers \
    WHERE canonical = 1 AND chain_id = ";
const WENT: &str = "SELECT sender AS address, block_number, amount FROM transfers \
    WHERE canonical = 1 AND chain_id = ";

/// The sums of each address, as far as they fit an amount.
pub type Turnovers = BTreeMap<Address, Result<Turnover, SumError>>;

impl Store {
    /// The next `limit` addresses of orders, by address, for an audit of `ledger`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn addresses_to_audit(
        &self,
        ledger: Ledger,
        scope: AuditScope,
        after: Option<Address>,
        limit: u32,
    ) -> Result<Vec<AuditAccount>, StoreError> {
        let after = after.as_ref().map(fields::address).unwrap_or_default();
        let mut statement =
            Statement::new("SELECT DISTINCT address FROM watched_addresses WHERE address > ");
        statement.bind(after);
        if scope == AuditScope::Active {
            statement.push(
                " AND (EXISTS (SELECT 1 FROM transfers WHERE canonical = 1 \
                 AND recipient = watched_addresses.address AND chain_id = ",
            );
            of_ledger(&mut statement, ledger)?;
            statement.push(
                ") OR EXISTS (SELECT 1 FROM transfers WHERE canonical = 1 \
                 AND sender = watched_addresses.address AND chain_id = ",
            );
            of_ledger(&mut statement, ledger)?.push("))");
        }
        statement
            .push(" ORDER BY address LIMIT ")
            .bind(i64::from(limit));
        let mut tx = self.read().await?;
        let rows = statement.rows(&mut tx, "find addresses to audit").await?;
        let addresses = rows
            .iter()
            .map(|row| Fields::of(row, "watched_addresses", "address").parsed("address"))
            .collect::<Result<Vec<_>, _>>()?;
        accounts(&mut tx, ledger, &addresses).await
    }

    /// What the books know of `addresses`, in that order, for an audit of `ledger`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts_to_audit(
        &self,
        ledger: Ledger,
        addresses: &[Address],
    ) -> Result<Vec<AuditAccount>, StoreError> {
        let mut tx = self.read().await?;
        accounts(&mut tx, ledger, addresses).await
    }

    /// What came to each of `accounts` and went from it up to the block `up_to`, by the transfers
    /// that are on their chain, since its opening. All of one moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn turnovers(
        &self,
        ledger: Ledger,
        up_to: BlockNumber,
        accounts: &[(Address, Opening)],
    ) -> Result<Turnovers, StoreError> {
        let openings: BTreeMap<Address, Opening> = accounts.iter().copied().collect();
        let mut turnovers: Turnovers = openings
            .keys()
            .map(|address| (*address, Ok(Turnover::default())))
            .collect();
        let mut tx = self.read().await?;
        let sides: [(&str, &str, Adding); 2] = [
            (CAME, " AND recipient IN (", Turnover::receives),
            (WENT, " AND sender IN (", Turnover::sends),
        ];
        for (select, whose, add) in sides {
            let mut statement = Statement::new(select);
            of_ledger(&mut statement, ledger)?
                .push(" AND block_number <= ")
                .bind(number(up_to, "block")?)
                .push(whose)
                .bind_list(openings.keys().map(|key| Value::from(fields::address(key))))
                .push(")");
            let each = |row: &AnyRow| add_up(row, &openings, &mut turnovers, add);
            statement.each(&mut tx, "add up transfers", each).await?;
        }
        Ok(turnovers)
    }

    /// Keeps what was found of addresses.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_audits(
        &self,
        ledger: Ledger,
        entries: &[AuditEntry],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut rows: Vec<[Value; 9]> = Vec::with_capacity(entries.len());
        for entry in entries {
            let (block, balance) = match entry.opening {
                Opening::Empty => (None, None),
                Opening::At { block, balance } => {
                    (Some(number(block, "block")?), Some(balance.to_string()))
                },
            };
            rows.push([
                chain_number(ledger.chain_id)?.into(),
                fields::address(&ledger.token).into(),
                fields::address(&entry.address).into(),
                block.into(),
                balance.into(),
                number(entry.block, "block")?.into(),
                entry.balance.to_string().into(),
                entry.verdict.to_string().into(),
                at.unix_ms().into(),
            ]);
        }
        let before = "INSERT INTO audits (chain_id, token, address, opening_block, \
            opening_balance, block, balance, difference, audited_at)";
        let after = "ON CONFLICT (chain_id, token, address) DO UPDATE SET \
            block = excluded.block, balance = excluded.balance, \
            difference = excluded.difference, audited_at = excluded.audited_at";
        let mut tx = self.write().await?;
        insert(&mut tx, &rows, before, after, "keep audits").await?;
        commit(tx).await
    }

    /// What was found of addresses by their last audits, those with a difference only, by address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn differing(&self, ledger: Ledger) -> Result<Vec<AuditEntry>, StoreError> {
        let mut statement = Statement::new(
            "SELECT address, opening_block, opening_balance, block, balance, difference \
             FROM audits WHERE difference <> '0' AND chain_id = ",
        );
        of_ledger(&mut statement, ledger)?.push(" ORDER BY address");
        let mut tx = self.read().await?;
        let rows = statement.rows(&mut tx, "read audits").await?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "audits", "address");
                Ok(AuditEntry {
                    address: fields.parsed("address")?,
                    opening: opening(fields)?,
                    block: fields.number("block")?,
                    balance: fields.parsed("balance")?,
                    verdict: verdict(fields)?,
                })
            })
            .collect()
    }

    /// How far the daily audit of `ledger` is; `None` if there was none yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_run(&self, ledger: Ledger) -> Result<Option<AuditRun>, StoreError> {
        let mut statement =
            Statement::new("SELECT after_address, audited_at FROM audit_runs WHERE chain_id = ");
        of_ledger(&mut statement, ledger)?;
        let mut tx = self.read().await?;
        let rows = statement.rows(&mut tx, "read how far the audit is").await?;
        let run = rows.first().map(|row| {
            let fields = Fields::of(row, "audit_runs", "after_address");
            Ok(AuditRun {
                after: fields.maybe_parsed("after_address")?,
                at: fields.time("audited_at")?,
            })
        });
        run.transpose()
    }

    /// Keeps how far the daily audit of `ledger` is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_audit_run(&self, ledger: Ledger, run: AuditRun) -> Result<(), StoreError> {
        let row: [Value; 4] = [
            chain_number(ledger.chain_id)?.into(),
            fields::address(&ledger.token).into(),
            run.after.as_ref().map(fields::address).into(),
            run.at.unix_ms().into(),
        ];
        let before = "INSERT INTO audit_runs (chain_id, token, after_address, audited_at)";
        let after = "ON CONFLICT (chain_id, token) DO UPDATE SET \
            after_address = excluded.after_address, audited_at = excluded.audited_at";
        let mut tx = self.write().await?;
        insert(&mut tx, &[row], before, after, "keep how far the audit is").await?;
        commit(tx).await
    }
}

/// Goes on with the chain, whose column was just named, and the token.
fn of_ledger(statement: &mut Statement, ledger: Ledger) -> Result<&mut Statement, StoreError> {
    Ok(statement
        .bind(chain_number(ledger.chain_id)?)
        .push(" AND token = ")
        .bind(fields::address(&ledger.token)))
}

type Adding = fn(&mut Turnover, Amount) -> Result<(), SumError>;

fn add_up(
    row: &AnyRow,
    openings: &BTreeMap<Address, Opening>,
    turnovers: &mut Turnovers,
    add: Adding,
) -> Result<(), StoreError> {
    let fields = Fields::of(row, "transfers", "address");
    let address: Address = fields.parsed("address")?;
    let block = fields.number("block_number")?;
    let amount = fields.parsed("amount")?;
    let is_counted = openings
        .get(&address)
        .is_some_and(|opening| opening.precedes(block));
    if is_counted
        && let Some(sums) = turnovers.get_mut(&address)
        && let Ok(turnover) = sums
        && let Err(too_much) = add(turnover, amount)
    {
        *sums = Err(too_much);
    }
    Ok(())
}

/// What the books know of each of `addresses`.
async fn accounts(
    connection: &mut AnyConnection,
    ledger: Ledger,
    addresses: &[Address],
) -> Result<Vec<AuditAccount>, StoreError> {
    let keys: Vec<String> = addresses.iter().map(fields::address).collect();
    let before = "SELECT o.address, o.method, o.treasury FROM watched_addresses AS w \
        JOIN order_options AS o ON o.order_id = w.order_id AND o.address = w.address \
        WHERE w.address IN";
    let mut holders: BTreeMap<Address, Holder> = BTreeMap::new();
    for row in rows_of(connection, &keys, before, "", "read whose addresses are").await? {
        let fields = Fields::of(&row, "order_options", "address");
        let holder = match fields.text("method")?.as_str() {
            "deposit_address" => Holder::Deposit {
                treasury: fields.parsed("treasury")?,
            },
            _ => Holder::Wallet,
        };
        holders.insert(fields.parsed("address")?, holder);
    }
    let mut openings = openings(connection, ledger, addresses).await?;
    let accounts = addresses.iter().map(|address| AuditAccount {
        address: *address,
        holder: holders.get(address).copied().unwrap_or(Holder::Wallet),
        opening: openings.remove(address),
    });
    Ok(accounts.collect())
}

async fn openings(
    connection: &mut AnyConnection,
    ledger: Ledger,
    addresses: &[Address],
) -> Result<BTreeMap<Address, Opening>, StoreError> {
    if addresses.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut statement = Statement::new(
        "SELECT address, opening_block, opening_balance FROM audits WHERE chain_id = ",
    );
    of_ledger(&mut statement, ledger)?
        .push(" AND address IN (")
        .bind_list(
            addresses
                .iter()
                .map(|key| Value::from(fields::address(key))),
        )
        .push(")");
    let rows = statement.rows(connection, "read openings").await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::of(row, "audits", "address");
            Ok((fields.parsed("address")?, opening(fields)?))
        })
        .collect()
}

fn opening(fields: Fields<'_>) -> Result<Opening, StoreError> {
    let block = fields.maybe_number("opening_block")?;
    let balance = fields.maybe_parsed("opening_balance")?;
    Ok(match (block, balance) {
        (Some(block), Some(balance)) => Opening::At { block, balance },
        _ => Opening::Empty,
    })
}

fn verdict(fields: Fields<'_>) -> Result<Verdict, StoreError> {
    let text = fields.text("difference")?;
    let amount = |digits: &str| -> Result<Amount, StoreError> {
        let read = digits.parse();
        read.map_err(|cause: paywatch_core::AmountError| fields.corrupt("difference", cause))
    };
    Ok(match text.split_at_checked(1) {
        Some(("+", more)) => Verdict::More(amount(more)?),
        Some(("-", less)) => Verdict::Less(amount(less)?),
        _ => Verdict::Balanced,
    })
}
