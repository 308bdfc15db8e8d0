//! Identifiers as people and programs see them: a prefix and 32 hex digits.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::{B256, keccak256};

use crate::TransferId;

/// A text that is no id of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id like \"{prefix}0190a6d2b3c47e5f8a9b0c1d2e3f4a5b\"")]
pub struct IdError {
    /// What ids of the wanted kind begin with.
    pub prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Makes the id from its 16 bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&format!("{}{:032x}", $prefix, u128::from_be_bytes(self.0)))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let refused = IdError { prefix: $prefix };
                let hex = text.strip_prefix($prefix).ok_or_else(|| refused.clone())?;
                let is_plain = hex.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
                if hex.len() != 32 || !is_plain {
                    return Err(refused);
                }
                match u128::from_str_radix(hex, 16) {
                    Ok(value) => Ok(Self(value.to_be_bytes())),
                    Err(_) => Err(refused),
                }
            }
        }
    };
}

id!(
    /// An order's id, `ord_…`. Its bytes are a UUID of version 7, so that ids sort by time.
    OrderId,
    "ord_"
);

id!(
    /// A payment's id, `pay_…`: derived from the transfer's identity, so a replay gives it again.
    PaymentId,
    "pay_"
);

id!(
    /// A refund's id, `ref_…`. Its bytes are a UUID of version 7, so that ids sort by time.
    RefundId,
    "ref_"
);

id!(
    /// The name of the page on which an order is paid, `chk_…`: 128 random bits, so that whoever has
    /// it was given it. It says nothing of the order.
    CheckoutToken,
    "chk_"
);

id!(
    /// The id of one who is told of events, `ep_…`. Its bytes are a UUID of version 7.
    EndpointId,
    "ep_"
);

impl OrderId {
    /// The CREATE2 salt of the order's deposit address: keccak-256 of the id's text, so that
    /// whoever knows the id can derive the address again, with no database.
    #[must_use]
    pub fn salt(&self) -> B256 {
        keccak256(self.to_string())
    }

    /// What a payer gives to the payment receiver to pay the order: the id's 16 bytes, and 16
    /// zero bytes.
    #[must_use]
    pub fn to_contract_ref(self) -> B256 {
        B256::right_padding_from(&self.0)
    }

    /// The order that `order_ref` names; `None` if it is no id of an order.
    #[must_use]
    pub fn from_contract_ref(order_ref: B256) -> Option<Self> {
        let id = Self(order_ref.0.first_chunk().copied()?);
        (id.to_contract_ref() == order_ref).then_some(id)
    }
}

impl PaymentId {
    /// The id of the payment that `transfer` is.
    #[must_use]
    pub fn of(transfer: &TransferId) -> Self {
        let mut preimage = Vec::with_capacity(48);
        preimage.extend_from_slice(&transfer.chain_id.get().to_be_bytes());
        preimage.extend_from_slice(transfer.block_hash.as_slice());
        preimage.extend_from_slice(&transfer.log_index.to_be_bytes());
        let digest = keccak256(preimage);
        Self(digest.0.first_chunk().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ChainId;

    #[test]
    fn only_the_exact_form_is_an_id() {
        let id = "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b";
        assert_eq!(id.parse::<OrderId>().unwrap().to_string(), id);
        for wrong in [
            "",
            "ord_",
            "pay_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b",
            "0190a6d2b3c47e5f8a9b0c1d2e3f4a5b",
            "ord_0190A6D2b3c47e5f8a9b0c1d2e3f4a5b",
            "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5",
            "ord_+190a6d2b3c47e5f8a9b0c1d2e3f4a5b",
            "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b0",
        ] {
            assert!(wrong.parse::<OrderId>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn two_logs_of_one_block_are_two_payments() {
        let chain_id = ChainId::new(1).unwrap();
        let first = TransferId {
            chain_id,
            block_hash: B256::repeat_byte(7),
            log_index: 0,
        };
        let second = TransferId {
            log_index: 1,
            ..first
        };
        assert_ne!(PaymentId::of(&first), PaymentId::of(&second));
        assert_eq!(PaymentId::of(&first), PaymentId::of(&first));
    }

    proptest! {
        #[test]
        fn ids_round_trip(bytes in any::<[u8; 16]>()) {
            let id = OrderId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn contract_refs_round_trip(bytes in any::<[u8; 16]>(), at in 16_usize..32, odd in 1_u8..) {
            let id = OrderId::from_bytes(bytes);
            let order_ref = id.to_contract_ref();
            prop_assert_eq!(&order_ref.0[..16], &bytes);
            prop_assert_eq!(OrderId::from_contract_ref(order_ref), Some(id));
            let mut other = order_ref;
            other.0[at] = odd;
            prop_assert_eq!(OrderId::from_contract_ref(other), None);
        }
    }
}
