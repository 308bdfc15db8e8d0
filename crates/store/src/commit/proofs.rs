//! The evidence of payments.

use std::collections::BTreeSet;

use paywatch_core::{OrderId, PaymentId, Proof, Timestamp};
use sqlx::AnyConnection;

use crate::batch;
use crate::error::{StoreError, failed};
use crate::fields::{Fields, chain_number, hash, number};
use crate::record::{ChainCommit, PaymentProof};

/// Keeps `proofs`, and marks their payments as shown. A payment that the books do not hold, or
/// that has left its chain meanwhile, is passed over.
pub(super) async fn insert(
    connection: &mut AnyConnection,
    proofs: &[PaymentProof],
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(proofs.len());
    for proof in proofs {
        let id = &proof.transfer;
        let marked = sqlx::query(
            "UPDATE transfers SET proof = $4 WHERE chain_id = $1 AND block_hash = $2 \
             AND log_index = $3 AND canonical = 1",
        )
        .bind(chain_number(id.chain_id)?)
        .bind(hash(&id.block_hash))
        .bind(number(id.log_index, "log index")?)
        .bind(Proof::ReceiptsRoot.name())
        .execute(&mut *connection)
        .await
        .map_err(failed("mark a payment as proved"))?;
        if marked.rows_affected() == 1 {
            rows.push([
                PaymentId::of(id).to_string().into(),
                proof.bundle.as_str().into(),
                at.unix_ms().into(),
            ]);
        }
    }
    let before = "INSERT INTO payment_proofs (payment_id, bundle, proved_at)";
    let after = "ON CONFLICT (payment_id) DO NOTHING";
    batch::insert(connection, &rows, before, after, "keep proofs").await
}

/// Marks transfers that never were on their chain; returns the orders that they paid. One that is
/// told anew in the same update is not missed by anybody.
pub(super) async fn strike(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<BTreeSet<OrderId>, StoreError> {
    let mut bereft = BTreeSet::new();
    for id in &update.disproved {
        let rows = sqlx::query(
            "UPDATE transfers SET canonical = 0, reverted_at = $4, confirmed_at_tip = NULL, \
             proof = 'none' WHERE canonical = 1 AND chain_id = $1 AND block_hash = $2 \
             AND log_index = $3 RETURNING order_id",
        )
        .bind(chain_number(id.chain_id)?)
        .bind(hash(&id.block_hash))
        .bind(number(id.log_index, "log index")?)
        .bind(update.at.unix_ms())
        .fetch_all(&mut *connection)
        .await
        .map_err(failed("strike a transfer"))?;
        for row in &rows {
            let order: OrderId = Fields::of(row, "transfers", "order_id").parsed("order_id")?;
            let is_back = update
                .transfers
                .iter()
                .any(|(transfer, of)| transfer.id == *id && *of == order);
            if !is_back {
                bereft.insert(order);
            }
        }
    }
    Ok(bereft)
}
