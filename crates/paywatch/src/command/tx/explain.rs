//! Says of every log of a transaction what it is to us, and why the books hold it or do not.

use alloy_primitives::{Address, U256};
use paywatch_core::{
    Amount, BlockNumber, Claim, Loose, OrderId, PaymentState, Timestamp, Token, Transfer,
    TransferId,
};
use paywatch_indexer::{
    ChainSource, Movement, PAID_TOPIC, TRANSFER_TOPIC, TxLog, TxReceipt, decode, decode_notice,
};
use paywatch_reconciler::AddressBook;
use paywatch_store::{BookedPlace, BookedTransfer, ChainRecord, Store};

use crate::command::tx::view::{LogView, TxView};
use crate::config::{ChainConfig, Config};

/// What a transaction is looked at with.
#[derive(Clone, Copy)]
pub(super) struct Looking<'a> {
    pub(super) config: &'a Config,
    pub(super) chain: &'a ChainConfig,
    pub(super) store: &'a Store,
    pub(super) addresses: &'a AddressBook,
}

/// What is known of the transaction beside its logs.
struct Circumstances {
    receipt: TxReceipt,
    is_on_chain: bool,
    books: Option<ChainRecord>,
}

impl Looking<'_> {
    /// What `receipt` is to us.
    pub(super) async fn at(
        &self,
        source: &dyn ChainSource,
        receipt: &TxReceipt,
    ) -> anyhow::Result<TxView> {
        let block = receipt.block;
        let headers = source.headers(&[block.number]).await?;
        let header = headers.into_iter().next().flatten();
        let chains = self.store.chains().await?;
        let mut chains = chains.into_iter();
        let circumstances = Circumstances {
            receipt: receipt.clone(),
            is_on_chain: header.is_some_and(|header| header.block.hash == block.hash),
            books: chains.find(|chain| chain.heads.chain_id == self.chain.id),
        };
        let mut logs = Vec::with_capacity(receipt.logs.len());
        for log in &receipt.logs {
            logs.push(self.log(log, &circumstances).await?);
        }
        Ok(TxView {
            block_number: block.number,
            block_hash: block.hash.to_string(),
            succeeded: receipt.succeeded,
            on_chain: circumstances.is_on_chain,
            summary: summary(&circumstances),
            logs,
        })
    }

    async fn log(&self, log: &TxLog, about: &Circumstances) -> anyhow::Result<LogView> {
        let token = self.token(log.contract);
        let mut view = LogView {
            log_index: log.log_index,
            contract: log.contract.to_string(),
            contract_is: self.contract_is(log),
            says: self.says(log),
            ..LogView::default()
        };
        if view.says != "transfer" {
            view.meaning = self.no_transfer(log);
            return Ok(view);
        }
        let movement = match decode(log.contract, &log.topics, &log.data) {
            Ok(Some(movement)) => movement,
            Ok(None) | Err(_) => {
                view.meaning = "it is no transfer of an amount, so nothing of ours".to_owned();
                return Ok(view);
            },
        };
        view.from = Some(movement.from.to_string());
        view.to = Some(movement.to.to_string());
        view.from_is = self.whose(movement.from, log, about).await?;
        view.to_is = self.whose(movement.to, log, about).await?;
        let Some(token) = token else {
            view.amount = Some(format!("{} base units", movement.value));
            view.meaning = if view.to_is.is_some() {
                "it is of another token than those that are configured, whatever that calls \
                 itself, so it pays nothing; if it is a real token that you want to take, add it \
                 to the configuration"
                    .to_owned()
            } else {
                "it is of another token than those that are configured: nothing of ours".to_owned()
            };
            return Ok(view);
        };
        self.transfer(view, token, &movement, about).await
    }

    async fn transfer(
        &self,
        mut view: LogView,
        token: &Token,
        movement: &Movement,
        about: &Circumstances,
    ) -> anyhow::Result<LogView> {
        let Ok(amount) = Amount::from_base_units(movement.value, token.decimals) else {
            view.meaning = "the amount is impossible, so it is not recorded".to_owned();
            return Ok(view);
        };
        view.amount = Some(format!("{amount} {}", token.symbol));
        let transfer = self.as_transfer(view.log_index, movement, amount, about);
        let id = transfer.payment_id();
        if let Some(booked) = self.store.payment(&id).await? {
            view.payment = Some(id.to_string());
            view.order = booked.order().map(|order| order.to_string());
            view.status = Some(status(&booked).to_owned());
            view.meaning = booked_as(&booked);
            return Ok(view);
        }
        view.meaning = if !about.receipt.succeeded {
            "the transaction failed, so it moved nothing".to_owned()
        } else if view.to_is.is_none() && view.from_is.is_none() {
            "neither from nor to an address of yours".to_owned()
        } else if view.to_is.is_none() && !self.is_own(movement.from) {
            "from an address of an order to somebody else, which cannot be: look into it".to_owned()
        } else if !self.is_watched(movement).await? {
            "to your treasury, which is not watched: set treasury.watch = true".to_owned()
        } else {
            missing(&self.chain.name, about)
        };
        Ok(view)
    }

    fn as_transfer(
        &self,
        log_index: u64,
        movement: &Movement,
        amount: Amount,
        about: &Circumstances,
    ) -> Transfer {
        Transfer {
            id: TransferId {
                chain_id: self.chain.id,
                block_hash: about.receipt.block.hash,
                log_index,
            },
            block_number: about.receipt.block.number,
            block_timestamp: Timestamp::EPOCH,
            tx_hash: about.receipt.tx_hash,
            token: Address::ZERO,
            from: movement.from,
            to: movement.to,
            amount,
            paid_through: None,
        }
    }

    /// Whose `address` is, if it is one of the merchant's.
    async fn whose(
        &self,
        address: Address,
        log: &TxLog,
        about: &Circumstances,
    ) -> anyhow::Result<Option<String>> {
        if address == self.chain.treasury {
            return Ok(Some("your treasury".to_owned()));
        }
        if self.chain.wallets.contains(&address) {
            return Ok(Some("a wallet of yours".to_owned()));
        }
        if self.is_own(address) {
            return Ok(Some("your treasury or wallet on another chain".to_owned()));
        }
        // Nothing but the address tells whose a transfer of nothing to it would be.
        let movement = Movement {
            from: Address::ZERO,
            to: address,
            value: U256::ZERO,
        };
        let probe = Transfer {
            id: TransferId {
                chain_id: self.chain.id,
                block_hash: alloy_primitives::B256::ZERO,
                log_index: 0,
            },
            ..self.as_transfer(log.log_index, &movement, Amount::ZERO, about)
        };
        let claims = self.store.claims(&[&probe]).await?;
        match claims.get(&probe.id).map(|claimed| claimed.claim) {
            Some(Claim::Order(order)) => Ok(Some(self.deposit_of(order).await?)),
            Some(Claim::Amount(_) | Claim::WrittenOff | Claim::Nobody | Claim::Stranger) | None => {
                let is_shared = self.addresses.read_on().await?.read().contains(&address);
                Ok(is_shared.then(|| "an address that your orders share".to_owned()))
            },
        }
    }

    async fn deposit_of(&self, id: OrderId) -> anyhow::Result<String> {
        let order = self.store.order(id).await?;
        let reference = order.map(|record| record.order.reference.to_string());
        Ok(match reference {
            Some(reference) => format!("the deposit address of order {id}, {reference}"),
            None => format!("the deposit address of order {id}"),
        })
    }

    fn is_own(&self, address: Address) -> bool {
        let mut chains = self.config.chains.iter();
        chains.any(|chain| chain.treasury == address || chain.wallets.contains(&address))
    }

    async fn is_watched(&self, movement: &Movement) -> anyhow::Result<bool> {
        let watched = self.addresses.read_on().await?;
        let watched = watched.read();
        Ok(watched.contains(&movement.to) || watched.contains(&movement.from))
    }

    fn token(&self, contract: Address) -> Option<&Token> {
        let mut tokens = self.chain.tokens.iter();
        tokens.find(|token| token.address == contract)
    }

    fn contract_is(&self, log: &TxLog) -> String {
        let is_transfer = log.topics.first() == Some(&TRANSFER_TOPIC);
        if let Some(token) = self.token(log.contract) {
            format!("the configured token {}", token.symbol)
        } else if self.chain.receiver == Some(log.contract) {
            "the payment receiver".to_owned()
        } else if self.chain.factory == log.contract {
            "the deposit factory".to_owned()
        } else if is_transfer {
            "not a configured token: look-alike or other".to_owned()
        } else {
            "another contract".to_owned()
        }
    }

    fn says(&self, log: &TxLog) -> &'static str {
        let topic = log.topics.first();
        if topic == Some(&TRANSFER_TOPIC) {
            "transfer"
        } else if topic == Some(&PAID_TOPIC) && self.chain.receiver == Some(log.contract) {
            "paid"
        } else if self.token(log.contract).is_some()
            && decode_notice(&log.topics, &log.data).is_some()
        {
            "notice"
        } else {
            "other"
        }
    }

    fn no_transfer(&self, log: &TxLog) -> String {
        match self.says(log) {
            "paid" => "the receiver says for which order the transfer before it was; the money is \
                       that transfer"
                .to_owned(),
            "notice" => "the issuer moved a lever of the token; see the events of kind token.alert"
                .to_owned(),
            _ => "it moves no money".to_owned(),
        }
    }
}

fn summary(about: &Circumstances) -> String {
    if !about.receipt.succeeded {
        return "it FAILED, so it moved nothing: the payer has to pay again".to_owned();
    }
    if !about.is_on_chain {
        return "that block is NOT on the chain any more; ask again in some minutes".to_owned();
    }
    let Some(books) = &about.books else {
        return "the chain was never followed: start the daemon".to_owned();
    };
    let number = about.receipt.block.number;
    let tip = books.heads.tip.number;
    let depth = tip.checked_sub(number).map(|below| below.saturating_add(1));
    let is_final = books
        .heads
        .finalized
        .is_some_and(|finalized| number <= finalized);
    match depth {
        Some(depth) if is_final => format!("it succeeded; {depth} blocks deep, and final"),
        Some(depth) => format!("it succeeded; {depth} blocks deep, not finalized yet"),
        None => format!("it succeeded, above block {tip}, up to which is covered"),
    }
}

/// Why the books do not hold a transfer of ours.
fn missing(chain: &str, about: &Circumstances) -> String {
    let number: BlockNumber = about.receipt.block.number;
    let Some(books) = &about.books else {
        return format!("{chain} was never followed: start the daemon");
    };
    let tip = books.heads.tip.number;
    if !about.is_on_chain {
        "its block is not on the chain any more; mined again, it is another payment".to_owned()
    } else if number > tip {
        format!("not in the books yet: {chain} is covered up to block {tip}; it will come")
    } else if number < books.started_at {
        format!(
            "not in the books: block {} is the first that is covered; --import --reason TEXT \
             brings it in",
            books.started_at
        )
    } else {
        format!(
            "NOT in the books, though its block is covered: an endpoint withheld it. Make sure that \
             the endpoints are right, then `paywatch chain resync --chain {chain} --to {}`",
            number.saturating_sub(1)
        )
    }
}

fn status(booked: &BookedTransfer) -> &'static str {
    if booked.reverted_at.is_some() {
        return "reverted";
    }
    match booked.place {
        BookedPlace::Order { state, .. } => match state {
            PaymentState::Seen => "detected",
            PaymentState::Confirmed => "confirmed",
            PaymentState::Ignored(because) => because.name(),
        },
        BookedPlace::Loose(loose) => loose.name(),
    }
}

/// What the books say of it, in words.
fn booked_as(booked: &BookedTransfer) -> String {
    if booked.reverted_at.is_some() {
        return "it left the chain, so it does not count".to_owned();
    }
    match booked.place {
        BookedPlace::Order { state, .. } => match state {
            PaymentState::Seen => {
                "it counts for its order, and waits to be final (and proved, where the chain can)"
                    .to_owned()
            },
            PaymentState::Confirmed => "it counts for its order, for good".to_owned(),
            PaymentState::Ignored(because) => {
                format!(
                    "it is attached to its order and does not count: {}",
                    because.name()
                )
            },
        },
        BookedPlace::Loose(loose) => match loose {
            Loose::Unmatched => {
                "it belongs to no order: `paywatch payment assign` or `write-off`".to_owned()
            },
            Loose::Moved => "from one address of yours to another, as a flush does".to_owned(),
            Loose::Sent => "it left one of your addresses for somebody else's".to_owned(),
            Loose::Dust => "less than orders.dust, so nobody is told of it".to_owned(),
            Loose::ZeroValue => "it moved nothing; anybody can send such".to_owned(),
            Loose::WrittenOff => "an operator decided to leave it alone".to_owned(),
        },
    }
}
