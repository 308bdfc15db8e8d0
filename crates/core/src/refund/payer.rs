//! Who paid, where that is plain enough to send money back there.

use std::collections::BTreeSet;

use alloy_primitives::Address;

use crate::{ChainId, RecordedTransfer};

/// Why nobody can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPayer {
    /// The order was not paid there.
    #[error("nothing was paid on this chain, and an address may be somebody else's on another")]
    NothingPaid,
    /// There are several.
    #[error("it was paid from several addresses")]
    Several,
    /// A contract passed it on.
    #[error("it was paid through a contract")]
    Contract,
    /// A bridge, or the issuer, made the money.
    #[error("it was paid by a bridge, which made the money anew")]
    Minted,
}

/// The one address from which all `transfers` on `chain` came, if each was a mere transfer. It may
/// still be an exchange's, which does not know whose money comes back.
///
/// # Errors
/// [`NoPayer`] says why there is none.
pub fn plain_payer(transfers: &[RecordedTransfer], chain: ChainId) -> Result<Address, NoPayer> {
    let mut payers = BTreeSet::new();
    for recorded in transfers {
        let transfer = &recorded.transfer;
        if transfer.id.chain_id != chain {
            continue;
        }
        if transfer.paid_through.is_some() {
            return Err(NoPayer::Contract);
        }
        if transfer.from.is_zero() {
            return Err(NoPayer::Minted);
        }
        payers.insert(transfer.from);
    }
    let first = payers.pop_first().ok_or(NoPayer::NothingPaid)?;
    if payers.is_empty() {
        Ok(first)
    } else {
        Err(NoPayer::Several)
    }
}
