//! Paying through the `PaymentReceiver`: where it lies, how it is called, what payers sign for it.

use alloy::sol_types::{SolCall as _, SolEvent as _, SolValue as _};
use alloy_primitives::{Address, B256, Bytes, Signature, U256, address, b256, keccak256};

use crate::PaymentReceiver::{
    self, Authorization as AuthorizationTerms, Paid, Payment as PaymentTerms, payCall,
    payWithAuthorizationCall, payWithPermit2Call, payWithPermitCall,
    payWithWalletAuthorizationCall,
};
use crate::deposit::{DEPLOYMENT_SALT, DETERMINISTIC_DEPLOYER};

/// Where Permit2 stands on most chains. A payer who uses it must have allowed it his tokens.
pub const PERMIT2: Address = address!("000000000022D473030F116dDEE9F6B43aC78BA3");

/// The first topic of `Paid`. The others are the payer, the treasury (topic 2, as the recipient of
/// a Transfer is) and the order's reference.
pub const PAID_TOPIC: B256 = Paid::SIGNATURE_HASH;

/// What Permit2 is told about the type of the witness (EIP-712).
pub const PERMIT2_WITNESS_TYPE: &str = "OrderPayment witness)\
     OrderPayment(address treasury,bytes32 orderRef)\
     TokenPermissions(address token,uint256 amount)";

/// The hash of the witness's own type.
const WITNESS_TYPE_HASH: B256 =
    b256!("f931feb80811f144dc0cbda8207eba2c29184a0764524284750a36d945948e60");

/// The receiver's address, the same on every EVM chain.
#[must_use]
pub fn receiver_address() -> Address {
    DETERMINISTIC_DEPLOYER.create2_from_code(DEPLOYMENT_SALT, &PaymentReceiver::BYTECODE)
}

/// The transaction that deploys the receiver, which anybody may send: recipient and data.
#[must_use]
pub fn receiver_deployment() -> (Address, Bytes) {
    let data = [DEPLOYMENT_SALT.as_slice(), &PaymentReceiver::BYTECODE].concat();
    (DETERMINISTIC_DEPLOYER, data.into())
}

/// The nonce that an EIP-3009 authorization to the receiver must have, so that it serves this
/// treasury and this order alone. `salt` is whatever the payer did not use for this order before.
#[must_use]
pub fn authorization_nonce(
    chain_id: u64,
    receiver: Address,
    treasury: Address,
    order_ref: B256,
    salt: B256,
) -> B256 {
    keccak256((U256::from(chain_id), receiver, treasury, order_ref, salt).abi_encode())
}

/// The hash of the witness that a payer signs for Permit2: which treasury, and which order.
#[must_use]
pub fn permit2_witness(treasury: Address, order_ref: B256) -> B256 {
    keccak256((WITNESS_TYPE_HASH, treasury, order_ref).abi_encode())
}

/// A payment through the receiver, as data of a transaction to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Where the money goes.
    pub treasury: Address,
    /// What the merchant knows the order by.
    pub order_ref: B256,
    /// The token's contract.
    pub token: Address,
    /// How much the payer gives, in the token's base units.
    pub amount: U256,
}

/// What the payer signed for an EIP-3009 authorization, besides the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Who signed and pays.
    pub payer: Address,
    /// Later than this it may be used, in Unix seconds.
    pub valid_after: u64,
    /// Earlier than this it may be used, in Unix seconds.
    pub valid_before: u64,
    /// The salt of its nonce; see [`authorization_nonce`].
    pub salt: B256,
}

/// What the payer signed for Permit2, besides the payment and its witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit2 {
    /// Who signed and pays.
    pub payer: Address,
    /// Permit2 takes each of a payer once.
    pub nonce: U256,
    /// Until when it may be used, in Unix seconds.
    pub deadline: u64,
    /// 65 bytes, 64 (EIP-2098), or whatever a contract wallet takes (ERC-1271).
    pub signature: Bytes,
}

impl Payment {
    /// Pays with the sender's own money, of which the receiver must have an allowance.
    #[must_use]
    pub fn pay(&self) -> Bytes {
        let call = payCall {
            treasury: self.treasury,
            orderRef: self.order_ref,
            token: self.token,
            amount: self.amount,
        };
        call.abi_encode().into()
    }

    /// Pays with the sender's own money and a permit (EIP-2612) for exactly this amount, which
    /// may be used until `deadline`, in Unix seconds.
    #[must_use]
    pub fn with_permit(&self, deadline: u64, signature: &Signature) -> Bytes {
        let (v, r, s) = parts(signature);
        let call = payWithPermitCall {
            payment: self.terms(),
            deadline: U256::from(deadline),
            v,
            r,
            s,
        };
        call.abi_encode().into()
    }

    /// Pays with money of whoever signed an EIP-3009 authorization; anybody may send this.
    #[must_use]
    pub fn with_authorization(
        &self,
        authorization: &Authorization,
        signature: &Signature,
    ) -> Bytes {
        let (v, r, s) = parts(signature);
        let call = payWithAuthorizationCall {
            payment: self.terms(),
            authorization: authorization.terms(),
            v,
            r,
            s,
        };
        call.abi_encode().into()
    }

    /// The same for tokens that let contract wallets sign, with a signature of any form.
    #[must_use]
    pub fn with_wallet_authorization(
        &self,
        authorization: &Authorization,
        signature: Bytes,
    ) -> Bytes {
        let call = payWithWalletAuthorizationCall {
            payment: self.terms(),
            authorization: authorization.terms(),
            signature,
        };
        call.abi_encode().into()
    }

    /// Pays with money of whoever signed for Permit2; anybody may send this.
    #[must_use]
    pub fn with_permit2(&self, permit: &Permit2) -> Bytes {
        let call = payWithPermit2Call {
            payment: self.terms(),
            payer: permit.payer,
            nonce: permit.nonce,
            deadline: U256::from(permit.deadline),
            signature: permit.signature.clone(),
        };
        call.abi_encode().into()
    }

    const fn terms(&self) -> PaymentTerms {
        PaymentTerms {
            treasury: self.treasury,
            orderRef: self.order_ref,
            token: self.token,
            amount: self.amount,
        }
    }
}

impl Authorization {
    fn terms(&self) -> AuthorizationTerms {
        AuthorizationTerms {
            payer: self.payer,
            validAfter: U256::from(self.valid_after),
            validBefore: U256::from(self.valid_before),
            salt: self.salt,
        }
    }
}

/// A signature as contracts take it: v is 27 or 28.
fn parts(signature: &Signature) -> (u8, B256, B256) {
    let v = if signature.v() { 28 } else { 27 };
    (v, signature.r().into(), signature.s().into())
}

#[cfg(test)]
mod tests;
