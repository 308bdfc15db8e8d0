//! Brings the payments of an old transaction into the books.

use std::sync::Arc;

use anyhow::Context as _;
use paywatch_api::{Clock as _, SystemClock};
use paywatch_core::{Amount, DecisionKind, Reason, Transfer};
use paywatch_indexer::{ChainSource, TxReceipt, verify};
use paywatch_reconciler::{AddressBook, ImportRequest, Reconciler};
use paywatch_store::{NewDecision, Store};
use uuid::Uuid;

use crate::command::tx::view::ImportView;
use crate::command::user::user;
use crate::config::ChainConfig;
use crate::daemon::chain::follow_settings;

/// What an import is made with.
pub(super) struct Import<'a> {
    pub(super) chain: &'a ChainConfig,
    pub(super) store: &'a Store,
    pub(super) addresses: Arc<AddressBook>,
    pub(super) dust: Amount,
    pub(super) reason: &'a Reason,
}

impl Import<'_> {
    /// Imports what `receipt` holds.
    pub(super) async fn run(
        &self,
        source: Arc<dyn ChainSource>,
        receipt: &TxReceipt,
    ) -> anyhow::Result<ImportView> {
        let chain = self.chain;
        verify(source.as_ref(), chain.id, &chain.tokens).await?;
        let follow = follow_settings(chain, &self.store.promises().await?);
        let keep_blocks = u32::try_from(follow.window).unwrap_or(u32::MAX);
        let addresses = Arc::clone(&self.addresses);
        let mut reconciler = Reconciler::new(self.store.clone(), addresses, keep_blocks)
            .with_dust(self.dust)
            .with_contracts(follow.tokens.clone(), follow.receivers.clone());
        let request = ImportRequest {
            receipt: receipt.clone(),
            follow,
            // The strictest: what is imported was not seen coming.
            rule: chain.finality.above(),
        };
        let by = user();
        let at = SystemClock.now();
        let decide = |transfer: &Transfer| NewDecision {
            id: format!("dec_{}", Uuid::now_v7().simple()),
            kind: DecisionKind::Import,
            reason: self.reason.clone(),
            by: by.clone(),
            detail: format!(
                "{} to {} in block {}, transaction {}, imported",
                transfer.amount, transfer.to, transfer.block_number, transfer.tx_hash
            ),
            at,
        };
        let outcome = reconciler.import(source, &request, decide, at).await;
        let done = outcome.with_context(|| format!("nothing was imported on {}", chain.name))?;
        Ok(ImportView {
            chain: chain.name.clone(),
            imported: done.imported.iter().map(ToString::to_string).collect(),
            known: done.known.iter().map(ToString::to_string).collect(),
            orders_changed: done.applied.map_or(0, |applied| applied.changes.len()),
        })
    }
}
