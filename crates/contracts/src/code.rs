//! What code has to stand at the address of a contract of ours, immutables included.

use alloy_primitives::{Address, B256, Bytes, keccak256};

use crate::deposit::{clone_code, implementation_address};
use crate::{Deposit, DepositFactory, PaymentReceiver};

/// Where the factory's code holds the address of its implementation, in bytes from its start. The
/// compiler leaves 32 zero bytes there.
const FACTORY_GAPS: [usize; 3] = [135, 197, 350];

/// Where the implementation's code holds its own address.
const IMPLEMENTATION_GAPS: [usize; 4] = [73, 172, 442, 541];

/// A contract of ours that stands on a chain, with what its code depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// The factory of deposit addresses.
    DepositFactory {
        /// Where it stands.
        factory: Address,
    },
    /// What every deposit of a factory runs.
    DepositImplementation {
        /// Where the factory stands that created it.
        factory: Address,
    },
    /// A deposit, once it is deployed.
    Deposit {
        /// Where its factory stands.
        factory: Address,
        /// Where it forwards everything.
        treasury: Address,
    },
    /// The contract that pays a treasury for an order; its code is the same anywhere.
    PaymentReceiver,
}

/// What stands at an address where a contract of ours is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// No code: it is not deployed yet.
    Nothing,
    /// The code that is expected, to the byte.
    Ours,
    /// Other code. Whatever it is, it must not be relied on.
    Another,
}

impl Contract {
    /// The code that a node has to give for its address (`eth_getCode`).
    #[must_use]
    pub fn expected_code(self) -> Bytes {
        match self {
            Self::DepositFactory { factory } => filled(
                &DepositFactory::DEPLOYED_BYTECODE,
                &FACTORY_GAPS,
                implementation_address(factory),
            ),
            Self::DepositImplementation { factory } => filled(
                &Deposit::DEPLOYED_BYTECODE,
                &IMPLEMENTATION_GAPS,
                implementation_address(factory),
            ),
            Self::Deposit { factory, treasury } => clone_code(factory, treasury).into(),
            Self::PaymentReceiver => PaymentReceiver::DEPLOYED_BYTECODE.clone(),
        }
    }

    /// The hash of that code, as `EXTCODEHASH` and `eth_getProof` tell it.
    #[must_use]
    pub fn code_hash(self) -> B256 {
        keccak256(self.expected_code())
    }

    /// What the code is that a node gave for its address.
    #[must_use]
    pub fn compare(self, code: &[u8]) -> Found {
        if code.is_empty() {
            Found::Nothing
        } else if *self.expected_code() == *code {
            Found::Ours
        } else {
            Found::Another
        }
    }
}

/// `code` with `address` as a word in each of the gaps that the compiler left.
fn filled(code: &[u8], gaps: &[usize], address: Address) -> Bytes {
    let (mut code, word) = (code.to_vec(), address.into_word());
    for &start in gaps {
        let end = start.saturating_add(word.len());
        if let Some(gap) = code.get_mut(start..end) {
            gap.copy_from_slice(word.as_slice());
        }
    }
    code.into()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::deposit::factory_address;

    /// The vectors that Forge compares with the code of what it deployed.
    fn vectors() -> Value {
        let text = include_str!("../../../contracts/vectors/code-hashes.json");
        serde_json::from_str(text).unwrap()
    }

    fn hash_at(value: &Value) -> B256 {
        value.as_str().unwrap().parse().unwrap()
    }

    fn standing() -> [(Contract, &'static str); 3] {
        let factory = factory_address();
        [
            (Contract::DepositFactory { factory }, "DepositFactory"),
            (Contract::DepositImplementation { factory }, "Deposit"),
            (Contract::PaymentReceiver, "PaymentReceiver"),
        ]
    }

    #[test]
    fn hashes_are_those_of_the_vectors_that_forge_checks() {
        let vectors = vectors();
        for (contract, name) in standing() {
            assert_eq!(contract.code_hash(), hash_at(&vectors[name]), "{name}");
        }
        let clones = vectors["clones"].as_array().unwrap();
        assert!(!clones.is_empty());
        for clone in clones {
            let contract = Contract::Deposit {
                factory: factory_address(),
                treasury: clone["treasury"].as_str().unwrap().parse().unwrap(),
            };
            assert_eq!(contract.code_hash(), hash_at(&clone["hash"]), "{clone}");
        }
    }

    #[test]
    fn gaps_are_those_that_the_compiler_left() {
        let gaps = |text| -> Vec<usize> {
            let artifact: Value = serde_json::from_str(text).unwrap();
            let offsets = &artifact["deployedBytecode"]["immutableOffsets"];
            serde_json::from_value(offsets.clone()).unwrap()
        };
        let factory = gaps(include_str!(
            "../../../contracts/artifacts/DepositFactory.json"
        ));
        let implementation = gaps(include_str!("../../../contracts/artifacts/Deposit.json"));
        let receiver = gaps(include_str!(
            "../../../contracts/artifacts/PaymentReceiver.json"
        ));
        assert_eq!(factory, FACTORY_GAPS);
        assert_eq!(implementation, IMPLEMENTATION_GAPS);
        assert_eq!(receiver, [0_usize; 0]);
    }

    #[test]
    fn any_changed_byte_makes_it_another() {
        for (contract, name) in standing() {
            let code = contract.expected_code();
            assert_eq!(contract.compare(&code), Found::Ours, "{name}");
            assert_eq!(contract.compare(&[]), Found::Nothing, "{name}");
            assert_eq!(contract.compare(&code[1..]), Found::Another, "{name}");
            for at in 0..code.len() {
                let mut changed = code.to_vec();
                changed[at] ^= 1;
                assert_eq!(contract.compare(&changed), Found::Another, "{name} {at}");
            }
        }
    }

    #[test]
    fn a_factory_elsewhere_has_another_code() {
        let factory = Address::repeat_byte(7);
        let here = Contract::DepositFactory { factory };
        let there = Contract::DepositFactory {
            factory: factory_address(),
        };
        assert_eq!(there.compare(&here.expected_code()), Found::Another);
    }
}
