//! What must be seen in a step.

use paywatch_client::{ListLookAlikes, ListPayments, Payment};
use paywatch_core::{EventKind, OrderId};
use paywatch_tests::{books, wait};

use crate::expectation::Seen;
use crate::places::Place;
use crate::runner::scene::Scene;

/// An event and the order that it is of, if it is of one.
type Told = (Option<OrderId>, EventKind);

impl<P: Place> Scene<P> {
    pub(super) async fn sees(&self, order: &str, seen: &Seen) -> Result<(), String> {
        let client = self.client();
        let id = &self.order(order).id;
        wait::in_time(|| async {
            let now = client.order(id).await.map_err(|error| error.to_string())?;
            let differences = seen.differences(&now);
            if differences.is_empty() {
                return Ok(());
            }
            Err(format!("The {}.\n\n{now:#?}", differences.join(",\nthe ")))
        })
        .await
    }

    /// All payments in the transaction that the story calls `name`.
    async fn payments_of(&self, name: &str) -> Result<Vec<Payment>, String> {
        let list = ListPayments {
            tx_hash: Some(self.payment(name).to_string()),
            ..ListPayments::default()
        };
        let page = self.client().payments(&list).await;
        Ok(page.map_err(|error| error.to_string())?.data)
    }

    pub(super) async fn finds(&self, name: &str, status: &str) -> Result<(), String> {
        wait::in_time(|| async {
            let payments = self.payments_of(name).await?;
            if !payments.is_empty() && payments.iter().all(|payment| payment.status == status) {
                return Ok(());
            }
            Err(format!("The payment is not {status} but {payments:#?}"))
        })
        .await
    }

    pub(super) async fn finds_frozen(&self, name: &str) -> Result<(), String> {
        wait::in_time(|| async {
            let payments = self.payments_of(name).await?;
            if !payments.is_empty() && payments.iter().all(|payment| payment.frozen == Some(true)) {
                return Ok(());
            }
            Err(format!("The payment is not flagged so: {payments:#?}"))
        })
        .await
    }

    /// The daemon has covered the payment's block, so there is nothing to wait for.
    pub(super) async fn finds_nothing(&self, name: &str) -> Result<(), String> {
        match self.payments_of(name).await?.as_slice() {
            [] => Ok(()),
            payments => Err(format!("There is one: {payments:#?}")),
        }
    }

    pub(super) async fn finds_strange(&self, name: &str) -> Result<(), String> {
        let tx_hash = self.payment(name).to_string();
        let client = self.client();
        wait::in_time(|| async {
            let page = client.look_alikes(&ListLookAlikes::default()).await;
            let page = page.map_err(|error| error.to_string())?;
            let is_there = page.data.iter().any(|one| one.last.tx_hash == tx_hash);
            is_there.then_some(()).ok_or(format!("There is: {page:#?}"))
        })
        .await
    }

    pub(super) async fn told(&self, order: Option<&str>, kinds: &[&str]) -> Result<(), String> {
        wait::in_time(|| async {
            let told = books::told(&self.daemon.database).await;
            self.compare(&told, order, kinds)
        })
        .await
    }

    pub(super) async fn alerted(&self, words: &[&str]) -> Result<(), String> {
        wait::in_time(|| async {
            let alerts = books::alerts(&self.daemon.database).await;
            let is_so = alerts.len() == words.len()
                && alerts
                    .iter()
                    .zip(words)
                    .all(|(alert, words)| alert.contains(words));
            if is_so {
                return Ok(());
            }
            Err(format!("The alerts:\n{}", alerts.join("\n")))
        })
        .await
    }

    /// Compares all that was `told`, or all that was told of `order`, with `kinds`.
    pub(super) fn compare(
        &self,
        told: &[Told],
        order: Option<&str>,
        kinds: &[&str],
    ) -> Result<(), String> {
        let id: Option<OrderId> =
            order.map(|order| self.order(order).id.parse().expect("an order's id"));
        let told: Vec<_> = told
            .iter()
            .filter(|(of, _)| id.is_none() || *of == id)
            .map(|(_, kind)| kind.name())
            .collect();
        if told == kinds {
            return Ok(());
        }
        Err(format!("What was told: {}", told.join(", ")))
    }
}
