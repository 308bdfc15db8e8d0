//! The calls about refunds.

use reqwest::Method;

use crate::client::{Client, check_id};
use crate::error::ClientError;
use crate::wire::{ListRefunds, PrepareRefund, Refund, RefundPage};

impl Client {
    /// Prepares a refund of the order `order`, for the merchant's own wallet to send. The same
    /// reference with the same content gives the same refund again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn prepare_refund(
        &self,
        order: &str,
        refund: &PrepareRefund,
    ) -> Result<Refund, ClientError> {
        check_id(order, "an order's")?;
        let path = format!("v1/orders/{order}/refunds");
        self.answer(self.request(Method::POST, &path)?.json(refund))
            .await
    }

    /// The refund `id`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn refund(&self, id: &str) -> Result<Refund, ClientError> {
        check_id(id, "a refund's")?;
        self.answer(self.request(Method::GET, &format!("v1/refunds/{id}"))?)
            .await
    }

    /// A page of refunds, newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn refunds(&self, list: &ListRefunds) -> Result<RefundPage, ClientError> {
        self.answer(self.request(Method::GET, "v1/refunds")?.query(list))
            .await
    }

    /// Gives the refund `id` up, which was not sent.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn cancel_refund(&self, id: &str, reason: &str) -> Result<Refund, ClientError> {
        check_id(id, "a refund's")?;
        let body = serde_json::json!({ "reason": reason });
        self.post(&format!("v1/refunds/{id}/cancel"), &body).await
    }

    /// Says that `payment`, which left one of the merchant's addresses, carried the refund `id` out.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn link_refund(
        &self,
        id: &str,
        payment: &str,
        reason: &str,
    ) -> Result<Refund, ClientError> {
        check_id(id, "a refund's")?;
        let body = serde_json::json!({ "payment": payment, "reason": reason });
        self.post(&format!("v1/refunds/{id}/link"), &body).await
    }
}
