//! What happens in a step.

use paywatch_client::{ClientError, ListPayments, Order};
use paywatch_tests::shop::CONFIRMATIONS;
use paywatch_tests::wait;

use crate::places::Place;
use crate::runner::scene::Scene;
use crate::step::{Decision, FIRST, Payment, Reorg, Step, Terms};

impl<P: Place> Scene<P> {
    /// Plays one step.
    ///
    /// # Errors
    /// What is not as the step says, in words.
    pub(crate) async fn play(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Orders(terms) => self.orders(terms).await,
            Step::OrdersAgain(terms) => self.orders_again(terms).await,
            Step::IsRefused(terms, code) => self.is_refused(terms, code).await,
            Step::Decides(decision) => self.decides(*decision).await,
            Step::CannotDecide(decision, why) => self.cannot_decide(*decision, why).await,
            Step::Pays(payments) => self.pays(payments).await,
            Step::FailsToPay(payment) => self.fails_to_pay(payment).await,
            Step::Flushes(order, name) => self.flushes(order, name).await,
            Step::Pulls(lever) => {
                let pulled = self.pulled(*lever);
                self.chain(FIRST).pulls(pulled).await;
                self.catches_up().await
            },
            Step::Mines(blocks) => self.mines(*blocks).await,
            Step::BecomesFinal => self.mines(u64::from(CONFIRMATIONS)).await,
            Step::MinutesPass(chain, minutes) => self.minutes_pass(*chain, *minutes).await,
            Step::Reorganises(reorg) => self.reorganises(reorg).await,
            Step::DaemonStops => {
                self.daemon.stop().await;
                Ok(())
            },
            Step::DaemonIsKilled => {
                self.daemon.is_killed().await;
                Ok(())
            },
            Step::DaemonStarts => {
                self.daemon.start().await;
                self.catches_up().await
            },
            Step::NodeStops(chain) => self.node_stops(chain).await,
            Step::NodeStarts(chain) => self.node_starts(chain).await,
            Step::Sees(order, seen) => self.sees(order, seen).await,
            Step::Finds(payment, status) => self.finds(payment, status).await,
            Step::FindsFrozen(payment) => self.finds_frozen(payment).await,
            Step::FindsNothing(payment) => self.finds_nothing(payment).await,
            Step::FindsStrange(payment) => self.finds_strange(payment).await,
            Step::Told(kinds) => self.told(None, kinds).await,
            Step::ToldOf(order, kinds) => self.told(Some(order), kinds).await,
            Step::Alerted(words) => self.alerted(words).await,
        }
    }

    async fn asks_for(&self, terms: &Terms) -> Result<Order, String> {
        let made = self.client().create_order(&terms.request).await;
        made.map_err(|error| format!("It is refused: {error}"))
    }

    async fn orders(&mut self, terms: &Terms) -> Result<(), String> {
        let order = self.asks_for(terms).await?;
        if order.status != "awaiting_payment" {
            return Err(format!("The new order is {}", order.status));
        }
        self.orders.insert(terms.reference, order);
        Ok(())
    }

    async fn orders_again(&self, terms: &Terms) -> Result<(), String> {
        let order = self.asks_for(terms).await?;
        let known = self.order(terms.reference);
        if order.id != known.id || order.options != known.options {
            return Err(format!("Another order was made: {order:#?}"));
        }
        Ok(())
    }

    async fn is_refused(&self, terms: &Terms, code: &str) -> Result<(), String> {
        match self.client().create_order(&terms.request).await {
            Err(ClientError::Problem(problem)) if problem.code == code => Ok(()),
            Err(error) => Err(format!("It is refused otherwise: {error:?}")),
            Ok(order) => Err(format!("It is made: {order:#?}")),
        }
    }

    /// Has the operator decide at a shell: whether it went well, and what was said.
    async fn at_a_shell(&self, decision: Decision) -> Result<(bool, String), String> {
        let payment = match decision.payment() {
            Some(name) => self.payment_id(name).await?,
            None => String::new(),
        };
        let arguments = decision.arguments(|order| self.order(order).id.clone(), &payment);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (went_well, _, said) = self.daemon.operator(&arguments).await;
        Ok((
            went_well,
            format!("paywatch {}: {said}", arguments.join(" ")),
        ))
    }

    /// The id of the one payment in the transaction that the story calls `name`.
    async fn payment_id(&self, name: &str) -> Result<String, String> {
        let list = ListPayments {
            tx_hash: Some(self.payment(name).to_string()),
            ..ListPayments::default()
        };
        let page = self.client().payments(&list).await;
        let page = page.map_err(|error| error.to_string())?;
        match page.data.as_slice() {
            [payment] => Ok(payment.id.clone()),
            other => Err(format!("{name} is not one payment but {other:#?}")),
        }
    }

    async fn decides(&self, decision: Decision) -> Result<(), String> {
        let (went_well, said) = self.at_a_shell(decision).await?;
        if went_well { Ok(()) } else { Err(said) }
    }

    async fn cannot_decide(&self, decision: Decision, why: &str) -> Result<(), String> {
        let (went_well, said) = self.at_a_shell(decision).await?;
        if went_well {
            return Err("It is not refused".to_owned());
        }
        if said.contains(why) {
            return Ok(());
        }
        Err(format!("It is refused in other words: {said}"))
    }

    async fn pays(&mut self, payments: &[Payment]) -> Result<(), String> {
        let chain = payments.first().expect("somebody pays").chain;
        let is_one_chain = payments.iter().all(|payment| payment.chain == chain);
        assert!(is_one_chain, "a transaction is on one chain");
        let transfers: Vec<_> = payments.iter().map(|each| self.transfer(each)).collect();
        let minutes = payments
            .iter()
            .map(|payment| payment.after_minutes)
            .sum::<u64>();
        let place = self.chain(chain);
        if minutes > 0 {
            place.seconds_pass(minutes * 60).await;
        }
        let hash = place.transacts(&transfers).await;
        for name in payments.iter().filter_map(|payment| payment.name) {
            self.payments.insert(name, hash);
        }
        self.catches_up().await
    }

    async fn fails_to_pay(&mut self, payment: &Payment) -> Result<(), String> {
        let transfer = self.transfer(payment);
        let hash = self.chain(payment.chain).fails(&transfer).await;
        if let Some(name) = payment.name {
            self.payments.insert(name, hash);
        }
        self.catches_up().await
    }

    async fn flushes(&mut self, order: &str, name: &'static str) -> Result<(), String> {
        let id = self.order_id(order);
        let address = self.address(order);
        let hash = self.chain(FIRST).flushes(id, address).await;
        self.payments.insert(name, hash);
        self.catches_up().await
    }

    async fn mines(&mut self, blocks: u64) -> Result<(), String> {
        for (name, place) in &mut self.chains {
            if !self.dark.contains(name) {
                place.mines(blocks).await;
            }
        }
        self.catches_up().await
    }

    async fn minutes_pass(&mut self, only: Option<&str>, minutes: u64) -> Result<(), String> {
        for (name, place) in &mut self.chains {
            if only.is_none_or(|only| only == *name) && !self.dark.contains(name) {
                place.seconds_pass(minutes * 60).await;
                place.mines(1).await;
            }
        }
        self.catches_up().await
    }

    async fn reorganises(&mut self, reorg: &Reorg) -> Result<(), String> {
        let again: Vec<_> = reorg
            .again
            .iter()
            .map(|(before, payment)| (*before, self.transfer(payment)))
            .collect();
        self.chain(reorg.chain)
            .reorganises(reorg.depth, &again)
            .await;
        self.catches_up().await
    }

    async fn node_stops(&mut self, chain: &'static str) -> Result<(), String> {
        self.chain(chain).node_stops().await;
        self.dark.insert(chain);
        self.readiness_follows().await
    }

    async fn node_starts(&mut self, chain: &'static str) -> Result<(), String> {
        self.chain(chain).node_starts().await;
        self.dark.remove(chain);
        self.readiness_follows().await?;
        self.catches_up().await
    }

    /// Waits until readiness says whether every node is there.
    async fn readiness_follows(&self) -> Result<(), String> {
        if !self.daemon.is_running() {
            return Ok(());
        }
        let client = self.client();
        wait::in_time(|| async {
            let ready = client.ready().await.map_err(|error| error.to_string())?;
            if ready.ready == self.dark.is_empty() {
                return Ok(());
            }
            Err(format!("Readiness does not say so: {ready:#?}"))
        })
        .await
    }
}
