//! Calls about flushes of deposit addresses, and tokens.

use reqwest::Method;

use crate::client::{Client, check_id};
use crate::error::ClientError;
use crate::wire::{ListSweeps, Sweep, SweepPage, TokenOfChain, Tokens};

impl Client {
    /// A page of flushes of deposit addresses, those first that were seen last.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn sweeps(&self, list: &ListSweeps) -> Result<SweepPage, ClientError> {
        self.answer(self.request(Method::GET, "v1/sweeps")?.query(list))
            .await
    }

    /// The sweep `id`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn sweep(&self, id: &str) -> Result<Sweep, ClientError> {
        check_id(id, "a sweep's")?;
        self.answer(self.request(Method::GET, &format!("v1/sweeps/{id}"))?)
            .await
    }

    /// The tokens that count.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tokens(&self) -> Result<Vec<TokenOfChain>, ClientError> {
        let tokens: Tokens = self.answer(self.request(Method::GET, "v1/tokens")?).await?;
        Ok(tokens.data)
    }
}
