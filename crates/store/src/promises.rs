//! What orders were promised to be paid by, whatever the configuration says now.

use paywatch_core::{Address, ChainId, Decimals, Token};

use crate::error::{StoreError, failed};
use crate::fields::Fields;
use crate::store::Store;

/// The contracts that payments of any order may come through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promises {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// The payment receivers.
    pub receivers: Vec<(ChainId, Address)>,
}

impl Store {
    /// What the orders so far may be paid by. It reads all of them: for the start of a program.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn promises(&self) -> Result<Promises, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT chain_id, token, symbol, decimals, receiver FROM order_options \
             ORDER BY chain_id, token, receiver",
        )
        .fetch_all(self.readers())
        .await
        .map_err(failed("read what orders may be paid by"))?;
        let mut promises = Promises::default();
        for row in &rows {
            let fields = Fields::of(row, "order_options", "token");
            let chain_id = fields.chain_id("chain_id")?;
            let token = Token {
                chain_id,
                address: fields.parsed("token")?,
                symbol: fields.text("symbol")?,
                decimals: Decimals::new(fields.number("decimals")?)
                    .map_err(|cause| fields.corrupt("decimals", cause))?,
            };
            if !promises.tokens.contains(&token) {
                promises.tokens.push(token);
            }
            if let Some(receiver) = fields.maybe_parsed("receiver")?
                && !promises.receivers.contains(&(chain_id, receiver))
            {
                promises.receivers.push((chain_id, receiver));
            }
        }
        Ok(promises)
    }
}
