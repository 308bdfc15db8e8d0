//! The calls about who is blocked.

use reqwest::Method;

use crate::client::{Client, check_id};
use crate::error::ClientError;
use crate::wire::{Block, Blocks};

impl Client {
    /// Who is blocked by the daemon, because requests went on after they were refused.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn blocked(&self) -> Result<Vec<Block>, ClientError> {
        let request = self.request(Method::GET, "v1/limits/blocked")?;
        let blocks: Blocks = self.answer(request).await?;
        Ok(blocks.data)
    }

    /// Lifts the block `id`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn unblock(&self, id: &str) -> Result<Block, ClientError> {
        check_id(id, "a block's")?;
        let path = format!("v1/limits/blocked/{id}");
        self.answer(self.request(Method::DELETE, &path)?).await
    }
}
