//! The audit at a story's end: do the daemon's books say what the chain says?

use std::collections::BTreeMap;

use async_trait::async_trait;
use paywatch_client::Order;
use paywatch_core::{
    Address, Amount, B256, BlockNumber, ChainEventKind, ChainId, EventKind, OrderId, OrderStatus,
    PaymentMethod, Step, Transfer,
};
use paywatch_store::{DatabaseUrl, EventRecord, PaymentFilter, Store, Told};

use crate::chain::TREASURY;

/// A chain, as the audit asks it.
#[async_trait]
pub trait Truth: Sync {
    /// Its id.
    fn chain_id(&self) -> u64;

    /// The tokens that the daemon is configured to count there.
    fn tokens(&self) -> Vec<Address>;

    /// The merchant's own addresses there, to which anybody may send anything.
    fn own(&self) -> Vec<Address> {
        vec![TREASURY]
    }

    /// What was paid to `to` with `token`, transfers of nothing left out: transaction and amount
    /// of each log.
    async fn paid_in(&self, token: Address, to: Address) -> Vec<(B256, Amount)>;

    /// What the payment receiver says was paid for `order_ref`: transaction and amount of each
    /// call. Where there is no receiver, nothing.
    async fn paid_by_call(&self, _order_ref: B256) -> Vec<(B256, Amount)> {
        Vec::new()
    }

    /// The hash of the block at `number`; `None` if there is none.
    async fn hash_at(&self, number: BlockNumber) -> Option<B256>;

    /// Whether `token` is one that counts.
    fn counts(&self, token: Address) -> bool {
        self.tokens().contains(&token)
    }

    /// What was paid to `to` with all tokens that count.
    async fn paid_to(&self, to: Address) -> Vec<(B256, Amount)> {
        let mut paid = Vec::new();
        for token in self.tokens() {
            paid.extend(self.paid_in(token, to).await);
        }
        paid
    }
}

/// Compares the books of a stopped daemon with the chains.
///
/// # Panics
/// When anything differs: a payment lost, doubled or invented, an event missing, a step in
/// silence, a cursor that is not on its chain.
pub async fn audit<T: Truth>(database: &str, chains: &[T], orders: &[Order]) {
    let url: DatabaseUrl = database.parse().expect("a database URL");
    let store = Store::open(&url).await.expect("the books open");
    for order in orders {
        payments_are_those_on_chain(&store, chains, order).await;
    }
    for chain in chains {
        for address in chain.own() {
            everything_has_a_place(&store, chain, address).await;
        }
    }
    let events = all_events(&store).await;
    numbers_have_no_gap(&events);
    statuses_moved_as_told(&store, &events).await;
    cursors_are_on_their_chains(&store, chains).await;
    store.close().await;
}

async fn payments_are_those_on_chain<T: Truth>(store: &Store, chains: &[T], order: &Order) {
    let id: OrderId = order.id.parse().expect("an order id");
    let record = store
        .order(id)
        .await
        .expect("the store answers")
        .expect("the order is there");
    let mut on_chain = Vec::new();
    for chain in chains {
        on_chain.extend(paid_for(&record.order, chain).await);
    }
    let standing = || {
        let payments = record.payments.iter();
        payments.filter(|payment| payment.reverted_at.is_none())
    };
    let mut in_books: Vec<_> = standing()
        .filter(|payment| payment.recorded.assigned.is_none())
        .filter(|payment| counts(chains, &payment.recorded.transfer))
        .map(|payment| {
            let transfer = &payment.recorded.transfer;
            (transfer.tx_hash, transfer.amount)
        })
        .collect();
    on_chain.sort();
    in_books.sort();
    assert_eq!(
        in_books, on_chain,
        "the payments of {} in the books and on chain",
        order.reference
    );
    let total = sum(standing().map(|payment| payment.recorded.transfer.amount));
    assert_eq!(
        record.snapshot.received, total,
        "what {} received",
        order.reference
    );
}

/// What came for `order` on `chain`: to its own address, which is the same everywhere, and its
/// amounts to wallets.
async fn paid_for<T: Truth>(order: &paywatch_core::Order, chain: &T) -> Vec<(B256, Amount)> {
    let mut paid = Vec::new();
    let own = order.options.iter().find_map(|option| match option.method {
        PaymentMethod::DepositAddress { .. } => Some(option.address),
        PaymentMethod::Contract { .. } | PaymentMethod::ExactAmount { .. } => None,
    });
    if let Some(own) = own {
        paid.extend(chain.paid_to(own).await);
    }
    let is_by_call = order.options.iter().any(|option| match option.method {
        PaymentMethod::Contract { .. } => option.token.chain_id.get() == chain.chain_id(),
        PaymentMethod::DepositAddress { .. } | PaymentMethod::ExactAmount { .. } => false,
    });
    if is_by_call {
        paid.extend(chain.paid_by_call(order.id.to_contract_ref()).await);
    }
    for option in &order.options {
        if let PaymentMethod::ExactAmount { slot } = option.method
            && option.token.chain_id.get() == chain.chain_id()
            && chain.counts(option.token.address)
        {
            let came = chain.paid_in(option.token.address, option.address).await;
            paid.extend(came.into_iter().filter(|(_, amount)| slot.takes(*amount)));
        }
    }
    paid
}

/// Whether it is in a token that counts on its chain.
fn counts<T: Truth>(chains: &[T], transfer: &Transfer) -> bool {
    chains
        .iter()
        .any(|chain| chain.chain_id() == transfer.id.chain_id.get() && chain.counts(transfer.token))
}

/// What came to one of the merchant's own addresses is in the books, all of it, and each at one
/// place.
async fn everything_has_a_place<T: Truth>(store: &Store, chain: &T, to: Address) {
    let filter = PaymentFilter {
        chain_id: ChainId::new(chain.chain_id()).ok(),
        to: Some(to),
        ..PaymentFilter::default()
    };
    let booked = store.payments(&filter, None, 1_000).await;
    let mut in_books: Vec<_> = booked
        .expect("the store answers")
        .iter()
        .filter(|booked| booked.reverted_at.is_none())
        .map(|booked| &booked.recorded.transfer)
        .filter(|transfer| !transfer.amount.is_zero())
        .map(|transfer| (transfer.tx_hash, transfer.amount))
        .collect();
    let mut on_chain = chain.paid_to(to).await;
    on_chain.sort();
    in_books.sort();
    assert_eq!(in_books, on_chain, "what came to {to}");
}

/// The kinds of all events that tell of orders and payments, in their order.
pub async fn kinds_told(database: &str) -> Vec<EventKind> {
    let told = told(database).await;
    told.into_iter().map(|(_, kind)| kind).collect()
}

/// All events that tell of orders and payments, in their order, each with its order, if it is of
/// one. The daemon may be running.
pub async fn told(database: &str) -> Vec<(Option<OrderId>, EventKind)> {
    let store = Store::open(&database.parse().expect("a database URL")).await;
    let store = store.expect("the books open");
    let events = all_events(&store).await;
    store.close().await;
    let told = events.into_iter().filter_map(|event| match event.told {
        Told::Order(event) => Some((Some(event.order_id), event.event.kind)),
        Told::Payment(event) => Some((None, event.kind)),
        Told::Chain(_) | Told::Endpoint(_) => None,
    });
    told.collect()
}

/// What was told of tokens, in order. The daemon may be running.
pub async fn alerts(database: &str) -> Vec<String> {
    let store = Store::open(&database.parse().expect("a database URL")).await;
    let store = store.expect("the books open");
    let events = all_events(&store).await;
    store.close().await;
    let alerts = events.into_iter().filter_map(|event| match event.told {
        Told::Chain(event) if event.kind == ChainEventKind::TokenAlert => Some(event.detail),
        Told::Order(_) | Told::Payment(_) | Told::Chain(_) | Told::Endpoint(_) => None,
    });
    alerts.collect()
}

fn sum(amounts: impl Iterator<Item = Amount>) -> Amount {
    amounts.fold(Amount::ZERO, |sum, amount| {
        sum.checked_add(amount).expect("fits")
    })
}

async fn all_events(store: &Store) -> Vec<EventRecord> {
    let mut events: Vec<EventRecord> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.seq);
        let more = store
            .events_after(after, 500)
            .await
            .expect("the store answers");
        if more.is_empty() {
            return events;
        }
        events.extend(more);
    }
}

fn numbers_have_no_gap(events: &[EventRecord]) {
    let mut per_order: BTreeMap<OrderId, u64> = BTreeMap::new();
    for (expected, event) in (1_u64..).zip(events) {
        assert_eq!(event.seq, expected, "the event log has a gap");
        let Some(event) = event.of_order() else {
            continue;
        };
        let next = per_order.entry(event.order_id).or_default();
        *next += 1;
        assert_eq!(
            event.order_seq, *next,
            "the events of {} have a gap",
            event.order_id
        );
    }
}

async fn statuses_moved_as_told(store: &Store, events: &[EventRecord]) {
    let events: Vec<_> = events
        .iter()
        .filter_map(|record| Some((record.at, record.of_order()?)))
        .collect();
    let mut told: BTreeMap<OrderId, OrderStatus> = BTreeMap::new();
    let mut reverted: BTreeMap<OrderId, u64> = BTreeMap::new();
    for (at, event) in &events {
        let before = told
            .insert(event.order_id, event.status)
            .unwrap_or(OrderStatus::AwaitingPayment);
        if event.event.kind == EventKind::OrderReverted {
            *reverted.entry(event.order_id).or_default() += 1;
        }
        // All events of one change carry the status after it, so the step shows at the first.
        let step = before
            .step_to(event.status)
            .unwrap_or_else(|| panic!("{} went from {before} to {}", event.order_id, event.status));
        let is_told = step != Step::Back
            || events.iter().any(|(other_at, other)| {
                other.order_id == event.order_id
                    && other_at == at
                    && other.event.kind == EventKind::OrderReverted
            });
        assert!(
            is_told,
            "{} went back to {} in silence",
            event.order_id, event.status
        );
    }
    for (id, status) in told {
        let record = store
            .order(id)
            .await
            .expect("the store answers")
            .expect("the order is there");
        assert_eq!(
            record.snapshot.status, status,
            "the last event of {id} and its status"
        );
        assert_eq!(record.snapshot.flags.reverted, {
            let lost = record
                .payments
                .iter()
                .any(|payment| payment.reverted_at.is_some());
            lost || reverted.contains_key(&id)
        });
    }
}

async fn cursors_are_on_their_chains<T: Truth>(store: &Store, chains: &[T]) {
    for record in store.chains().await.expect("the store answers") {
        let tip = record.heads.tip;
        let chain = chains
            .iter()
            .find(|chain| chain.chain_id() == record.heads.chain_id.get())
            .expect("only configured chains are followed");
        assert_eq!(
            chain.hash_at(tip.number).await,
            Some(tip.hash),
            "the cursor of chain {} is on its chain",
            chain.chain_id()
        );
    }
}
