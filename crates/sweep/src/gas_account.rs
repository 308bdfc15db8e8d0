//! The account that pays for gas: signs calls that carry no coin, sends them, and waits for them.

use std::time::{Duration, Instant};

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope, TxLegacy};
use alloy::eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use paywatch_core::Amount;

use crate::chain::{Call, Receipt};
use crate::fees::{GasPrice, Offer, coins};
use crate::key::{GasKey, KeyError};
use crate::node::{Node, NodeError};

/// How often a receipt is asked for, at first and later.
const POLL: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// An account on one chain, and what may be spent.
#[derive(Debug)]
pub struct GasAccount<'a> {
    /// The node through which it sends.
    pub node: &'a Node,
    /// Its key.
    pub key: &'a GasKey,
    /// The chain's id, which goes into every signature.
    pub chain_id: u64,
    /// What gas may cost at most.
    pub ceiling: GasPrice,
    /// How long a transaction may take to be mined.
    pub patience: Duration,
}

/// A call that is signed and not yet sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCall {
    /// The transaction's hash, by which it can be looked for.
    pub hash: B256,
    /// Its number among those of the account.
    pub nonce: u64,
    raw: Vec<u8>,
}

/// Why a transaction was not sent, or is not mined.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The node did not answer, or refused.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Gas costs more than it may.
    #[error("gas costs {price} now, more than the {ceiling} of --max-gas-price; nothing was sent")]
    TooDear {
        /// What it costs.
        price: GasPrice,
        /// What it may.
        ceiling: GasPrice,
    },
    /// The account cannot pay.
    #[error(
        "{account} has {has} of the native coin and may need {needs} for this transaction; \
         send it some, nothing was sent"
    )]
    TooPoor {
        /// The account.
        account: Address,
        /// What it has.
        has: Amount,
        /// What it may need.
        needs: Amount,
    },
    /// An earlier transaction waits, and everything after it would wait with it.
    #[error(
        "a transaction of {account} with nonce {nonce} is not mined yet, and everything after it \
         would wait with it; wait for it, or replace it from your wallet; nothing was sent"
    )]
    InFlight {
        /// The account.
        account: Address,
        /// The number of the one that waits.
        nonce: u64,
    },
    /// It would fail if it was sent.
    #[error("the transaction would fail; nothing was sent")]
    WouldFail(#[source] NodeError),
    /// The node did not take it.
    #[error("the node refused transaction {hash} (nonce {nonce})")]
    Refused {
        /// Its hash.
        hash: B256,
        /// Its number.
        nonce: u64,
        /// What the node says.
        #[source]
        cause: NodeError,
    },
    /// It is not mined in time.
    #[error(
        "transaction {hash} (nonce {nonce}) of {account} was not mined in {waited_s} s; it may be \
         mined later. Look for it before you go on: while it waits, everything after it waits, too. \
         A transaction to yourself with the same nonce and a higher price replaces it"
    )]
    Stuck {
        /// Its hash.
        hash: B256,
        /// Its number.
        nonce: u64,
        /// Whose it is.
        account: Address,
        /// How long it was waited for.
        waited_s: u64,
    },
    /// It was mined and failed.
    #[error("transaction {hash} (nonce {nonce}) failed on chain; it moved nothing")]
    Failed {
        /// Its hash.
        hash: B256,
        /// Its number.
        nonce: u64,
    },
}

impl GasAccount<'_> {
    /// Tries a call of `to` with `data`, which may use so much `gas`, and signs it. It carries no
    /// coin: what the account has can be spent on gas only.
    ///
    /// # Errors
    /// When gas costs too much, the account has too little, an earlier transaction waits, or the
    /// call would fail.
    pub async fn sign(&self, to: Address, data: Bytes, gas: u64) -> Result<SignedCall, SendError> {
        let account = self.key.address();
        let fees = self.node.fees().await?;
        let offer = fees.offer(self.ceiling).ok_or(SendError::TooDear {
            price: fees.price(),
            ceiling: self.ceiling,
        })?;
        let (nonce, waiting) = self.node.nonces(account).await?;
        if waiting > nonce {
            return Err(SendError::InFlight { account, nonce });
        }
        let needs = U256::from(offer.most().wei()).saturating_mul(U256::from(gas));
        let has = self.node.native_balance(account).await?;
        if has < needs {
            let (has, needs) = (coins(has), coins(needs));
            return Err(SendError::TooPoor {
                account,
                has,
                needs,
            });
        }
        let call = Call {
            from: Some(account),
            gas: Some(gas),
            ..Call::new(to, data.clone())
        };
        match self.node.call(&call).await {
            Ok(_) => {},
            Err(error) if error.is_revert() => return Err(SendError::WouldFail(error)),
            Err(error) => return Err(error.into()),
        }
        let envelope = self.envelope(offer, nonce, gas, (to, data))?;
        Ok(SignedCall {
            hash: *envelope.tx_hash(),
            nonce,
            raw: envelope.encoded_2718(),
        })
    }

    fn envelope(
        &self,
        offer: Offer,
        nonce: u64,
        gas_limit: u64,
        (to, input): (Address, Bytes),
    ) -> Result<TxEnvelope, KeyError> {
        let (chain_id, to, value) = (self.chain_id, TxKind::Call(to), U256::ZERO);
        Ok(match offer {
            Offer::Dynamic { most, tip } => self
                .signed(TxEip1559 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas: most,
                    max_priority_fee_per_gas: tip,
                    to,
                    value,
                    access_list: Default::default(),
                    input,
                })?
                .into(),
            Offer::Legacy { price } => self
                .signed(TxLegacy {
                    chain_id: Some(chain_id),
                    nonce,
                    gas_price: price,
                    gas_limit,
                    to,
                    value,
                    input,
                })?
                .into(),
        })
    }

    fn signed<T: SignableTransaction<Signature>>(
        &self,
        transaction: T,
    ) -> Result<alloy::consensus::Signed<T>, KeyError> {
        let signature = self.key.sign(transaction.signature_hash())?;
        Ok(transaction.into_signed(signature))
    }

    /// Sends what was signed. Where the answer is lost it may have arrived, and is waited for all
    /// the same.
    ///
    /// # Errors
    /// When the node does not take it.
    pub async fn send(&self, call: &SignedCall) -> Result<(), SendError> {
        match self.node.send(&call.raw).await {
            Ok(()) => Ok(()),
            Err(error) if error.is_known_already() || error.is_open() => Ok(()),
            Err(cause) => Err(SendError::Refused {
                hash: call.hash,
                nonce: call.nonce,
                cause,
            }),
        }
    }

    /// Waits until what was sent is mined.
    ///
    /// # Errors
    /// When it is not in time, or failed.
    pub async fn mined(&self, call: &SignedCall) -> Result<Receipt, SendError> {
        let SignedCall { hash, nonce, .. } = *call;
        let began = Instant::now();
        let (mut pause, slowest) = POLL;
        loop {
            match self.node.receipt(hash).await {
                Ok(Some(receipt)) if receipt.succeeded => return Ok(receipt),
                Ok(Some(_)) => return Err(SendError::Failed { hash, nonce }),
                // A node that does not answer now may do so later.
                Ok(None) | Err(_) if began.elapsed() < self.patience => {},
                Ok(None) | Err(_) => {
                    return Err(SendError::Stuck {
                        hash,
                        nonce,
                        account: self.key.address(),
                        waited_s: self.patience.as_secs(),
                    });
                },
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(slowest);
        }
    }
}
