//! What simulated contracts log beside transfers: payment receivers, and tokens whose levers are
//! moved.

use alloy_primitives::{Address, B256, Bytes, Log, LogData, U256};
use paywatch_core::TokenNoticeKind;
use paywatch_indexer::{NOTICE_TOPICS, PAID_TOPIC};

use crate::{SimTransaction, SimTransfer};

/// One payment through a receiver: a transfer, and the receiver's word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimPaid {
    /// The receiver.
    pub receiver: Address,
    /// What is paid, to the treasury.
    pub transfer: SimTransfer,
    /// For what.
    pub order_ref: B256,
}

impl SimPaid {
    /// The receiver's log, which stands after the transfer's.
    #[must_use]
    pub fn log(&self) -> Log {
        let SimTransfer {
            token,
            from,
            to,
            value,
        } = self.transfer;
        let topics = vec![PAID_TOPIC, from.into_word(), to.into_word(), self.order_ref];
        log(
            self.receiver,
            topics,
            &[token.into_word(), B256::from(value)],
        )
    }
}

impl SimTransaction {
    /// A transaction that makes each of `payments` through its receiver. `nonce` tells it from others
    /// that do the same.
    #[must_use]
    pub fn paying(payments: &[SimPaid], nonce: u64) -> Self {
        let transfers: Vec<_> = payments.iter().map(|paid| paid.transfer).collect();
        let logs = payments
            .iter()
            .flat_map(|paid| [paid.transfer.log(), paid.log()]);
        Self {
            to: payments
                .first()
                .map(|paid| paid.receiver)
                .unwrap_or_default(),
            logs: logs.collect(),
            ..Self::moving(&transfers, nonce)
        }
    }

    /// A transaction with these logs that moves nothing. `nonce` tells it from others.
    #[must_use]
    pub fn logging(logs: Vec<Log>, nonce: u64) -> Self {
        Self {
            to: logs.first().map(|log| log.address).unwrap_or_default(),
            logs,
            ..Self::moving(&[], nonce)
        }
    }
}

/// Where a token keeps the fields of its logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// All in the data, as Tether's token on Ethereum.
    InData,
    /// Addresses in the topics, as Tether's token on Tron and most newer ones.
    Indexed,
}

/// The log in which `token` tells of `kind`. Blacklists are told in the words of Tether's first
/// token.
#[must_use]
pub fn notice_log(token: Address, kind: &TokenNoticeKind, layout: Layout) -> Log {
    let (topic, address, words) = match kind {
        TokenNoticeKind::Frozen { address } => (0, Some(*address), vec![]),
        TokenNoticeKind::Released { address } => (1, Some(*address), vec![]),
        TokenNoticeKind::Destroyed { address, value } => (2, Some(*address), vec![*value]),
        TokenNoticeKind::Paused => (6, None, vec![]),
        TokenNoticeKind::Unpaused => (7, None, vec![]),
        TokenNoticeKind::FeeSet { basis_points, most } => (8, None, vec![*basis_points, *most]),
        TokenNoticeKind::Deprecated { by } => (9, Some(*by), vec![]),
        TokenNoticeKind::Issued { value } => (10, None, vec![*value]),
        TokenNoticeKind::Redeemed { value } => (11, None, vec![*value]),
        TokenNoticeKind::Minted { to, value } => (12, Some(*to), vec![*value]),
        TokenNoticeKind::Burned { from, value } => (13, Some(*from), vec![*value]),
        TokenNoticeKind::Upgraded { implementation } => (14, Some(*implementation), vec![]),
        TokenNoticeKind::BridgeSet { contract } => (15, Some(*contract), vec![]),
        TokenNoticeKind::Renamed { name, symbol } => {
            return renamed(token, [name.as_str(), symbol.as_str()]);
        },
    };
    let mut topics = vec![topic_at(topic)];
    let mut data = Vec::new();
    match (address, layout) {
        (Some(address), Layout::Indexed) => topics.push(address.into_word()),
        (Some(address), Layout::InData) => data.push(address.into_word()),
        (None, _) => {},
    }
    data.extend(words.into_iter().map(B256::from));
    log(token, topics, &data)
}

fn topic_at(place: usize) -> B256 {
    NOTICE_TOPICS.get(place).copied().unwrap_or_default()
}

/// Two texts of at most 32 bytes each.
fn renamed(token: Address, texts: [&str; 2]) -> Log {
    let number = |value: u64| B256::from(U256::from(value));
    let mut data = vec![number(64), number(128)];
    for text in texts {
        let bytes = text.as_bytes();
        let bytes = bytes.get(..32).unwrap_or(bytes);
        data.push(number(u64::try_from(bytes.len()).unwrap_or_default()));
        data.push(B256::right_padding_from(bytes));
    }
    log(token, vec![topic_at(16)], &data)
}

fn log(address: Address, topics: Vec<B256>, words: &[B256]) -> Log {
    let data: Vec<u8> = words.iter().flat_map(|word| word.0).collect();
    Log {
        address,
        data: LogData::new_unchecked(topics, Bytes::from(data)),
    }
}

#[cfg(test)]
mod tests {
    use paywatch_indexer::{decode_notice, decode_paid};

    use super::*;

    #[test]
    fn what_is_logged_is_read_again() {
        let who = Address::repeat_byte(0xbb);
        let value = U256::from(7);
        let (to, from) = (who, who);
        let kinds = [
            TokenNoticeKind::Frozen { address: who },
            TokenNoticeKind::Released { address: who },
            TokenNoticeKind::Destroyed {
                address: who,
                value,
            },
            TokenNoticeKind::Paused,
            TokenNoticeKind::Unpaused,
            TokenNoticeKind::FeeSet {
                basis_points: value,
                most: U256::from(9),
            },
            TokenNoticeKind::Deprecated { by: who },
            TokenNoticeKind::Issued { value },
            TokenNoticeKind::Redeemed { value },
            TokenNoticeKind::Minted { to, value },
            TokenNoticeKind::Burned { from, value },
            TokenNoticeKind::Upgraded {
                implementation: who,
            },
            TokenNoticeKind::BridgeSet { contract: who },
            TokenNoticeKind::Renamed {
                name: "Tether USD".to_owned(),
                symbol: "USDT".to_owned(),
            },
        ];
        for kind in kinds {
            for layout in [Layout::InData, Layout::Indexed] {
                let log = notice_log(who, &kind, layout);
                let read = decode_notice(log.topics(), &log.data.data);
                assert_eq!(read.as_ref(), Some(&kind));
            }
        }
        let paid = SimPaid {
            receiver: Address::repeat_byte(0x50),
            transfer: SimTransfer {
                token: Address::repeat_byte(0x70),
                from: who,
                to: Address::repeat_byte(0xee),
                value,
            },
            order_ref: B256::repeat_byte(3),
        };
        let log = paid.log();
        let read = decode_paid(log.topics(), &log.data.data);
        let said = read.map(|said| (said.payer, said.treasury, said.order_ref, said.amount));
        let expected = (who, paid.transfer.to, paid.order_ref, value);
        assert_eq!(said, Some(expected));
    }
}
