//! The public names of the pages on which orders are paid.

use alloy_primitives::Keccak256;
use paywatch_core::{CheckoutToken, OrderId};
use sqlx::Row as _;
use uuid::Uuid;

use crate::batch::{Value, insert};
use crate::error::{StoreError, failed};
use crate::fields::Fields;
use crate::load::load_orders;
use crate::record::OrderRecord;
use crate::store::{Store, commit, take_event_numbers};

/// How many orders are given their pages at once: nobody waits for long.
const AT_ONCE: i64 = 4_096;

/// A name that nobody can guess.
pub(crate) fn mint() -> CheckoutToken {
    // Two version 4 UUIDs hold 244 random bits; hashing spreads them over what is taken.
    let mut random = Keccak256::new();
    random.update(Uuid::new_v4().as_bytes());
    random.update(Uuid::new_v4().as_bytes());
    let digest = random.finalize();
    CheckoutToken::from_bytes(digest.0.first_chunk().copied().unwrap_or_default())
}

impl Store {
    /// The order that is paid on the page of this name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn order_by_checkout(
        &self,
        token: CheckoutToken,
    ) -> Result<Option<OrderRecord>, StoreError> {
        let mut tx = self.read().await?;
        let row = sqlx::query("SELECT id FROM orders WHERE checkout_token = $1")
            .bind(token.to_string())
            .fetch_optional(&mut *tx)
            .await
            .map_err(failed("look up a page"))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let id: OrderId = Fields::of(&row, "orders", "id").parsed("id")?;
        Ok(load_orders(&mut tx, [id]).await?.remove(&id))
    }

    /// Gives a page to every order that was made by a program that knew of none.
    pub(crate) async fn give_older_orders_pages(&self) -> Result<(), StoreError> {
        while self.has_order_without_page().await? {
            self.give_some_pages().await?;
        }
        Ok(())
    }

    async fn has_order_without_page(&self) -> Result<bool, StoreError> {
        sqlx::query("SELECT id FROM orders WHERE checkout_token IS NULL LIMIT 1")
            .fetch_optional(self.readers())
            .await
            .map(|row| row.is_some())
            .map_err(failed("look for orders without a page"))
    }

    async fn give_some_pages(&self) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        // Programs that open the database at once do this one after the other.
        take_event_numbers(&mut tx, 0).await?;
        let rows = sqlx::query("SELECT id FROM orders WHERE checkout_token IS NULL LIMIT $1")
            .bind(AT_ONCE)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed("look for orders without a page"))?;
        let mut given: Vec<[Value; 2]> = Vec::with_capacity(rows.len());
        for row in rows {
            let id: String = row.try_get("id").map_err(failed("read an order's id"))?;
            given.push([id.into(), mint().to_string().into()]);
        }
        let before = "WITH given (id, token) AS (";
        let after = ") UPDATE orders SET checkout_token = \
            (SELECT token FROM given WHERE given.id = orders.id) \
            WHERE id IN (SELECT id FROM given)";
        insert(&mut tx, &given, before, after, "give orders their pages").await?;
        commit(tx).await
    }
}
