//! A merchant's shop: chains, a daemon, and what the merchant sees.

use paywatch_client::{Client, CreateOrder, Order};
use paywatch_core::{Address, EventKind};

use crate::chain::Chain;
use crate::daemon::{Daemon, chain_section};
use crate::database::Engine;
use crate::{books, wait};

/// Blocks that the shop wants on a payment.
pub const CONFIRMATIONS: u32 = 3;

/// A shop that is open. Every story ends with [`Shop::close`], which audits the books.
#[derive(Debug)]
pub struct Shop {
    /// Its chains.
    pub chains: Vec<Chain>,
    /// Its daemon.
    pub daemon: Daemon,
    orders: Vec<Order>,
    is_closed: bool,
}

impl Shop {
    /// Opens a shop on one chain whose USDT has 6 decimals.
    pub async fn open(engine: Engine) -> Self {
        Self::open_on(engine, vec![Chain::start("anvil", 31_337, 6).await]).await
    }

    /// Opens a shop on these chains.
    pub async fn open_on(engine: Engine, chains: Vec<Chain>) -> Self {
        let sections: Vec<_> = chains
            .iter()
            .map(|chain| chain_section(chain, CONFIRMATIONS))
            .collect();
        Self::open_with(engine, chains, &sections).await
    }

    /// Opens a shop on these chains, configured by `sections`.
    pub async fn open_with(engine: Engine, chains: Vec<Chain>, sections: &[String]) -> Self {
        let mut daemon = Daemon::new(engine, sections);
        daemon.start().await;
        daemon.becomes_ready().await;
        Self {
            chains,
            daemon,
            orders: Vec::new(),
            is_closed: false,
        }
    }

    /// Its first chain.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        self.chains.first().expect("a shop has a chain")
    }

    /// A client of its daemon.
    #[must_use]
    pub fn client(&self) -> Client {
        self.daemon.client()
    }

    /// Makes an order for `amount` that may be paid for an hour.
    pub async fn order(&mut self, reference: &str, amount: &str) -> Order {
        self.order_for(reference, amount, "1h").await
    }

    /// Makes an order for `amount` that may be paid for `expires_in`.
    pub async fn order_for(&mut self, reference: &str, amount: &str, expires_in: &str) -> Order {
        self.order_with(CreateOrder {
            reference: reference.to_owned(),
            amount: amount.to_owned(),
            expires_in: Some(expires_in.to_owned()),
            ..CreateOrder::default()
        })
        .await
    }

    /// Makes the order that is asked for.
    pub async fn order_with(&mut self, request: CreateOrder) -> Order {
        let order = self
            .client()
            .create_order(&request)
            .await
            .expect("the order is made");
        assert_eq!(order.status, "awaiting_payment");
        self.orders.push(order.clone());
        order
    }

    /// Carries out what an operator decides about `order` at a shell.
    pub async fn decides(&self, order: &Order, arguments: &[&str]) {
        let arguments: Vec<&str> = arguments
            .iter()
            .copied()
            .chain([order.id.as_str()])
            .collect();
        let (went_well, _, error) = self.daemon.operator(&arguments).await;
        assert!(went_well, "{arguments:?}: {error}");
    }

    /// Waits until the merchant sees `order` in `status`.
    pub async fn sees(&self, order: &Order, status: &str) -> Order {
        self.sees_that(order, status, |now| now.status == status)
            .await
    }

    /// Waits until what the merchant sees of `order` is as `wanted`.
    pub async fn sees_that(
        &self,
        order: &Order,
        what: &str,
        wanted: impl Fn(&Order) -> bool,
    ) -> Order {
        let client = self.client();
        wait::until(&format!("{} to be {what}", order.reference), || async {
            let now = client
                .order(&order.id)
                .await
                .map_err(|error| error.to_string())?;
            if wanted(&now) {
                Ok(now)
            } else {
                Err(format!("{now:?}\n{}", self.daemon.log()))
            }
        })
        .await
    }

    /// Waits until the daemon has covered what is on the chains now.
    pub async fn catches_up(&self) {
        for chain in &self.chains {
            let height = chain.height().await;
            self.covers(chain, height).await;
        }
    }

    async fn covers(&self, chain: &Chain, height: u64) {
        let client = self.client();
        wait::until("the daemon to catch up", || async {
            let chains = client.chains().await.map_err(|error| error.to_string())?;
            let covered = chains
                .iter()
                .find(|known| known.id == chain.node.chain_id)
                .and_then(|known| known.covered_up_to.as_ref())
                .map(|block| block.number);
            let is_there = covered.is_some_and(|covered| covered >= height);
            if is_there {
                Ok(())
            } else {
                Err(format!("{covered:?} of {height}\n{}", self.daemon.log()))
            }
        })
        .await;
    }

    /// Enough blocks come that every payment so far is confirmed.
    pub async fn becomes_final(&self) {
        for chain in &self.chains {
            chain.mines(u64::from(CONFIRMATIONS)).await;
        }
    }

    /// Ends the story: the daemon stops, and its books are compared with the chains. Returns the
    /// kinds of all events of orders and payments, in their order.
    pub async fn close(mut self) -> Vec<EventKind> {
        if !self.daemon.is_running() {
            self.daemon.start().await;
        }
        self.catches_up().await;
        self.daemon.stop().await;
        books::audit(&self.daemon.database, &self.chains, &self.orders).await;
        self.is_closed = true;
        books::kinds_told(&self.daemon.database).await
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let is_unaudited = !self.is_closed && !std::thread::panicking();
        assert!(
            !is_unaudited,
            "a story ends with shop.close().await, which audits the books"
        );
    }
}

/// Where `order` is to be paid on its first option.
#[must_use]
pub fn pay_to(order: &Order) -> Address {
    let option = order.options.first().expect("an order has an option");
    option.address.parse().expect("an address")
}
