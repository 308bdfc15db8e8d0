//! Reads answers to `eth_getLogs`: in one pass, without copying what nobody wants.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use alloy_primitives::{Address, B256, hex};
use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::decode::{DecodeError, TRANSFER_TOPIC};
use crate::{Contradiction, LogAnswer, LogFilter, LogPlace, LogQuery, Wanted};

/// What is wrong with an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum LogsError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] serde_json::Error),
    /// It can be read, and does not answer the question.
    #[error(transparent)]
    Contradiction(Contradiction),
}

/// A log as it stands in the answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLog<'a> {
    address: &'a str,
    #[serde(borrow)]
    topics: Topics<'a>,
    data: &'a str,
    #[serde(default)]
    block_number: Option<&'a str>,
    #[serde(default)]
    block_hash: Option<&'a str>,
    #[serde(default)]
    transaction_hash: Option<&'a str>,
    #[serde(default)]
    log_index: Option<&'a str>,
    #[serde(default)]
    removed: Option<bool>,
}

/// The topics of a log: the EVM writes at most four (yellow paper, appendix H).
struct Topics<'a> {
    texts: [&'a str; 4],
    count: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Topics<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<'a>(PhantomData<&'a str>);
        impl<'de: 'a, 'a> Visitor<'de> for Read<'a> {
            type Value = Topics<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("up to four topics")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Topics<'a>, A::Error> {
                let mut topics = Topics {
                    texts: [""; 4],
                    count: 0,
                };
                while let Some(text) = seq.next_element::<&'de str>()? {
                    let place = topics
                        .texts
                        .get_mut(topics.count)
                        .ok_or_else(|| serde::de::Error::invalid_length(5, &self))?;
                    *place = text;
                    topics.count = topics.count.saturating_add(1);
                }
                Ok(topics)
            }
        }
        deserializer.deserialize_seq(Read(PhantomData))
    }
}

/// What is wanted of `json`, the result of `eth_getLogs` for `query` and `filter`.
pub(super) fn read_logs(
    json: &str,
    query: &LogQuery,
    filter: &LogFilter,
) -> Result<LogAnswer, LogsError> {
    let reader = Reader {
        query,
        wanted: Wanted::by(filter),
    };
    let mut contradiction = None;
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let all = All {
        reader: &reader,
        contradiction: &mut contradiction,
    };
    let answer = all.deserialize(&mut deserializer);
    match (answer, contradiction) {
        (_, Some(contradiction)) => Err(LogsError::Contradiction(contradiction)),
        (Ok(answer), None) => {
            deserializer.end()?;
            Ok(answer)
        },
        (Err(error), None) => Err(error.into()),
    }
}

/// Reads log after log, and stops at the first that contradicts the question.
struct All<'r, 'f> {
    reader: &'r Reader<'f>,
    contradiction: &'r mut Option<Contradiction>,
}

impl<'de> DeserializeSeed<'de> for All<'_, '_> {
    type Value = LogAnswer;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<LogAnswer, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for All<'_, '_> {
    type Value = LogAnswer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of logs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<LogAnswer, A::Error> {
        let mut answer = LogAnswer::default();
        while let Some(log) = seq.next_element::<WireLog<'de>>()? {
            if let Err(contradiction) = self.reader.read(&log, &mut answer) {
                let error = serde::de::Error::custom(&contradiction);
                *self.contradiction = Some(contradiction);
                return Err(error);
            }
        }
        Ok(answer)
    }
}

struct Reader<'a> {
    query: &'a LogQuery,
    wanted: Wanted<'a>,
}

impl Reader<'_> {
    /// Adds to `answer` what is wanted of `log`, which must be one that was asked for.
    fn read(&self, log: &WireLog<'_>, answer: &mut LogAnswer) -> Result<(), Contradiction> {
        let contract: Address = bytes("address", log.address)?;
        if !self.wanted.is_of(&contract) {
            return Err(Contradiction::ForeignToken {
                token: contract,
                tx_hash: log
                    .transaction_hash
                    .and_then(|text| B256::from_str(text).ok())
                    .unwrap_or_default(),
            });
        }
        let block_number = number("blockNumber", required(contract, log.block_number)?)?;
        if !self.covers(block_number) {
            return Err(self.foreign(log, block_number));
        }
        if self.is_transfer(log, &contract)? {
            answer.seen = answer.seen.saturating_add(1);
            if !self.may_be_wanted(log)? {
                return Ok(());
            }
        }
        let mut topics = [B256::ZERO; 4];
        for (word, text) in topics
            .iter_mut()
            .zip(log.topics.texts)
            .take(log.topics.count)
        {
            *word = bytes("topics", text)?;
        }
        let topics = topics.get(..log.topics.count).unwrap_or_default();
        let data = hex::decode(log.data).map_err(|cause| unreadable("data", log.data, cause))?;
        let Some(said) = self.wanted.read(contract, topics, &data)? else {
            return Ok(());
        };
        if log.removed == Some(true) {
            return Err(DecodeError::Removed { token: contract }.into());
        }
        let block_hash = bytes("blockHash", required(contract, log.block_hash)?)?;
        if !self.is_of(block_hash) {
            return Err(self.foreign(log, block_number));
        }
        let place = LogPlace {
            block_number,
            block_hash,
            tx_hash: bytes("transactionHash", required(contract, log.transaction_hash)?)?,
            log_index: number("logIndex", required(contract, log.log_index)?)?,
        };
        answer.add(place, contract, said);
        Ok(())
    }

    fn covers(&self, number: u64) -> bool {
        match self.query {
            LogQuery::Block(header) => number == header.block.number,
            LogQuery::Range { from, to } => (*from..=*to).contains(&number),
        }
    }

    fn is_of(&self, hash: B256) -> bool {
        match self.query {
            LogQuery::Block(header) => hash == header.block.hash,
            LogQuery::Range { .. } => true,
        }
    }

    fn is_transfer(&self, log: &WireLog<'_>, contract: &Address) -> Result<bool, Contradiction> {
        let [topic, ..] = log.topics.texts;
        Ok(log.topics.count > 0
            && bytes::<32, B256>("topics", topic)? == TRANSFER_TOPIC
            && self.wanted.is_token(contract))
    }

    /// Whether a transfer is to or from somebody who is watched, without a look at the rest of it.
    /// What does not look like one of money at all is for the decoder to judge.
    fn may_be_wanted(&self, log: &WireLog<'_>) -> Result<bool, Contradiction> {
        let [_, from, to, _] = log.topics.texts;
        if log.topics.count != 3 {
            return Ok(true);
        }
        let to: B256 = bytes("topics", to)?;
        let recipient = Address::from_word(to);
        if self.wanted.is_paid(&recipient) || recipient.into_word() != to {
            return Ok(true);
        }
        if !self.wanted.has_senders() {
            return Ok(false);
        }
        let from: B256 = bytes("topics", from)?;
        let sender = Address::from_word(from);
        Ok(self.wanted.is_sent(&sender) || sender.into_word() != from)
    }

    fn foreign(&self, log: &WireLog<'_>, number: u64) -> Contradiction {
        Contradiction::ForeignLog {
            asked: self.query.to_string(),
            number,
            hash: log
                .block_hash
                .and_then(|text| B256::from_str(text).ok())
                .unwrap_or_default(),
        }
    }
}

fn required(token: Address, field: Option<&str>) -> Result<&str, DecodeError> {
    field.ok_or(DecodeError::Pending { token })
}

fn unreadable(field: &'static str, text: &str, cause: hex::FromHexError) -> Contradiction {
    Contradiction::Unreadable {
        field,
        text: text.chars().take(80).collect(),
        cause: cause.to_string(),
    }
}

/// `N` bytes in hex.
fn bytes<const N: usize, T: From<[u8; N]>>(
    field: &'static str,
    text: &str,
) -> Result<T, Contradiction> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|cause| unreadable(field, text, cause))?;
    Ok(T::from(bytes))
}

/// A number in hex, as JSON-RPC writes quantities.
fn number(field: &'static str, text: &str) -> Result<u64, Contradiction> {
    let digits = text.strip_prefix("0x").unwrap_or_default();
    u64::from_str_radix(digits, 16).map_err(|cause| Contradiction::Unreadable {
        field,
        text: text.chars().take(80).collect(),
        cause: cause.to_string(),
    })
}

#[cfg(test)]
mod tests;
