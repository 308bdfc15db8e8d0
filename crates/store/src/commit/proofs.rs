//! The evidence of payments.

use paywatch_core::{PaymentId, Proof, Timestamp};
use sqlx::AnyConnection;

use crate::batch;
use crate::error::{StoreError, failed};
use crate::fields::{chain_number, hash, number};
use crate::record::PaymentProof;

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
