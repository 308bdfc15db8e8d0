//! Where deposits lie: CREATE2 (EIP-1014), computed as the factory computes it.

use alloy_primitives::{Address, B256, Bytes, address, hex, keccak256};

use crate::{Deposit, DepositFactory};

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

/// The salt with which the factory is deployed.
const FACTORY_SALT: B256 = B256::ZERO;

/// The start of the init code of a clone with 20 bytes of immutable arguments: it deploys the 45
/// bytes of the EIP-1167 proxy and the arguments behind them, 65 bytes in all.
const CLONE_HEAD: [u8; 20] = hex!("6100413d81600a3d39f3363d3d373d3d3d363d73");
/// What stands between the implementation and the arguments.
const CLONE_TAIL: [u8; 15] = hex!("5af43d82803e903d91602b57fd5bf3");

/// The factory's address, the same on every EVM chain.
#[must_use]
pub fn factory_address() -> Address {
    DETERMINISTIC_DEPLOYER.create2_from_code(FACTORY_SALT, &DepositFactory::BYTECODE)
}

/// The transaction that deploys the factory, which anybody may send: recipient and data.
#[must_use]
pub fn factory_deployment() -> (Address, Bytes) {
    let data = [FACTORY_SALT.as_slice(), &DepositFactory::BYTECODE].concat();
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
    let implementation = implementation_address(factory);
    let init_code = [
        &CLONE_HEAD,
        implementation.as_slice(),
        &CLONE_TAIL,
        treasury.as_slice(),
    ]
    .concat();
    factory.create2(salt, keccak256(init_code))
}

/// Whether `code` is that of the deterministic deployer.
#[must_use]
pub fn is_deployer(code: &[u8]) -> bool {
    code == DEPLOYER_CODE
}

/// Whether `code`, found at `address`, is that of our factory.
#[must_use]
pub fn is_factory(address: Address, code: &[u8]) -> bool {
    let template = &DepositFactory::DEPLOYED_BYTECODE;
    code == with_immutable(template, implementation_address(address))
}

/// Whether `code`, found at `address`, is what the clones of our factory run.
#[must_use]
pub fn is_implementation(address: Address, code: &[u8]) -> bool {
    code == with_immutable(&Deposit::DEPLOYED_BYTECODE, address)
}

/// The code that comes of `template` once its constructor has written the one immutable, an
/// address, into the places that are left open for it: PUSH32 of nothing.
fn with_immutable(template: &[u8], value: Address) -> Vec<u8> {
    const PUSH32: u8 = 0x7f;
    let open = [&[PUSH32][..], B256::ZERO.as_slice()].concat();
    let filled = [&[PUSH32][..], value.into_word().as_slice()].concat();
    let mut code = Vec::with_capacity(template.len());
    let mut rest = template;
    while let Some((first, others)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(open.as_slice()) {
            code.extend_from_slice(&filled);
            rest = after;
        } else {
            code.push(*first);
            rest = others;
        }
    }
    code
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
    fn only_our_code_with_the_right_address_in_it_is_ours() {
        let factory = factory_address();
        let implementation = implementation_address(factory);
        let code = with_immutable(&DepositFactory::DEPLOYED_BYTECODE, implementation);
        assert_eq!(code.len(), DepositFactory::DEPLOYED_BYTECODE.len());
        assert!(is_factory(factory, &code));
        assert!(!is_factory(implementation, &code));
        assert!(!is_factory(factory, &DepositFactory::DEPLOYED_BYTECODE));
        assert!(!is_implementation(implementation, &code));
        for at in [0, code.len() / 2, code.len() - 1] {
            let mut other = code.clone();
            other[at] ^= 1;
            assert!(!is_factory(factory, &other), "{at}");
        }
        assert!(!is_factory(factory, &code[..code.len() - 1]));
        assert!(!is_factory(factory, &[]) && !is_deployer(&[]));
    }

    #[test]
    fn the_deployers_own_deployment_makes_its_code() {
        let made_at = DEPLOYER_MAKER.create(0);
        assert_eq!(made_at, DETERMINISTIC_DEPLOYER);
        let code = hex::encode(DEPLOYER_CODE);
        assert!(DEPLOYER_TRANSACTION.contains(&code), "{code}");
    }

    #[test]
    fn the_deployment_is_salt_and_init_code() {
        let (deployer, data) = factory_deployment();
        let init_code = data.strip_prefix(FACTORY_SALT.as_slice()).unwrap();
        assert_eq!(
            deployer.create2_from_code(FACTORY_SALT, init_code),
            factory_address()
        );
    }
}
