//! The contracts that paywatch wants on a chain, in the order in which they are deployed.

use alloy_primitives::{Address, Bytes};

use crate::code::{Contract, Found};
use crate::{deposit, receiver};

/// A contract that paywatch wants on a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownContract {
    /// What people call it.
    pub name: &'static str,
    /// Where it has to stand.
    pub address: Address,
    /// The transaction that deploys it there, which anybody may send: recipient and data. None
    /// where it comes with another one, was made in a way of its own, or stands elsewhere than
    /// ours do.
    pub deployment: Option<(Address, Bytes)>,
    /// None is the deterministic deployer, which is not ours.
    contract: Option<Contract>,
}

impl KnownContract {
    /// What the code is that a node gave for its address.
    #[must_use]
    pub fn compare(&self, code: &[u8]) -> Found {
        match self.contract {
            Some(contract) => contract.compare(code),
            None if code.is_empty() => Found::Nothing,
            None if deposit::is_deployer(code) => Found::Ours,
            None => Found::Another,
        }
    }
}

/// The contracts of a chain whose deposits come from `factory`, and where orders may be paid by
/// calling `receiver`, if they may.
#[must_use]
pub fn known_contracts(factory: Address, receiver: Option<Address>) -> Vec<KnownContract> {
    let is_usual = factory == deposit::factory_address();
    let mut known = vec![
        KnownContract {
            name: "deterministic deployer",
            address: deposit::DETERMINISTIC_DEPLOYER,
            deployment: None,
            contract: None,
        },
        KnownContract {
            name: "deposit factory",
            address: factory,
            deployment: is_usual.then(deposit::factory_deployment),
            contract: Some(Contract::DepositFactory { factory }),
        },
        KnownContract {
            name: "deposit implementation",
            address: deposit::implementation_address(factory),
            deployment: None,
            contract: Some(Contract::DepositImplementation { factory }),
        },
    ];
    known.extend(receiver.map(|address| KnownContract {
        name: "payment receiver",
        address,
        deployment: (address == receiver::receiver_address()).then(receiver::receiver_deployment),
        contract: Some(Contract::PaymentReceiver),
    }));
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_where_ours_do_can_be_deployed() {
        let factory = deposit::factory_address();
        let receiver = receiver::receiver_address();
        let deployed = |factory, receiver| -> Vec<_> {
            known_contracts(factory, receiver)
                .into_iter()
                .filter(|contract| contract.deployment.is_some())
                .map(|contract| contract.address)
                .collect()
        };
        assert_eq!(deployed(factory, Some(receiver)), [factory, receiver]);
        assert_eq!(deployed(factory, None), [factory]);
        let elsewhere = Address::repeat_byte(1);
        assert_eq!(deployed(elsewhere, Some(elsewhere)), []);
    }

    #[test]
    fn nothing_and_another_are_told_apart() {
        let receiver = Some(receiver::receiver_address());
        for contract in known_contracts(deposit::factory_address(), receiver) {
            assert_eq!(contract.compare(&[]), Found::Nothing, "{contract:?}");
            assert_eq!(contract.compare(&[0]), Found::Another, "{contract:?}");
        }
    }
}
