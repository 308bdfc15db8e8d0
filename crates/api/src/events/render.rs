//! Events as the bytes that are sent, whoever sends them: the same event is always the same.

use std::sync::Arc;

use paywatch_core::OrderId;
use paywatch_store::{EventRecord, Store, StoreError};

use crate::checkout::Checkout;
use crate::events::then::Known;
use crate::events::view::{Names, event};
use crate::state::{ApiState, Shop};
use crate::{blockatm, epusdt};

/// Puts events into JSON. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventRenderer {
    store: Store,
    shop: Arc<Shop>,
    checkout: Option<Arc<Checkout>>,
}

/// An event in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedEvent {
    /// Its place in the log.
    pub seq: u64,
    /// Its id, `evt_…`.
    pub id: String,
    /// What happened, as `order.paid`.
    pub kind: &'static str,
    /// The order that it is about, if it is about one.
    pub order: Option<OrderId>,
    /// All of it, as `GET /v1/events/{id}` answers: one line.
    pub json: Arc<str>,
}

/// An event in a form of other systems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignEvent {
    /// Its place in the log.
    pub seq: u64,
    /// Its id, `evt_…`.
    pub id: String,
    /// What happened, as `order.paid`.
    pub kind: &'static str,
    /// The order that it is about.
    pub order: Option<OrderId>,
    /// Its JSON.
    pub json: String,
    /// What is signed, where that is not the JSON.
    pub signed_as: Option<String>,
    /// Headers of that form.
    pub headers: Vec<(&'static str, &'static str)>,
}

impl ApiState {
    /// What puts events into JSON as this API does.
    #[must_use]
    pub fn event_renderer(&self) -> EventRenderer {
        EventRenderer {
            store: self.store.clone(),
            shop: Arc::clone(&self.shop),
            checkout: self.checkout.clone(),
        }
    }
}

impl EventRenderer {
    /// `records` in JSON, in their order. Some hundreds at once cost few statements.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn render(&self, records: &[EventRecord]) -> Result<Vec<RenderedEvent>, StoreError> {
        let context = self.store.context_of(records).await?;
        let known = Known::new(&context);
        let names = Names {
            shop: &self.shop,
            checkout: self.checkout.as_deref(),
        };
        let rendered = records.iter().map(|record| {
            let view = event(record, &known, names);
            // A struct of strings and numbers always has a JSON form.
            let json = serde_json::to_string(&view).unwrap_or_default();
            RenderedEvent {
                seq: record.seq,
                id: record.id.clone(),
                kind: record.kind(),
                order: record.of_order().map(|told| told.order_id),
                json: json.into(),
            }
        });
        Ok(rendered.collect())
    }

    /// Those of `records` that plugins for epusdt are told of, as that does, still without its signature.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn render_for_epusdt(
        &self,
        records: &[EventRecord],
    ) -> Result<Vec<ForeignEvent>, StoreError> {
        let context = self.store.context_of(records).await?;
        let known = Known::new(&context);
        let rendered = records.iter().filter_map(|record| {
            let (json, signed_as) = epusdt::telling(record, &known)?;
            Some(ForeignEvent {
                seq: record.seq,
                id: record.id.clone(),
                kind: record.kind(),
                order: record.of_order().map(|told| told.order_id),
                json,
                signed_as: Some(signed_as),
                headers: Vec::new(),
            })
        });
        Ok(rendered.collect())
    }

    /// Those of `records` of which the gateway tells whose routes are taken over, as it does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn render_for_gateway(
        &self,
        records: &[EventRecord],
    ) -> Result<Vec<ForeignEvent>, StoreError> {
        let context = self.store.context_of(records).await?;
        let known = Known::new(&context);
        let rendered = records.iter().filter_map(|record| {
            let telling = blockatm::telling(record, &known, &self.shop)?;
            Some(ForeignEvent {
                seq: record.seq,
                id: record.id.clone(),
                kind: record.kind(),
                order: record.of_order().map(|told| told.order_id),
                json: telling.body,
                signed_as: Some(telling.signed_as),
                headers: vec![("blockatm-event", telling.event)],
            })
        });
        Ok(rendered.collect())
    }
}
