//! A story: what it is set up with, and its steps. Rows of the table are written with these
//! methods and read like sentences.

use std::fmt;

use paywatch_contracts::receiver::receiver_address;
use paywatch_core::Address;

use crate::expectation::Seen;
use crate::places::WALLET;
use crate::step::{Decision, FIRST, Lever, Payment, Reorg, Step, Terms, payment};

/// A chain of a story.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainPlan {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Its id.
    pub id: u64,
    /// Decimals of its tokens.
    pub decimals: u8,
    /// Whether USDC is configured there beside USDT.
    pub has_usdc: bool,
    /// The merchant's wallet there, where amounts tell orders apart.
    pub wallet: Option<Address>,
    /// The payment receiver there, if orders may be paid through it.
    pub receiver: Option<Address>,
}

/// A story.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    /// Its chains.
    pub chains: Vec<ChainPlan>,
    /// More lines of the configuration.
    pub configuration: &'static str,
    /// What happens.
    pub steps: Vec<Step>,
}

/// A story on one chain, `first`, whose USDT has 6 decimals; three blocks make a payment final.
pub(crate) fn story() -> Story {
    Story {
        chains: vec![ChainPlan {
            name: FIRST,
            id: 31_337,
            decimals: 6,
            has_usdc: false,
            wallet: None,
            receiver: None,
        }],
        configuration: "",
        steps: Vec::new(),
    }
}

impl Story {
    /// There is a second chain, `second`, whose USDT has 18 decimals.
    pub(crate) fn with_a_second_chain(mut self) -> Self {
        self.chains.push(ChainPlan {
            name: "second",
            id: 31_356,
            decimals: 18,
            has_usdc: false,
            wallet: None,
            receiver: None,
        });
        self
    }

    /// The payment receiver is on every chain so far.
    pub(crate) fn with_the_receiver(mut self) -> Self {
        for chain in &mut self.chains {
            chain.receiver = Some(receiver_address());
        }
        self
    }

    /// USDC is configured beside USDT, on every chain so far.
    pub(crate) fn with_usdc(mut self) -> Self {
        for chain in &mut self.chains {
            chain.has_usdc = true;
        }
        self
    }

    /// The merchant has a wallet on every chain so far, where amounts tell orders apart.
    pub(crate) fn with_a_wallet(mut self) -> Self {
        for chain in &mut self.chains {
            chain.wallet = Some(WALLET);
        }
        self
    }

    /// The configuration holds this as well.
    pub(crate) const fn configured(mut self, lines: &'static str) -> Self {
        self.configuration = lines;
        self
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The shop makes an order.
    pub(crate) fn order(self, terms: Terms) -> Self {
        self.then(Step::Orders(terms))
    }

    /// The shop asks for the order again and gets the same.
    pub(crate) fn order_again(self, terms: Terms) -> Self {
        self.then(Step::OrdersAgain(terms))
    }

    /// The shop asks for an order and is refused with a problem of this code.
    pub(crate) fn order_is_refused(self, terms: Terms, code: &'static str) -> Self {
        self.then(Step::IsRefused(terms, code))
    }

    /// The operator decides.
    pub(crate) fn decides(self, decision: Decision) -> Self {
        self.then(Step::Decides(decision))
    }

    /// The operator tries to decide, and the refusal has these words.
    pub(crate) fn cannot(self, decision: Decision, why: &'static str) -> Self {
        self.then(Step::CannotDecide(decision, why))
    }

    /// A customer pays so much USDT to the order on the first chain.
    pub(crate) fn pays(self, order: &'static str, amount: &'static str) -> Self {
        self.pay(payment(amount).to(order))
    }

    /// A payment in a transaction and a block of its own.
    pub(crate) fn pay(self, payment: Payment) -> Self {
        self.then(Step::Pays(vec![payment]))
    }

    /// Payments in one transaction, all by the exchange, on one chain.
    pub(crate) fn pay_in_one_transaction(self, payments: &[Payment]) -> Self {
        self.then(Step::Pays(payments.to_vec()))
    }

    /// A payment whose transaction is mined and fails.
    pub(crate) fn fails_to_pay(self, payment: Payment) -> Self {
        self.then(Step::FailsToPay(payment))
    }

    /// Anybody flushes the order's address; the transfer is called so.
    pub(crate) fn flushes(self, order: &'static str, name: &'static str) -> Self {
        self.then(Step::Flushes(order, name))
    }

    /// The issuer of USDT pulls a lever of the token.
    pub(crate) fn issuer_pulls(self, lever: Lever) -> Self {
        self.then(Step::Pulls(lever))
    }

    /// So many empty blocks come on every chain.
    pub(crate) fn blocks_come(self, blocks: u64) -> Self {
        self.then(Step::Mines(blocks))
    }

    /// So many blocks come that every payment so far is final.
    pub(crate) fn becomes_final(self) -> Self {
        self.then(Step::BecomesFinal)
    }

    /// Chain time passes on every chain.
    pub(crate) fn minutes_pass(self, minutes: u64) -> Self {
        self.then(Step::MinutesPass(None, minutes))
    }

    /// Chain time passes on this chain only.
    pub(crate) fn minutes_pass_on(self, chain: &'static str, minutes: u64) -> Self {
        self.then(Step::MinutesPass(Some(chain), minutes))
    }

    /// A chain's newest blocks are replaced.
    pub(crate) fn reorganises(self, reorg: Reorg) -> Self {
        self.then(Step::Reorganises(reorg))
    }

    /// The daemon is stopped in good order.
    pub(crate) fn daemon_stops(self) -> Self {
        self.then(Step::DaemonStops)
    }

    /// The daemon is killed.
    pub(crate) fn daemon_is_killed(self) -> Self {
        self.then(Step::DaemonIsKilled)
    }

    /// The daemon is started.
    pub(crate) fn daemon_starts(self) -> Self {
        self.then(Step::DaemonStarts)
    }

    /// The chain's node is switched off.
    pub(crate) fn node_stops(self, chain: &'static str) -> Self {
        self.then(Step::NodeStops(chain))
    }

    /// It is switched on again.
    pub(crate) fn node_starts(self, chain: &'static str) -> Self {
        self.then(Step::NodeStarts(chain))
    }

    /// The merchant sees the order like this.
    pub(crate) fn sees(self, order: &'static str, seen: Seen) -> Self {
        self.then(Step::Sees(order, seen))
    }

    /// The merchant finds the payment that was called so in this status.
    pub(crate) fn finds(self, payment: &'static str, status: &'static str) -> Self {
        self.then(Step::Finds(payment, status))
    }

    /// The merchant finds that the payment went to a frozen address.
    pub(crate) fn finds_frozen(self, payment: &'static str) -> Self {
        self.then(Step::FindsFrozen(payment))
    }

    /// The merchant finds no trace of the payment that was called so.
    pub(crate) fn finds_nothing_of(self, payment: &'static str) -> Self {
        self.then(Step::FindsNothing(payment))
    }

    /// The merchant finds the payment that was called so among what is no money.
    pub(crate) fn finds_strange(self, payment: &'static str) -> Self {
        self.then(Step::FindsStrange(payment))
    }

    /// Exactly these events were told of orders and payments so far.
    pub(crate) fn told(self, kinds: &'static [&'static str]) -> Self {
        self.then(Step::Told(kinds))
    }

    /// Exactly these events were told of the order so far.
    pub(crate) fn told_of(self, order: &'static str, kinds: &'static [&'static str]) -> Self {
        self.then(Step::ToldOf(order, kinds))
    }

    /// Exactly these alerts of tokens were told so far, each with these words in it.
    pub(crate) fn alerted(self, words: &'static [&'static str]) -> Self {
        self.then(Step::Alerted(words))
    }

    /// The story as a numbered specification, with the step at `failing` marked.
    pub(crate) fn specification(&self, failing: Option<usize>) -> String {
        let lines = self.steps.iter().enumerate().map(|(index, step)| {
            let mark = if failing == Some(index) { "=>" } else { "  " };
            format!("{mark} {:>2}. {step}", index + 1)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.specification(None))
    }
}
