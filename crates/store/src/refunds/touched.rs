//! The orders for whose refunds an update of a chain may change something.

use std::collections::BTreeSet;

use paywatch_core::{OrderId, PaymentId};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::batch::{Statement, rows_of};
use crate::error::StoreError;
use crate::fields::{Fields, address, chain_number, hash, number};
use crate::record::Touch;

/// Orders with a refund that may become final, that what is sent may carry out, or whose transfer
/// leaves its chain.
pub(crate) async fn touched(
    connection: &mut AnyConnection,
    touch: &Touch,
) -> Result<BTreeSet<OrderId>, StoreError> {
    let mut statement =
        Statement::new("SELECT order_id FROM refunds WHERE state = 'sent' AND chain_id = ");
    statement.bind(chain_number(touch.chain_id)?);
    if let Some(above) = touch.retract_above {
        statement
            .push(
                " UNION SELECT refunds.order_id FROM transfers JOIN refunds \
                 ON refunds.payment_id = transfers.payment_id \
                 WHERE refunds.state IN ('sent', 'confirmed') AND transfers.canonical = 1 \
                 AND transfers.chain_id = ",
            )
            .bind(chain_number(touch.chain_id)?)
            .push(" AND transfers.block_number > ")
            .bind(number(above, "block")?);
    }
    let mut rows: Vec<AnyRow> = statement.rows(connection, "find refunds to assess").await?;

    let struck: Vec<String> = touch
        .struck
        .iter()
        .map(|id| PaymentId::of(id).to_string())
        .collect();
    let of_struck = "SELECT order_id FROM refunds WHERE state IN ('sent', 'confirmed') \
        AND payment_id IN";
    let what = "find refunds whose transfers are struck";
    rows.extend(rows_of(connection, &struck, of_struck, "", what).await?);

    let to: BTreeSet<String> = touch.sent.iter().map(|sent| address(&sent.to)).collect();
    let to: Vec<String> = to.into_iter().collect();
    let waiting = "SELECT order_id FROM refunds WHERE state = 'prepared' AND recipient IN";
    let what = "find refunds that may have been sent";
    rows.extend(rows_of(connection, &to, waiting, "", what).await?);

    // What was sent before in the same transactions: it may be mined anew, or told again.
    let txs: BTreeSet<String> = touch.sent.iter().map(|sent| hash(&sent.tx_hash)).collect();
    let txs: Vec<String> = txs.into_iter().collect();
    let before = "SELECT refunds.order_id FROM transfers JOIN refunds \
        ON refunds.payment_id = transfers.payment_id WHERE transfers.tx_hash IN";
    rows.extend(rows_of(connection, &txs, before, "", what).await?);

    rows.iter()
        .map(|row| Fields::of(row, "refunds", "order_id").parsed("order_id"))
        .collect()
}
