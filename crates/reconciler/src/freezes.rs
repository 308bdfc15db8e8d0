//! Asks the tokens of a chain, now and then, whether they hold the merchant's addresses to be frozen.

use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;
use paywatch_core::{Address, Freeze, Token, freeze_found};
use paywatch_indexer::{CallAt, CallFailure, ChainSource, SourceError, in_one_line, is_frozen};
use paywatch_store::{FrozenState, Store, StoreError};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::agent::{Now, told};

/// How long to wait before it is tried again.
const PAUSE: Duration = Duration::from_secs(5);
/// How often a check is begun anew at once because the chain moved on meanwhile.
const ATTEMPTS: u32 = 8;

/// What is asked of one chain.
#[derive(Clone, Debug)]
pub struct FreezeCheck {
    /// The books.
    pub store: Store,
    /// The chain.
    pub source: Arc<dyn ChainSource>,
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// The treasury and the wallets of the chain.
    pub addresses: Vec<Address>,
    /// How often.
    pub every: Duration,
}

/// Why it could not be found out.
#[derive(Debug, thiserror::Error)]
pub enum FreezeError {
    /// The nodes could not be asked.
    #[error("the endpoints do not say whether an address is frozen")]
    Source(#[from] SourceError),
    /// The database failed.
    #[error("the database does not take what a token says of an address")]
    Store(#[from] StoreError),
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Every token that says so was asked.
    All,
    /// The chain was never followed yet, so there is nothing to ask by.
    TooEarly,
}

impl FreezeCheck {
    /// Checks at once and then every so often, until `shutdown`.
    pub async fn run(self, now: Now, shutdown: CancellationToken) {
        let work = async {
            loop {
                let pause = match self.check(&now).await {
                    Ok(Checked::All) => self.every,
                    Ok(Checked::TooEarly) => PAUSE,
                    Err(FreezeError::Store(StoreError::Stale { .. })) => PAUSE,
                    Err(error) => {
                        let cause = in_one_line(&error);
                        tracing::warn!(
                            cause,
                            "whether addresses are frozen is not known; trying again"
                        );
                        PAUSE
                    },
                };
                sleep(pause).await;
            }
        };
        let _ended: Option<()> = shutdown.run_until_cancelled(work).await;
    }

    /// Asks every token about every address, once.
    ///
    /// # Errors
    /// [`FreezeError`]; what was found before that is in the books.
    pub async fn check(&self, now: &Now) -> Result<Checked, FreezeError> {
        for token in &self.tokens {
            for address in &self.addresses {
                let mut attempts = 0_u32;
                loop {
                    attempts = attempts.saturating_add(1);
                    match self.check_one(token, *address, now).await {
                        Ok(Checked::All) => break,
                        Ok(Checked::TooEarly) => return Ok(Checked::TooEarly),
                        Err(FreezeError::Store(StoreError::Stale { .. }))
                            if attempts < ATTEMPTS => {},
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        self.show().await?;
        Ok(Checked::All)
    }

    async fn check_one(
        &self,
        token: &Token,
        address: Address,
        now: &Now,
    ) -> Result<Checked, FreezeError> {
        let chains = self.store.chains().await?;
        let chain = chains
            .iter()
            .find(|chain| chain.heads.chain_id == token.chain_id);
        let Some(tip) = chain.map(|chain| chain.heads.tip.to_ref()) else {
            return Ok(Checked::TooEarly);
        };
        // At the cursor, so that it says what the logs up to there do, if those are all covered.
        let (source, at) = (self.source.as_ref(), CallAt::Block(tip));
        let says = match is_frozen(source, token.address, address, at).await {
            // Far behind the head there may be no state any more; the newest must do.
            Err(SourceError::NoAnswer {
                cause: CallFailure::NoState { .. },
            }) => is_frozen(source, token.address, address, CallAt::Latest).await?,
            says => says?,
        };
        let Some(is_frozen) = says else {
            return Ok(Checked::All);
        };
        let freeze = if is_frozen {
            Freeze::Begins
        } else {
            Freeze::Ends
        };
        let event = freeze_found(token, &address, freeze, tip.number);
        let state = FrozenState {
            chain_id: token.chain_id,
            tip,
            token: token.address,
            address,
            is_frozen,
        };
        if self.store.note_frozen(&state, &event, (now)()).await? {
            told(&event);
            tracing::error!(chain.id = %event.chain_id, token = %token.address, %address, event = %event.kind, "{}: {}", event.kind, event.detail);
        }
        Ok(Checked::All)
    }

    /// How many addresses are frozen, as a metric.
    async fn show(&self) -> Result<(), StoreError> {
        let Some(chain_id) = self.tokens.first().map(|token| token.chain_id) else {
            return Ok(());
        };
        let frozen = self.store.frozen(Some(chain_id)).await?.len();
        let count = f64::from(u32::try_from(frozen).unwrap_or(u32::MAX));
        gauge!("paywatch_frozen_addresses", "chain" => chain_id.to_string()).set(count);
        Ok(())
    }
}
