//! The calls.

mod block;
mod event;
mod refund;
mod sweep;
mod webhook;

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

pub use crate::client::event::EventStream;
use crate::error::{ClientError, Problem};
use crate::wire::{
    Chain, CreateOrder, DecisionPage, ListDecisions, ListLookAlikes, ListOrders, ListPayments,
    LookAlikePage, Order, Page, Payment, PaymentPage, Readiness,
};

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long the daemon may be silent: longer than it ever waits.
const SILENCE: Duration = Duration::from_secs(45);

/// A client of one daemon, with one key.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    key: SecretString,
}

/// The answer to a list of chains.
#[derive(serde::Deserialize)]
struct Chains {
    data: Vec<Chain>,
}

impl Client {
    /// A client of the daemon at `base`, which may have a path, as behind a proxy.
    ///
    /// # Errors
    /// [`ClientError::Setup`] when `base` is not of HTTP or TLS cannot be set up.
    ///
    /// # Panics
    /// Within reqwest, when the program has not installed a crypto provider for rustls
    /// (`rustls::crypto::ring::default_provider().install_default()`). That is so for plain HTTP
    /// as well: reqwest prepares TLS before it knows the URL. paywatch itself installs one.
    pub fn new(mut base: Url, key: SecretString) -> Result<Self, ClientError> {
        if !matches!(base.scheme(), "http" | "https") {
            return Err(ClientError::Setup {
                what: format!("{base} is not a URL like http://127.0.0.1:8080"),
            });
        }
        // Without the slash, the last part of the path would be replaced and not continued.
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .read_timeout(SILENCE)
            .build()
            .map_err(|error| ClientError::Setup {
                what: error.to_string(),
            })?;
        Ok(Self { http, base, key })
    }

    /// Makes an order. The same reference with the same content gives the same order again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_order(&self, order: &CreateOrder) -> Result<Order, ClientError> {
        let request = self.request(Method::POST, "v1/orders")?.json(order);
        self.answer(request).await
    }

    /// The same under an idempotency key of the caller's: asked again with it within a day, the
    /// answer is the same, whatever has become of the order.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_order_once(
        &self,
        order: &CreateOrder,
        idempotency_key: &str,
    ) -> Result<Order, ClientError> {
        let request = self.request(Method::POST, "v1/orders")?.json(order);
        self.answer(request.header("Idempotency-Key", idempotency_key))
            .await
    }

    /// The proof of the payment `id`, as it is.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn payment_proof(&self, id: &str) -> Result<Vec<u8>, ClientError> {
        check_id(id, "a payment's")?;
        let path = format!("v1/payments/{id}/proof");
        let (status, body) = self.send(self.request(Method::GET, &path)?).await?;
        if status.is_success() {
            return Ok(body);
        }
        let problem: Problem = self.read(status, &body)?;
        Err(ClientError::Problem(Box::new(problem)))
    }

    /// The order `id`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn order(&self, id: &str) -> Result<Order, ClientError> {
        check_id(id, "an order's")?;
        self.answer(self.request(Method::GET, &format!("v1/orders/{id}"))?)
            .await
    }

    /// Cancels the order `id`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn cancel_order(&self, id: &str, reason: &str) -> Result<Order, ClientError> {
        let body = serde_json::json!({ "reason": reason });
        self.decide(id, "cancel", &body).await
    }

    /// Puts the deadline of the order `id` off to `expires_at`, in RFC 3339.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn extend_order(
        &self,
        id: &str,
        expires_at: &str,
        reason: &str,
    ) -> Result<Order, ClientError> {
        let body = serde_json::json!({ "expires_at": expires_at, "reason": reason });
        self.decide(id, "extend", &body).await
    }

    /// Accepts what has arrived for the order `id`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn accept_order(&self, id: &str, reason: &str) -> Result<Order, ClientError> {
        let body = serde_json::json!({ "reason": reason });
        self.decide(id, "accept", &body).await
    }

    /// Gives the payment `id`, which belongs to no order, to `order`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn assign_payment(
        &self,
        id: &str,
        order: &str,
        reason: &str,
    ) -> Result<Payment, ClientError> {
        let body = serde_json::json!({ "order": order, "reason": reason });
        self.decide_payment(id, "assign", &body).await
    }

    /// Takes the payment `id` away from the order that an operator gave it to.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn unassign_payment(&self, id: &str, reason: &str) -> Result<Payment, ClientError> {
        let body = serde_json::json!({ "reason": reason });
        self.decide_payment(id, "unassign", &body).await
    }

    /// Leaves the unmatched payment `id` alone.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn write_off_payment(&self, id: &str, reason: &str) -> Result<Payment, ClientError> {
        let body = serde_json::json!({ "reason": reason });
        self.decide_payment(id, "write_off", &body).await
    }

    async fn decide(&self, id: &str, what: &str, body: &Value) -> Result<Order, ClientError> {
        check_id(id, "an order's")?;
        self.post(&format!("v1/orders/{id}/{what}"), body).await
    }

    async fn decide_payment(
        &self,
        id: &str,
        what: &str,
        body: &Value,
    ) -> Result<Payment, ClientError> {
        check_id(id, "a payment's")?;
        self.post(&format!("v1/payments/{id}/{what}"), body).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, ClientError> {
        self.answer(self.request(Method::POST, path)?.json(body))
            .await
    }

    /// The payment `id`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn payment(&self, id: &str) -> Result<Payment, ClientError> {
        check_id(id, "a payment's")?;
        self.answer(self.request(Method::GET, &format!("v1/payments/{id}"))?)
            .await
    }

    /// A page of payments, those first that were seen last.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn payments(&self, list: &ListPayments) -> Result<PaymentPage, ClientError> {
        self.answer(self.request(Method::GET, "v1/payments")?.query(list))
            .await
    }

    /// A page of transfers of contracts that are no token of the merchant's.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn look_alikes(&self, list: &ListLookAlikes) -> Result<LookAlikePage, ClientError> {
        self.answer(self.request(Method::GET, "v1/look-alikes")?.query(list))
            .await
    }

    /// A page of the audit log, newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn decisions(&self, list: &ListDecisions) -> Result<DecisionPage, ClientError> {
        self.answer(self.request(Method::GET, "v1/decisions")?.query(list))
            .await
    }

    /// A page of orders.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn orders(&self, list: &ListOrders) -> Result<Page, ClientError> {
        let notes = list.metadata.iter();
        let notes: Vec<_> = notes
            .map(|(name, value)| (format!("metadata[{name}]"), value))
            .collect();
        let request = self.request(Method::GET, "v1/orders")?.query(list);
        self.answer(request.query(&notes)).await
    }

    /// The chains.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn chains(&self) -> Result<Vec<Chain>, ClientError> {
        let chains: Chains = self.answer(self.request(Method::GET, "v1/chains")?).await?;
        Ok(chains.data)
    }

    /// Whether the daemon does all of its work. "Not ready" is an answer, not an error.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ready(&self) -> Result<Readiness, ClientError> {
        let (status, body) = self.send(self.request(Method::GET, "readyz")?).await?;
        self.read(status, &body)
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, ClientError> {
        let url = self.base.join(path).map_err(|error| ClientError::Setup {
            what: format!("{} is no base URL: {error}", self.base),
        })?;
        Ok(self
            .http
            .request(method, url)
            .bearer_auth(self.key.expose_secret()))
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let (status, body) = self.send(request).await?;
        if status.is_success() {
            return self.read(status, &body);
        }
        let problem: Problem = self.read(status, &body)?;
        Err(ClientError::Problem(Box::new(problem)))
    }

    async fn send(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), ClientError> {
        let response = request.send().await;
        let response = response.map_err(|source| self.unreachable(source))?;
        let status = response.status();
        let body = response.bytes().await;
        let body = body.map_err(|source| self.unreachable(source))?;
        Ok((status, body.to_vec()))
    }

    fn unreachable(&self, source: reqwest::Error) -> ClientError {
        ClientError::Unreachable {
            url: self.base.to_string(),
            source,
        }
    }

    fn read<T: DeserializeOwned>(&self, status: StatusCode, body: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(body).map_err(|source| ClientError::Unexpected {
            url: self.base.to_string(),
            status,
            source,
        })
    }
}

/// What goes into a path must not change it.
fn check_id(id: &str, whose: &str) -> Result<(), ClientError> {
    let is_plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !id.is_empty() && is_plain {
        return Ok(());
    }
    Err(ClientError::Setup {
        what: format!("{id:?} is not {whose} id"),
    })
}
