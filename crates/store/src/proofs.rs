//! What was shown of payments, and of which it is still to be shown.

use paywatch_core::{BlockNumber, BlockRef, ChainId, OrderId, PaymentId};

use crate::error::{StoreError, failed};
use crate::fields::{Fields, chain_number, number};
use crate::load::payment;
use crate::record::PaymentRecord;
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

    /// The payments that are on `chain` from block `from` to block `to`, both included, with the
    /// orders that they are of, in the order of the chain.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payments_between(
        &self,
        chain: ChainId,
        from: BlockNumber,
        to: BlockNumber,
    ) -> Result<Vec<(OrderId, PaymentRecord)>, StoreError> {
        let rows = sqlx::query(
            "SELECT order_id, chain_id, block_hash, log_index, block_number, block_timestamp, \
             tx_hash, token, sender, recipient, amount, canonical, confirmed_at_tip, proof, state, \
             is_late, detected_at, reverted_at FROM transfers WHERE canonical = 1 \
             AND chain_id = $1 AND block_number >= $2 AND block_number <= $3 \
             ORDER BY block_number, log_index",
        )
        .bind(chain_number(chain)?)
        .bind(number(from, "block")?)
        .bind(number(to.min(HIGHEST), "block")?)
        .fetch_all(self.readers())
        .await
        .map_err(failed("read the payments of a range"))?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "transfers", "block_hash");
                Ok((fields.parsed("order_id")?, payment(fields)?))
            })
            .collect()
    }

    /// The blocks of a chain that hold payments of which nothing is shown, lowest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unproved_blocks(&self, chain: ChainId) -> Result<Vec<BlockRef>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT block_number, block_hash FROM transfers \
             WHERE canonical = 1 AND proof = 'none' AND chain_id = $1 \
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
