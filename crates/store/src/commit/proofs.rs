//! The evidence of payments.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{PaymentId, Proof, Timestamp};
use sqlx::AnyConnection;

use crate::batch::{self, Value};
use crate::commit::{Bereft, bereft_in};
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
    let mut marks: Vec<[Value; 4]> = Vec::with_capacity(proofs.len());
    let mut bundles: BTreeMap<String, &str> = BTreeMap::new();
    for proof in proofs {
        let id = &proof.transfer;
        marks.push([
            chain_number(id.chain_id)?.into(),
            hash(&id.block_hash).into(),
            number(id.log_index, "log index")?.into(),
            Proof::ReceiptsRoot.name().into(),
        ]);
        bundles.insert(PaymentId::of(id).to_string(), &proof.bundle);
    }
    let before = "UPDATE transfers SET proof = new.column4 FROM (";
    let after = ") AS new WHERE chain_id = new.column1 AND block_hash = new.column2 \
        AND log_index = new.column3 AND canonical = 1 RETURNING payment_id";
    let marked =
        batch::insert(connection, &marks, before, after, "mark payments as proved").await?;
    let mut rows: Vec<[Value; 3]> = Vec::with_capacity(marked.len());
    for row in &marked {
        let payment = Fields::of(row, "transfers", "payment_id").text("payment_id")?;
        if let Some(bundle) = bundles.get(&payment) {
            rows.push([
                payment.as_str().into(),
                (*bundle).into(),
                at.unix_ms().into(),
            ]);
        }
    }
    let before = "INSERT INTO payment_proofs (payment_id, bundle, proved_at)";
    let after = "ON CONFLICT (payment_id) DO NOTHING";
    batch::insert(connection, &rows, before, after, "keep proofs")
        .await
        .map(drop)
}

/// Marks transfers that never were on their chain; returns who lost them. One that is told anew in
/// the same update is not missed by anybody.
pub(super) async fn strike(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<BTreeSet<Bereft>, StoreError> {
    let mut bereft = BTreeSet::new();
    for id in &update.disproved {
        let rows = sqlx::query(
            "UPDATE transfers SET canonical = 0, reverted_at = $4, confirmed_at_tip = NULL, \
             waits_for = NULL, proof = 'none' WHERE canonical = 1 AND chain_id = $1 \
             AND block_hash = $2 AND log_index = $3 RETURNING order_id, state, payment_id",
        )
        .bind(chain_number(id.chain_id)?)
        .bind(hash(&id.block_hash))
        .bind(number(id.log_index, "log index")?)
        .bind(update.at.unix_ms())
        .fetch_all(&mut *connection)
        .await
        .map_err(failed("strike a transfer"))?;
        let is_back = |lost: &Bereft| match lost {
            Bereft::Order(order) => {
                let mut back = update.transfers.iter();
                back.any(|(transfer, of)| transfer.id == *id && of == order)
            },
            Bereft::Nobody(_) => {
                let mut back = update.loose.iter();
                back.any(|(transfer, _)| transfer.id == *id)
            },
        };
        bereft.extend(bereft_in(&rows)?.into_iter().filter(|lost| !is_back(lost)));
    }
    Ok(bereft)
}
