//! The calls about webhooks.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, check_id};
use crate::error::ClientError;
use crate::wire::{
    ChangeWebhook, CreateWebhook, DeliveryPage, DeliveryWithRequests, ListDeliveries, Redeliver,
    Redelivered, Webhook, WebhookWithSecret, Webhooks,
};

const WEBHOOKS: &str = "v1/webhook-endpoints";

impl Client {
    /// Makes a webhook. Its secret is in this answer and in no other.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_webhook(
        &self,
        webhook: &CreateWebhook,
    ) -> Result<WebhookWithSecret, ClientError> {
        self.answer(self.request(Method::POST, WEBHOOKS)?.json(webhook))
            .await
    }

    /// All who are told of events, oldest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, ClientError> {
        let webhooks: Webhooks = self.answer(self.request(Method::GET, WEBHOOKS)?).await?;
        Ok(webhooks.data)
    }

    /// The webhook `id`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn webhook(&self, id: &str) -> Result<Webhook, ClientError> {
        self.answer(self.request(Method::GET, &path(id, "")?)?)
            .await
    }

    /// Changes the webhook `id`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn change_webhook(
        &self,
        id: &str,
        change: &ChangeWebhook,
    ) -> Result<Webhook, ClientError> {
        let request = self.request(Method::PATCH, &path(id, "")?)?;
        self.answer(request.json(change)).await
    }

    /// Gives the webhook `id` another secret; those before it sign along for `overlap_seconds`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn rotate_webhook_secret(
        &self,
        id: &str,
        overlap_seconds: u64,
        reason: &str,
    ) -> Result<WebhookWithSecret, ClientError> {
        let body = json!({ "overlap_seconds": overlap_seconds, "reason": reason });
        self.post(&path(id, "/rotate-secret")?, &body).await
    }

    /// Tells the webhook `id` nothing any more.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn disable_webhook(&self, id: &str, reason: &str) -> Result<Webhook, ClientError> {
        let body = json!({ "reason": reason });
        self.post(&path(id, "/disable")?, &body).await
    }

    /// Tells the webhook `id` again, of what happens from now on.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn enable_webhook(&self, id: &str, reason: &str) -> Result<Webhook, ClientError> {
        let body = json!({ "reason": reason });
        self.post(&path(id, "/enable")?, &body).await
    }

    /// A page of what the webhook `id` is told, newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn deliveries(
        &self,
        id: &str,
        list: &ListDeliveries,
    ) -> Result<DeliveryPage, ClientError> {
        let request = self.request(Method::GET, &path(id, "/deliveries")?)?;
        self.answer(request.query(list)).await
    }

    /// The delivery of the event with this sequence to the webhook `id`, and its requests.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delivery(
        &self,
        id: &str,
        sequence: u64,
    ) -> Result<DeliveryWithRequests, ClientError> {
        let path = path(id, &format!("/deliveries/{sequence}"))?;
        self.answer(self.request(Method::GET, &path)?).await
    }

    /// Tells the webhook `id` again; returns how many deliveries are queued.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn redeliver(
        &self,
        id: &str,
        again: &Redeliver,
        reason: &str,
    ) -> Result<u64, ClientError> {
        let mut body = match again {
            Redeliver::Failed => json!({ "failed": true }),
            Redeliver::Range(from, to) => json!({ "from": from, "to": to }),
            Redeliver::Event(event) => json!({ "event": event }),
        };
        if let Some(body) = body.as_object_mut() {
            body.insert("reason".to_owned(), Value::from(reason));
        }
        let done: Redelivered = self.post(&path(id, "/redeliver")?, &body).await?;
        Ok(done.queued)
    }
}

fn path(id: &str, rest: &str) -> Result<String, ClientError> {
    check_id(id, "a webhook's")?;
    Ok(format!("{WEBHOOKS}/{id}{rest}"))
}
