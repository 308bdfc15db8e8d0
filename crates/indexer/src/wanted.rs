//! What of a log is wanted: the one place that says so, for whoever reads logs.

use alloy_primitives::{Address, B256};
use paywatch_core::TokenNoticeKind;

use crate::LogFilter;
use crate::decode::{DecodeError, Movement, TRANSFER_TOPIC, decode};
use crate::filter::Recipients;
use crate::lever::decode_notice;
use crate::paid::{PAID_TOPIC, Paid, decode_paid};
use crate::source::{LogAnswer, LogPlace, NoticeLog, PaidLog, TransferLog};

/// What a wanted log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A token moved.
    Transfer(Movement),
    /// A receiver passed a payment on.
    Paid(Paid),
    /// A lever of a token was moved.
    Notice(TokenNoticeKind),
}

/// A [`LogFilter`] whose addresses stand still while this lives.
#[derive(Debug)]
pub struct Wanted<'a> {
    tokens: &'a [Address],
    receivers: &'a [Address],
    recipients: Option<Recipients<'a>>,
    senders: Option<Recipients<'a>>,
}

impl<'a> Wanted<'a> {
    /// What `filter` wants now.
    #[must_use]
    pub fn by(filter: &'a LogFilter) -> Self {
        Self {
            tokens: &filter.tokens,
            receivers: &filter.receivers,
            recipients: filter.recipients.as_ref().map(|set| set.read()),
            // To nobody who sends is what most ask for.
            senders: (!filter.senders.is_empty()).then(|| filter.senders.read()),
        }
    }

    /// Whether logs of `contract` are asked for.
    #[must_use]
    pub fn is_of(&self, contract: &Address) -> bool {
        self.is_token(contract) || self.receivers.contains(contract)
    }

    pub(crate) fn is_token(&self, contract: &Address) -> bool {
        self.tokens.contains(contract)
    }

    /// Whether transfers to `to`, whoever sends them, are wanted.
    #[must_use]
    pub fn is_paid(&self, to: &Address) -> bool {
        self.recipients.as_ref().is_none_or(|set| set.contains(to))
    }

    /// Whether transfers from `from`, whoever receives them, are wanted.
    #[must_use]
    pub fn is_sent(&self, from: &Address) -> bool {
        self.senders.as_ref().is_some_and(|set| set.contains(from))
    }

    /// Whether anybody's sending is wanted for its own sake.
    pub(crate) const fn has_senders(&self) -> bool {
        self.senders.is_some()
    }

    /// What a log of `contract` with these topics and data says, if it is wanted.
    ///
    /// # Errors
    /// [`DecodeError`] for a malformed `Transfer`. Whatever else is malformed says nothing.
    pub fn read(
        &self,
        contract: Address,
        topics: &[B256],
        data: &[u8],
    ) -> Result<Option<Said>, DecodeError> {
        let Some(topic) = topics.first() else {
            return Ok(None);
        };
        if self.is_token(&contract) {
            if *topic == TRANSFER_TOPIC {
                let movement = decode(contract, topics, data)?;
                let wanted = movement.filter(|to| self.is_paid(&to.to) || self.is_sent(&to.from));
                return Ok(wanted.map(Said::Transfer));
            }
            return Ok(decode_notice(topics, data).map(Said::Notice));
        }
        if *topic == PAID_TOPIC && self.receivers.contains(&contract) {
            let said = decode_paid(topics, data);
            let wanted = said.filter(|paid| self.is_paid(&paid.treasury));
            return Ok(wanted.map(Said::Paid));
        }
        Ok(None)
    }

    /// Leaves out of `answer` what is not wanted.
    pub(crate) fn retain(&self, answer: &mut LogAnswer) {
        answer
            .transfers
            .retain(|log| self.is_paid(&log.to) || self.is_sent(&log.from));
        answer.paid.retain(|log| self.is_paid(&log.said.treasury));
    }
}

impl LogAnswer {
    /// Adds what the log of `contract` at `place` says.
    pub fn add(&mut self, place: LogPlace, contract: Address, said: Said) {
        match said {
            Said::Transfer(movement) => self.transfers.push(TransferLog {
                block_number: place.block_number,
                block_hash: place.block_hash,
                tx_hash: place.tx_hash,
                log_index: place.log_index,
                token: contract,
                from: movement.from,
                to: movement.to,
                value: movement.value,
            }),
            Said::Paid(said) => self.paid.push(PaidLog {
                place,
                receiver: contract,
                said,
            }),
            Said::Notice(kind) => self.notices.push(NoticeLog {
                place,
                token: contract,
                kind,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use alloy_primitives::U256;

    use super::*;
    use crate::NOTICE_TOPICS;

    const TOKEN: Address = Address::repeat_byte(0x70);
    const RECEIVER: Address = Address::repeat_byte(0x50);
    const SHOP: Address = Address::repeat_byte(0xbb);
    const OWN: Address = Address::repeat_byte(0xee);
    const OTHER: Address = Address::repeat_byte(0xcc);

    fn filter() -> LogFilter {
        LogFilter {
            recipients: Some(Arc::new([SHOP, OWN].into_iter().collect())),
            senders: Arc::new([OWN].into_iter().collect()),
            receivers: vec![RECEIVER],
            ..LogFilter::of(vec![TOKEN])
        }
    }

    fn moves(from: Address, to: Address) -> [B256; 3] {
        [TRANSFER_TOPIC, from.into_word(), to.into_word()]
    }

    #[test]
    fn what_comes_and_what_leaves_is_wanted() {
        let filter = filter();
        let wanted = Wanted::by(&filter);
        let is_read = |from, to| {
            let said = wanted.read(TOKEN, &moves(from, to), &[0; 32]);
            said.unwrap().is_some()
        };
        assert!(is_read(OTHER, SHOP));
        assert!(is_read(OWN, OTHER));
        assert!(is_read(OWN, OWN));
        assert!(!is_read(OTHER, OTHER));
        assert!(!is_read(SHOP, OTHER), "a deposit pays the treasury only");
        assert!(wanted.read(TOKEN, &moves(OTHER, SHOP), &[0; 3]).is_err());
        assert_eq!(wanted.read(OTHER, &moves(OTHER, SHOP), &[0; 32]), Ok(None));
    }

    #[test]
    fn receivers_tell_of_payments_and_tokens_of_levers() {
        let filter = filter();
        let wanted = Wanted::by(&filter);
        let data = [TOKEN.into_word().0, U256::from(5).to_be_bytes()].concat();
        let paid = |treasury: Address| {
            let payer = OTHER.into_word();
            [PAID_TOPIC, payer, treasury.into_word(), B256::ZERO]
        };
        let said = wanted.read(RECEIVER, &paid(OWN), &data).unwrap();
        assert!(matches!(said, Some(Said::Paid(_))));
        assert_eq!(wanted.read(RECEIVER, &paid(OTHER), &data), Ok(None));
        assert_eq!(wanted.read(TOKEN, &paid(OWN), &data), Ok(None));
        for contract in [RECEIVER, OTHER] {
            assert_eq!(wanted.read(contract, &[NOTICE_TOPICS[6]], &[]), Ok(None));
        }
        let paused = wanted.read(TOKEN, &[NOTICE_TOPICS[6]], &[]).unwrap();
        assert_eq!(paused, Some(Said::Notice(TokenNoticeKind::Paused)));
        assert_eq!(wanted.read(RECEIVER, &moves(OTHER, OWN), &[]), Ok(None));
    }
}
