//! Where deposits lie: CREATE2 (EIP-1014), computed as the factory computes it.

use alloy_primitives::{Address, B256, Bytes, address, hex, keccak256};

use crate::DepositFactory;

/// The deterministic deployer that stands at one address on nearly every EVM chain. A transaction
/// to it carries a salt and init code, and creates the contract with CREATE2.
pub const DETERMINISTIC_DEPLOYER: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");

/// Its code. It has no owner and no storage.
const DEPLOYER_CODE: [u8; 69] = hex!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"
    "3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
);

/// Who made the deterministic deployer, on every chain: an account that nobody has the key of.
pub const DEPLOYER_MAKER: Address = address!("3fab184622dc19b6109349b94811493bf2a45362");

/// The one transaction of [`DEPLOYER_MAKER`], signed before any replay protection (EIP-155), so
/// that it is good on every chain that takes such. It wants 0.01 of the native coin for its gas.
pub const DEPLOYER_TRANSACTION: &str = "0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffff\
    ffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f5\
    8015156039578182fd5b8082525050506014600cf31ba02222222222222222222222222222222222\
    222222222222222222222222222222a0222222222222222222222222222222222222222222222222\
    2222222222222222";

/// The salt with which the contracts are deployed that stand at one address on every chain.
pub(crate) const DEPLOYMENT_SALT: B256 = B256::ZERO;

/// The init code of a clone: it deploys what follows, which is 65 bytes.
const CLONE_DEPLOYS: [u8; 10] = hex!("6100413d81600a3d39f3");
/// The start of a clone's code, which is an EIP-1167 proxy of 45 bytes and 20 bytes of immutable
/// arguments behind it.
const CLONE_HEAD: [u8; 10] = hex!("363d3d373d3d3d363d73");
/// What stands between the implementation and the arguments.
const CLONE_TAIL: [u8; 15] = hex!("5af43d82803e903d91602b57fd5bf3");

/// The factory's address, the same on every EVM chain.
#[must_use]
pub fn factory_address() -> Address {
    DETERMINISTIC_DEPLOYER.create2_from_code(DEPLOYMENT_SALT, &DepositFactory::BYTECODE)
}

/// The transaction that deploys the factory, which anybody may send: recipient and data.
#[must_use]
pub fn factory_deployment() -> (Address, Bytes) {
    let data = [DEPLOYMENT_SALT.as_slice(), &DepositFactory::BYTECODE].concat();
    (DETERMINISTIC_DEPLOYER, data.into())
}

/// The contract that the clones of the factory at `factory` run: the first that it created.
#[must_use]
pub fn implementation_address(factory: Address) -> Address {
    factory.create(1)
}

/// Where the deposit with `salt` of `treasury` lies, whether or not it is deployed yet. The factory
/// flushes nothing for a zero treasury, so whoever reads one from outside has to refuse it.
#[must_use]
pub fn deposit_address(factory: Address, treasury: Address, salt: B256) -> Address {
    let init_code = [CLONE_DEPLOYS.as_slice(), &clone_code(factory, treasury)].concat();
    factory.create2(salt, keccak256(init_code))
}

/// The code of every deposit of `treasury`, once it is deployed.
pub(crate) fn clone_code(factory: Address, treasury: Address) -> Vec<u8> {
    [
        CLONE_HEAD.as_slice(),
        implementation_address(factory).as_slice(),
        &CLONE_TAIL,
        treasury.as_slice(),
    ]
    .concat()
}

/// Whether `code` is that of the deterministic deployer.
#[must_use]
pub fn is_deployer(code: &[u8]) -> bool {
    code == DEPLOYER_CODE
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn vectors() -> Value {
        let text = include_str!("../../../contracts/vectors/deposit-addresses.json");
        serde_json::from_str(text).unwrap()
    }

    fn address_at(value: &Value) -> Address {
        value.as_str().unwrap().parse().unwrap()
    }

    #[test]
    fn addresses_are_those_of_the_vectors_that_forge_checks() {
        let vectors = vectors();
        let factory = factory_address();
        assert_eq!(DETERMINISTIC_DEPLOYER, address_at(&vectors["deployer"]));
        assert_eq!(factory, address_at(&vectors["factory"]));
        assert_eq!(
            implementation_address(factory),
            address_at(&vectors["implementation"])
        );
        let deposits = vectors["deposits"].as_array().unwrap();
        assert!(!deposits.is_empty());
        for deposit in deposits {
            let salt: B256 = deposit["salt"].as_str().unwrap().parse().unwrap();
            let derived = deposit_address(factory, address_at(&deposit["treasury"]), salt);
            assert_eq!(derived, address_at(&deposit["address"]), "{deposit}");
        }
    }

    #[test]
    fn create2_is_that_of_eip_1014() {
        let deployer = address!("00000000000000000000000000000000deadbeef");
        let mut salt = B256::ZERO;
        salt[28..].copy_from_slice(&hex!("cafebabe"));
        let derived = deployer.create2_from_code(salt, hex!("deadbeef"));
        assert_eq!(
            derived,
            address!("60f3f640a8508fC6a86d45DF051962668E1e8AC7")
        );
    }

    #[test]
    fn one_changed_bit_gives_another_address() {
        let (factory, treasury, salt) = (factory_address(), Address::repeat_byte(7), B256::ZERO);
        let derived = deposit_address(factory, treasury, salt);
        let mut other_treasury = treasury;
        other_treasury[19] ^= 1;
        assert_ne!(derived, deposit_address(factory, other_treasury, salt));
        assert_ne!(
            derived,
            deposit_address(factory, treasury, B256::with_last_byte(1))
        );
        assert_ne!(derived, deposit_address(treasury, treasury, salt));
    }

    #[test]
    fn the_deployers_own_deployment_makes_its_code() {
        let made_at = DEPLOYER_MAKER.create(0);
        assert_eq!(made_at, DETERMINISTIC_DEPLOYER);
        assert!(is_deployer(&DEPLOYER_CODE) && !is_deployer(&[]));
        let code = hex::encode(DEPLOYER_CODE);
        assert!(DEPLOYER_TRANSACTION.contains(&code), "{code}");
    }

    #[test]
    fn the_deployment_is_salt_and_init_code() {
        let (deployer, data) = factory_deployment();
        let init_code = data.strip_prefix(DEPLOYMENT_SALT.as_slice()).unwrap();
        assert_eq!(
            deployer.create2_from_code(DEPLOYMENT_SALT, init_code),
            factory_address()
        );
    }
}
