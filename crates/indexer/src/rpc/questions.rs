//! What a node is asked to get all wanted logs: one question where it sends everything, and several
//! in one request where it filters.

use std::collections::BTreeMap;

use alloy::rpc::types::{Filter, FilterSet, Topic};
use alloy_primitives::{Address, B256};
use serde_json::json;

use crate::rpc::GET_LOGS;
use crate::rpc::envelope::Request;
use crate::{
    LogAnswer, LogFilter, LogQuery, NOTICE_TOPICS, PAID_TOPIC, TRANSFER_TOPIC, TransferLog,
};

/// The questions that together cover `filter`.
pub(super) fn questions(query: &LogQuery, filter: &LogFilter) -> Vec<Request> {
    let ask = |wire: Filter| {
        let wire = match query {
            LogQuery::Block(header) => wire.at_block_hash(header.block.hash),
            LogQuery::Range { from, to } => wire.from_block(*from).to_block(*to),
        };
        Request::new(GET_LOGS, json!([wire]))
    };
    let mut contracts = filter.tokens.clone();
    contracts.extend(&filter.receivers);
    let mut others = Vec::from(NOTICE_TOPICS);
    if !filter.receivers.is_empty() {
        others.push(PAID_TOPIC);
    }
    let Some(recipients) = filter.node_recipients() else {
        let topics = [vec![TRANSFER_TOPIC], others].concat();
        return vec![ask(Filter::new()
            .address(contracts)
            .event_signature(topics))];
    };
    let transfers = Filter::new()
        .address(filter.tokens.clone())
        .event_signature(TRANSFER_TOPIC);
    let senders = filter.node_senders();
    let mut questions = Vec::with_capacity(3);
    // An empty list would mean everybody.
    if !recipients.is_empty() {
        questions.push(ask(transfers.clone().topic2(words(&recipients))));
    }
    if !senders.is_empty() {
        questions.push(ask(transfers.topic1(words(&senders))));
    }
    questions.push(ask(Filter::new()
        .address(contracts)
        .event_signature(others)));
    questions
}

fn words(addresses: &[Address]) -> Topic {
    let words: Vec<B256> = addresses.iter().map(Address::into_word).collect();
    Topic::from(FilterSet::from(words))
}

/// What several answers say together. A transfer from one of the senders to one of the recipients
/// is in the answers to both questions.
pub(super) fn together(answers: Vec<LogAnswer>) -> LogAnswer {
    let mut answers = answers.into_iter();
    let mut whole = answers.next().unwrap_or_default();
    for mut more in answers {
        if !more.transfers.is_empty() {
            let key = |log: &TransferLog| (log.block_number, log.block_hash, log.log_index);
            let known: BTreeMap<_, _> = whole.transfers.iter().map(|log| (key(log), log)).collect();
            more.transfers
                .retain(|log| known.get(&key(log)) != Some(&log));
        }
        whole.extend(more);
    }
    whole
}
