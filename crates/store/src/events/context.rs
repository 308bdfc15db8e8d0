//! What events are told with: the orders and payments that they are about, and the events before.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{OrderId, PaymentId};
use sqlx::AnyConnection;

use crate::batch::rows_of;
use crate::error::StoreError;
use crate::events::event_id;
use crate::events::read::{BY_ID, record};
use crate::fields::number;
use crate::load::load_orders;
use crate::payments;
use crate::record::{EventContext, EventRecord, Told};
use crate::store::Store;

impl Store {
    /// What `events` are told with, in few statements. All of one moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn context_of(&self, events: &[EventRecord]) -> Result<EventContext, StoreError> {
        let mut tx = self.read().await?;
        let orders: BTreeSet<OrderId> = events
            .iter()
            .filter_map(|event| Some(event.of_order()?.order_id))
            .collect();
        let mut context = EventContext {
            orders: load_orders(&mut tx, orders).await?,
            before: before(&mut tx, events).await?,
            payments: BTreeMap::new(),
        };
        let missing = missing(events, &context);
        context.payments = payments::by_id(&mut tx, &missing).await?;
        Ok(context)
    }
}

/// The last event of each order before each change that some of `events` belong to.
async fn before(
    connection: &mut AnyConnection,
    events: &[EventRecord],
) -> Result<BTreeMap<(OrderId, u64), EventRecord>, StoreError> {
    let mut before = BTreeMap::new();
    let mut ids = BTreeSet::new();
    let here: BTreeMap<(OrderId, u64), &EventRecord> = events
        .iter()
        .filter_map(|event| {
            let told = event.of_order()?;
            Some(((told.order_id, told.order_seq), event))
        })
        .collect();
    for told in events.iter().filter_map(EventRecord::of_order) {
        let place = (told.order_id, told.had_before());
        if let Some(event) = here.get(&place) {
            before.insert(place, (*event).clone());
        } else if place.1 > 0 {
            let seq = number(place.1, "number of an event")?;
            ids.insert(event_id(&told.order_id.to_string(), seq));
        }
    }
    let ids: Vec<String> = ids.into_iter().collect();
    for row in rows_of(connection, &ids, BY_ID, "", "read events").await? {
        let event = record(&row)?;
        if let Some(told) = event.of_order() {
            before.insert((told.order_id, told.order_seq), event.clone());
        }
    }
    Ok(before)
}

/// The payments that `events` are told with and that their orders do not hold now.
fn missing(events: &[EventRecord], context: &EventContext) -> BTreeSet<PaymentId> {
    let orders = context.orders.iter();
    let held: BTreeMap<OrderId, BTreeSet<PaymentId>> = orders
        .map(|(id, order)| {
            let payments = order.payments.iter();
            let ids = payments.map(|payment| payment.recorded.transfer.payment_id());
            (*id, ids.collect())
        })
        .collect();
    let mut missing = BTreeSet::new();
    for event in events {
        match &event.told {
            Told::Order(told) => {
                let then = told.then.as_ref();
                let payments = then.into_iter().flat_map(|then| &then.payments);
                let refunds = then.into_iter().flat_map(|then| &then.refunds);
                let named = payments.map(|payment| payment.id);
                let named = named.chain(refunds.filter_map(|refund| refund.payment));
                let named = named.chain(told.event.payment);
                let held = held.get(&told.order_id);
                let is_missing = |id: &PaymentId| held.is_none_or(|held| !held.contains(id));
                missing.extend(named.filter(is_missing));
            },
            Told::Payment(told) => {
                missing.insert(told.payment);
            },
            Told::Chain(_) | Told::Endpoint(_) => {},
        }
    }
    missing
}
