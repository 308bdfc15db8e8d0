//! The contracts that paywatch wants on a chain, in the order in which they are deployed.

use alloy_primitives::{Address, Bytes};

use crate::deposit;

/// A contract that paywatch wants on a chain.
#[derive(Clone, Debug)]
pub struct KnownContract {
    /// What people call it.
    pub name: &'static str,
    /// Where it has to stand.
    pub address: Address,
    /// The transaction that deploys it there, which anybody may send: recipient and data. None
    /// where it comes with another one, or was made in a way of its own.
    pub deployment: Option<(Address, Bytes)>,
    is_ours: fn(Address, &[u8]) -> bool,
}

impl KnownContract {
    /// Whether `code`, which was found at its address, is what has to be there.
    #[must_use]
    pub fn is(&self, code: &[u8]) -> bool {
        (self.is_ours)(self.address, code)
    }
}

/// The contracts of a chain whose deposits come from `factory`. A factory that stands elsewhere
/// than ours has no deployment here.
#[must_use]
pub fn known_contracts(factory: Address) -> Vec<KnownContract> {
    let is_usual = factory == deposit::factory_address();
    vec![
        KnownContract {
            name: "deterministic deployer",
            address: deposit::DETERMINISTIC_DEPLOYER,
            deployment: None,
            is_ours: |_, code| deposit::is_deployer(code),
        },
        KnownContract {
            name: "deposit factory",
            address: factory,
            deployment: is_usual.then(deposit::factory_deployment),
            is_ours: deposit::is_factory,
        },
        KnownContract {
            name: "deposit implementation",
            address: deposit::implementation_address(factory),
            deployment: None,
            is_ours: deposit::is_implementation,
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_usual_factory_can_be_deployed() {
        let usual = known_contracts(deposit::factory_address());
        let deployed: Vec<_> = usual
            .iter()
            .filter(|contract| contract.deployment.is_some())
            .map(|contract| contract.address)
            .collect();
        assert_eq!(deployed, [deposit::factory_address()]);
        let other = known_contracts(Address::repeat_byte(1));
        assert!(other.iter().all(|contract| contract.deployment.is_none()));
        assert!(usual.iter().all(|contract| !contract.is(&[])));
    }
}
