//! What a merchant is told when the issuer of a token moves one of its levers.

use alloy_primitives::{Address, U256};

use crate::{
    Amount, BlockNumber, ChainEvent, ChainEventKind, ChainId, Freeze, Token, TokenNotice,
    TokenNoticeKind,
};

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Good to know.
    ForInformation,
    /// Somebody should act.
    Urgent,
}

/// What a merchant is told of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenAlert {
    /// How much it matters.
    pub weight: Weight,
    /// What it means and what to do, in words.
    pub text: String,
}

impl TokenNotice {
    /// What is told of it, if it matters: freezing only where it is one of the merchant's
    /// addresses, everything else always. `token` is the one that it is of.
    #[must_use]
    pub fn alert(
        &self,
        token: &Token,
        is_ours: impl FnOnce(&Address) -> bool,
    ) -> Option<TokenAlert> {
        let (weight, what) = self.meaning(token, is_ours)?;
        let Self { block, tx_hash, .. } = self;
        let prefix = match weight {
            Weight::Urgent => "",
            Weight::ForInformation => "for information: ",
        };
        let text = format!(
            "{prefix}{} ({}), block {}, transaction {tx_hash}: {what}",
            token.symbol, token.address, block.number
        );
        Some(TokenAlert { weight, text })
    }

    fn meaning(
        &self,
        token: &Token,
        is_ours: impl FnOnce(&Address) -> bool,
    ) -> Option<(Weight, String)> {
        let worth = |value: U256| worth(value, token);
        Some(match &self.kind {
            TokenNoticeKind::Frozen { address } => {
                return is_ours(address).then(|| (Weight::Urgent, frozen(address)));
            },
            TokenNoticeKind::Released { address } => {
                return is_ours(address).then(|| (Weight::Urgent, released(address)));
            },
            TokenNoticeKind::Destroyed { address, value } => {
                let value = worth(*value);
                if is_ours(address) {
                    (Weight::Urgent, destroyed(address, &value))
                } else {
                    supply(&format!(
                        "{value} at the frozen address {address} was destroyed"
                    ))
                }
            },
            TokenNoticeKind::Paused => (Weight::Urgent, PAUSED.to_owned()),
            TokenNoticeKind::Unpaused => (Weight::Urgent, UNPAUSED.to_owned()),
            TokenNoticeKind::FeeSet { basis_points, most } => {
                (Weight::Urgent, fee(*basis_points, *most, &worth(*most)))
            },
            TokenNoticeKind::Deprecated { by } => (Weight::Urgent, deprecated(by)),
            TokenNoticeKind::Upgraded { implementation } => {
                (Weight::Urgent, upgraded(implementation))
            },
            TokenNoticeKind::BridgeSet { contract } => (Weight::Urgent, bridged(contract)),
            TokenNoticeKind::Renamed { name, symbol } => (
                Weight::ForInformation,
                format!(
                    "it calls itself {name:?} ({symbol:?}) now; its address and its money are the \
                     same, so nothing has to be done"
                ),
            ),
            TokenNoticeKind::Issued { value } => {
                supply(&format!("the issuer made {} more", worth(*value)))
            },
            TokenNoticeKind::Redeemed { value } => {
                supply(&format!("the issuer took {} back", worth(*value)))
            },
            TokenNoticeKind::Minted { to, value } => {
                supply(&format!("{} was made for {to}", worth(*value)))
            },
            TokenNoticeKind::Burned { from, value } => {
                supply(&format!("{} of {from} was burned", worth(*value)))
            },
        })
    }
}

/// What is told when `token` itself says that `address`, which is the merchant's, is frozen after the
/// covered block `number`, or is not any more.
#[must_use]
pub fn freeze_found(
    token: &Token,
    address: &Address,
    freeze: Freeze,
    number: BlockNumber,
) -> ChainEvent {
    let what = match freeze {
        Freeze::Begins => frozen(address),
        Freeze::Ends => released(address),
    };
    ChainEvent {
        chain_id: token.chain_id,
        kind: ChainEventKind::TokenAlert,
        detail: format!(
            "{} ({}), asked at block {number}: {what}",
            token.symbol, token.address
        ),
    }
}

impl TokenAlert {
    /// The event that tells it.
    #[must_use]
    pub fn into_event(self, chain_id: ChainId) -> ChainEvent {
        ChainEvent {
            chain_id,
            kind: ChainEventKind::TokenAlert,
            detail: self.text,
        }
    }
}

const PAUSED: &str = "its issuer paused it: nobody can send it, so no customer can pay with it and \
    no money of yours moves, until it is released. What was paid before stays paid. Offer another \
    token or chain meanwhile";
const UNPAUSED: &str = "its issuer ended the pause: it can be sent again, and payments and sweeps \
    go on by themselves";

fn frozen(address: &Address) -> String {
    format!(
        "its issuer froze {address}, which is yours: what lies there cannot be moved, and what \
         customers pay to it still arrives and is stuck, too. Offer no more orders on this address \
         (the treasury or wallet in the configuration), do not deliver for money that comes there, \
         and ask the issuer for the reason"
    )
}

fn released(address: &Address) -> String {
    format!(
        "its issuer released {address}, which is yours: what lies there can be moved again. If you \
         replaced it in the configuration, sweep it first"
    )
}

fn destroyed(address: &Address, value: &str) -> String {
    format!(
        "its issuer destroyed {value} at {address}, which is yours: that money is gone without a \
         transfer, so the books hold more than the chain does. Write it off, and ask the issuer for \
         the reason"
    )
}

fn fee(basis_points: U256, most: U256, shown: &str) -> String {
    if basis_points.is_zero() || most.is_zero() {
        return "it takes no fee from transfers (any more): what customers send is what arrives"
            .to_owned();
    }
    format!(
        "it takes a fee of {basis_points} hundredths of a percent from each transfer from now on, \
         {shown} at most: less than what customers send arrives, so orders stay underpaid by that. \
         Raise the tolerance of new orders by the fee, or ask for more"
    )
}

fn deprecated(by: &Address) -> String {
    format!(
        "it was replaced by the contract {by}: from now on that one logs the transfers, and \
         payments made since are not seen here. Add {by} as a token of this chain, restart, and set \
         the chain back to this block (paywatch chain resync)"
    )
}

fn upgraded(implementation: &Address) -> String {
    format!(
        "its code was replaced by that at {implementation}: it may behave differently from now on. \
         Read what the issuer says of it, and check a payment and a sweep of a small amount"
    )
}

fn bridged(contract: &Address) -> String {
    format!(
        "the contract {contract} may make and destroy it for bridging from now on. Make sure that \
         the issuer has announced this before you take large payments"
    )
}

fn supply(what: &str) -> (Weight, String) {
    let text = format!("{what}; this changes how much of it there is, and nothing for you");
    (Weight::ForInformation, text)
}

/// `value` in units of the token, or else as it is.
fn worth(value: U256, token: &Token) -> String {
    match Amount::from_base_units(value, token.decimals) {
        Ok(amount) => format!("{amount} {}", token.symbol),
        Err(_beyond_any_amount) => format!("{value} base units"),
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;
    use crate::{BlockRef, Decimals};

    const OURS: Address = Address::repeat_byte(0xbb);
    const THEIRS: Address = Address::repeat_byte(0xcc);

    fn chain_id() -> ChainId {
        ChainId::new(1).unwrap()
    }

    fn token() -> Token {
        Token {
            chain_id: chain_id(),
            address: Address::repeat_byte(0x70),
            symbol: "USDT".to_owned(),
            decimals: Decimals::new(6).unwrap(),
        }
    }

    fn alert(kind: TokenNoticeKind) -> Option<TokenAlert> {
        let notice = TokenNotice {
            chain_id: chain_id(),
            token: token().address,
            block: BlockRef {
                number: 77,
                hash: B256::repeat_byte(1),
            },
            tx_hash: B256::repeat_byte(2),
            log_index: 3,
            kind,
        };
        notice.alert(&token(), |address| *address == OURS)
    }

    #[test]
    fn freezing_matters_where_it_is_ours() {
        let units = U256::from(5_000_000);
        for address in [OURS, THEIRS] {
            let is_ours = address == OURS;
            for kind in [
                TokenNoticeKind::Frozen { address },
                TokenNoticeKind::Released { address },
            ] {
                assert_eq!(alert(kind.clone()).is_some(), is_ours, "{kind:?}");
            }
            let destroyed = TokenNoticeKind::Destroyed {
                address,
                value: units,
            };
            let told = alert(destroyed).unwrap();
            assert_eq!(told.weight == Weight::Urgent, is_ours);
            assert!(told.text.contains("5 USDT"), "{}", told.text);
            assert!(told.text.contains(&address.to_string()), "{}", told.text);
        }
    }

    #[test]
    fn what_concerns_everybody_is_told_with_what_to_do() {
        use TokenNoticeKind as Kind;
        use Weight::{ForInformation, Urgent};
        let value = U256::from(1_000_000);
        let address = THEIRS;
        let fee = |basis_points| Kind::FeeSet {
            basis_points: U256::from(basis_points),
            most: value,
        };
        let renamed = Kind::Renamed {
            name: "USDT0".to_owned(),
            symbol: "USDT0".to_owned(),
        };
        let upgraded = Kind::Upgraded {
            implementation: address,
        };
        for (kind, weight, words) in [
            (Kind::Paused, Urgent, "paused"),
            (Kind::Unpaused, Urgent, "again"),
            (fee(10), Urgent, "tolerance"),
            (fee(0), Urgent, "no fee"),
            (Kind::Deprecated { by: address }, Urgent, "resync"),
            (upgraded, Urgent, "code"),
            (Kind::BridgeSet { contract: address }, Urgent, "bridging"),
            (renamed, ForInformation, "USDT0"),
            (Kind::Issued { value }, ForInformation, "1 USDT"),
            (
                Kind::Redeemed { value: U256::MAX },
                ForInformation,
                "base units",
            ),
            (
                Kind::Minted { to: address, value },
                ForInformation,
                "made for",
            ),
            (
                Kind::Burned {
                    from: address,
                    value,
                },
                ForInformation,
                "burned",
            ),
        ] {
            let told = alert(kind.clone()).unwrap();
            assert_eq!(told.weight, weight, "{kind:?}");
            assert!(told.text.contains(words), "{}", told.text);
            assert!(told.text.contains("block 77"), "{}", told.text);
            let quiet = told.text.starts_with("for information: ");
            assert_eq!(quiet, weight == ForInformation);
            let event = told.into_event(chain_id());
            assert_eq!(event.kind, ChainEventKind::TokenAlert);
        }
    }
}
