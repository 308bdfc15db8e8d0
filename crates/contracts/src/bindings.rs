//! What `sol!` makes of the artifacts.

use alloy::sol;

sol! {
    /// The part of ERC-20 (EIP-20) that is used. USDT's own functions return nothing, so nothing
    /// is expected.
    #[sol(rpc)]
    #[derive(Debug)]
    contract Erc20 {
        event Transfer(address indexed from, address indexed to, uint256 value);

        function transfer(address to, uint256 value) external;
        function transferFrom(address from, address to, uint256 value) external;
        function approve(address spender, uint256 value) external;
        function balanceOf(address owner) external view returns (uint256);
        function decimals() external view returns (uint8);
        function symbol() external view returns (string);
    }
}

sol!(
    #[sol(rpc)]
    #[derive(Debug)]
    Deposit,
    "../../contracts/artifacts/Deposit.json"
);

sol!(
    #[sol(rpc)]
    #[derive(Debug)]
    DepositFactory,
    "../../contracts/artifacts/DepositFactory.json"
);

sol!(
    #[sol(rpc)]
    #[derive(Debug)]
    PaymentReceiver,
    "../../contracts/artifacts/PaymentReceiver.json"
);

#[cfg(feature = "mocks")]
sol!(
    #[sol(rpc)]
    #[derive(Debug)]
    MockUSDT,
    "../../contracts/artifacts/MockUSDT.json"
);

#[cfg(feature = "mocks")]
sol!(
    #[sol(rpc)]
    #[derive(Debug)]
    UpgradedUSDT,
    "../../contracts/artifacts/UpgradedUSDT.json"
);

#[cfg(feature = "mocks")]
sol!(
    #[sol(rpc)]
    #[derive(Debug)]
    Exchange,
    "../../contracts/artifacts/Exchange.json"
);

#[cfg(feature = "mocks")]
sol!(
    #[sol(rpc)]
    #[derive(Debug)]
    MockModernToken,
    "../../contracts/artifacts/MockModernToken.json"
);

#[cfg(feature = "mocks")]
sol!(
    #[sol(rpc)]
    #[derive(Debug)]
    MockPermit2,
    "../../contracts/artifacts/MockPermit2.json"
);
