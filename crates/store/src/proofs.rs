//! What was shown of payments, and of which it is still to be shown.

use paywatch_core::{BlockNumber, BlockRef, ChainId, PaymentId};

use crate::batch::Statement;
use crate::error::{StoreError, failed};
use crate::fields::{Fields, chain_number, number};
use crate::payments;
use crate::record::BookedTransfer;
use crate::store::Store;

/// The highest block number that the database can hold.
const HIGHEST: BlockNumber = i64::MAX.unsigned_abs();

impl Store {
    /// The evidence of a payment, if there is any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payment_proof(&self, payment: &PaymentId) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT bundle FROM payment_proofs WHERE payment_id = $1")
            .bind(payment.to_string())
            .fetch_optional(self.readers())
            .await
            .map_err(failed("read a proof"))
    }

    /// Whether there is such a payment, proved or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_payment(&self, payment: &PaymentId) -> Result<bool, StoreError> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT chain_id FROM transfers WHERE payment_id = $1")
                .bind(payment.to_string())
                .fetch_optional(self.readers())
                .await
                .map_err(failed("look for a payment"))?;
        Ok(found.is_some())
    }

    /// The transfers that are on `chain` from block `from` to block `to`, both included, wherever
    /// they belong, in the order of the chain.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payments_between(
        &self,
        chain: ChainId,
        from: BlockNumber,
        to: BlockNumber,
    ) -> Result<Vec<BookedTransfer>, StoreError> {
        let mut statement = Statement::new(payments::SELECT);
        statement
            .push(" WHERE canonical = 1 AND chain_id = ")
            .bind(chain_number(chain)?)
            .push(" AND block_number >= ")
            .bind(number(from, "block")?)
            .push(" AND block_number <= ")
            .bind(number(to.min(HIGHEST), "block")?)
            .push(" ORDER BY block_number, log_index");
        let mut tx = self.read().await?;
        let rows = statement
            .rows(&mut tx, "read the payments of a range")
            .await?;
        rows.iter().map(payments::booked).collect()
    }

    /// The blocks of a chain that hold payments of which nothing is shown, lowest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unproved_blocks(&self, chain: ChainId) -> Result<Vec<BlockRef>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT block_number, block_hash FROM transfers \
             WHERE canonical = 1 AND proof = 'none' AND chain_id = $1 \
             AND (order_id IS NOT NULL OR state IN ('unmatched', 'dust', 'written_off', 'sent') \
             OR paid_receiver IS NOT NULL) \
             ORDER BY block_number, block_hash",
        )
        .bind(chain_number(chain)?)
        .fetch_all(self.readers())
        .await
        .map_err(failed("read unproved blocks"))?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "transfers", "block_hash");
                Ok(BlockRef {
                    number: fields.number("block_number")?,
                    hash: fields.parsed("block_hash")?,
                })
            })
            .collect()
    }
}
