//! The addresses that Rust derives are those that the factory deploys to.

use alloy::primitives::{Address, B256};
use paywatch_contracts::{DepositFactory, deposit};
use paywatch_tests::chain::Chain;

/// The factory stands where it was computed to stand, and agrees about random deposits.
#[tokio::test]
async fn rust_and_the_factory_derive_the_same_addresses() {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let factory = DepositFactory::new(deposit::factory_address(), chain.provider());
    for _ in 0..64 {
        let salt = B256::from(random32());
        let treasury = Address::from_slice(&random32()[..20]);
        let theirs = factory.depositAddress(treasury, salt).call().await;
        let ours = deposit::deposit_address(deposit::factory_address(), treasury, salt);
        assert_eq!(
            theirs.expect("the factory answers"),
            ours,
            "{treasury} {salt}"
        );
    }
}

fn random32() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    bytes[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    bytes
}
