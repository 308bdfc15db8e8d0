//! A story while it is played: its chains, its daemon, and what it has names for.

mod deeds;
mod sights;

use std::collections::{BTreeMap, BTreeSet};

use paywatch_client::{Client, Order};
use paywatch_core::{Address, B256, OrderId};
use paywatch_tests::chain::TREASURY;
use paywatch_tests::daemon::Daemon;
use paywatch_tests::database::Engine;
use paywatch_tests::{books, wait};

use crate::places::{CUSTOMERS_BACK, Place, Pulled, STRANGER, Transfer, WALLET, section};
use crate::step::{Lever, Payment, Step, To};
use crate::story::Story;

/// Everything that there is while a story is played.
pub(crate) struct Scene<P> {
    chains: Vec<(&'static str, P)>,
    daemon: Daemon,
    /// As they were when they were made.
    orders: BTreeMap<&'static str, Order>,
    /// The transactions of payments that have a name.
    payments: BTreeMap<&'static str, B256>,
    /// Chains whose nodes are switched off.
    dark: BTreeSet<&'static str>,
}

impl<P: Place> Scene<P> {
    /// Starts the chains and the daemon of `story`.
    pub(crate) async fn open(story: &Story) -> Self {
        let mut chains = Vec::new();
        let mut sections = Vec::new();
        for plan in &story.chains {
            let place = P::open(*plan).await;
            sections.push(section(plan, &place));
            chains.push((plan.name, place));
        }
        sections.push(story.configuration.to_owned());
        let mut daemon = Daemon::new(Engine::Sqlite, &sections);
        daemon.start().await;
        daemon.becomes_ready().await;
        Self {
            chains,
            daemon,
            orders: BTreeMap::new(),
            payments: BTreeMap::new(),
            dark: BTreeSet::new(),
        }
    }

    /// What the daemon has logged.
    pub(crate) fn log(&self) -> String {
        self.daemon.log()
    }

    fn client(&self) -> Client {
        self.daemon.client()
    }

    fn order(&self, reference: &str) -> &Order {
        let order = self.orders.get(reference);
        order.unwrap_or_else(|| panic!("the story has made no order {reference}"))
    }

    fn order_id(&self, reference: &str) -> OrderId {
        let id = &self.order(reference).id;
        id.parse().expect("an order's id")
    }

    fn payment(&self, name: &str) -> B256 {
        let hash = self.payments.get(name);
        *hash.unwrap_or_else(|| panic!("the story has made no payment {name}"))
    }

    fn address(&self, order: &str) -> Address {
        let option = self.order(order).options.first();
        let address = &option.expect("it has an option").address;
        address.parse().expect("an address")
    }

    fn chain(&mut self, name: &str) -> &mut P {
        let chain = self.chains.iter_mut().find(|(known, _)| *known == name);
        let chain = chain.unwrap_or_else(|| panic!("the story has no chain {name}"));
        &mut chain.1
    }

    fn pulled(&self, lever: Lever) -> Pulled {
        match lever {
            Lever::Fee(share, most) => Pulled::Fee(share, most),
            Lever::Pause => Pulled::Pause,
            Lever::Unpause => Pulled::Unpause,
            Lever::Freeze(order) => Pulled::Freeze(self.address(order)),
            Lever::Release(order) => Pulled::Release(self.address(order)),
            Lever::FreezeAStranger => Pulled::Freeze(STRANGER),
            Lever::Issue(units) => Pulled::Issue(units),
            Lever::Deprecate => Pulled::Deprecate,
        }
    }

    fn transfer(&self, payment: &Payment) -> Transfer {
        Transfer {
            coin: payment.coin,
            by: payment.by,
            to: match payment.to {
                To::Order(order) => self.address(order),
                To::Treasury | To::Receiver(_) => TREASURY,
                To::Wallet => WALLET,
                To::CustomersBack => CUSTOMERS_BACK,
            },
            amount: payment.amount,
            order_ref: match payment.to {
                To::Receiver(order) => Some(self.order_id(order).to_contract_ref()),
                To::Order(_) | To::Treasury | To::Wallet | To::CustomersBack => None,
            },
        }
    }

    /// Waits until the daemon, if it runs, has covered the newest block of every chain that it can
    /// reach: whatever follows is seen in this order, however fast the place is.
    async fn catches_up(&self) -> Result<(), String> {
        if !self.daemon.is_running() {
            return Ok(());
        }
        let client = self.client();
        for (name, place) in &self.chains {
            if self.dark.contains(name) {
                continue;
            }
            let (number, hash) = place.head().await;
            wait::in_time(|| async {
                let chains = client.chains().await.map_err(|error| error.to_string())?;
                let chain = chains.iter().find(|chain| chain.name == *name);
                let covered = chain.and_then(|chain| chain.covered_up_to.as_ref());
                if covered.is_some_and(|block| block.hash == hash.to_string()) {
                    return Ok(());
                }
                Err(format!(
                    "The daemon does not catch up with block {number} {hash} of the {name} chain: {chain:?}"
                ))
            })
            .await?;
        }
        Ok(())
    }

    /// Ends the story: the daemon stops, and its books are compared with the chains.
    pub(crate) async fn close(&mut self, story: &Story) -> Result<(), String> {
        if !self.dark.is_empty() {
            return Err("the story ends with a node switched off".to_owned());
        }
        if !self.daemon.is_running() {
            self.daemon.start().await;
        }
        self.catches_up().await?;
        self.daemon.stop().await;
        let (orders, places): (Vec<_>, Vec<_>) = (
            self.orders.values().cloned().collect(),
            self.chains.drain(..).map(|(_, place)| place).collect(),
        );
        books::audit(&self.daemon.database, &places, &orders).await;
        // What was told at the end is all that was told.
        let last = story
            .steps
            .iter()
            .rev()
            .take_while(|step| step.is_expectation());
        let told = books::told(&self.daemon.database).await;
        for step in last {
            if let Step::Told(kinds) = step {
                self.compare(&told, None, kinds)?;
            } else if let Step::ToldOf(order, kinds) = step {
                self.compare(&told, Some(order), kinds)?;
            }
        }
        Ok(())
    }
}
