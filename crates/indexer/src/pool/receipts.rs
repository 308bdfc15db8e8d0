//! One transaction's receipt from several endpoints.

use alloy_primitives::B256;

use crate::pool::Pool;
use crate::pool::agreement::more_telling;
use crate::{SourceError, TxReceipt};

impl Pool {
    /// The receipt from the best endpoint that has it, in a block that enough of them have. There
    /// is none if so many as must agree say so.
    pub(super) async fn receipt_of(&self, tx: B256) -> Result<Option<TxReceipt>, SourceError> {
        let mut without = 0_usize;
        let mut worst = None;
        for member in self.candidates() {
            match self.ask_member(member, member.source().receipt(tx)).await {
                Ok(Some(receipt)) => {
                    self.agreed_on(receipt.block).await?;
                    return Ok(Some(receipt));
                },
                Ok(None) => without = without.saturating_add(1),
                Err(error) => worst = Some(more_telling(worst, error)),
            }
        }
        if without >= self.settings.agreement {
            return Ok(None);
        }
        Err(worst.unwrap_or_else(|| self.all_rest()))
    }
}
