// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title A hot wallet that pays many people with one transaction, as exchanges do
/// @notice For tests only: anybody may spend what it holds.
contract Exchange {
    /// @notice The token refused a payment; none of the transaction's is made.
    error PaymentFailed(address token, address to, uint256 amount);
    /// @notice Each recipient needs one amount.
    error LengthsDiffer(uint256 recipients, uint256 amounts);

    /// @notice Pays from its own balance: several Transfer logs in one transaction.
    function payMany(address token, address[] calldata to, uint256[] calldata amounts) external {
        if (to.length != amounts.length) revert LengthsDiffer(to.length, amounts.length);
        for (uint256 i = 0; i < to.length; ++i) {
            (bool ok,) =
                token.call(abi.encodeWithSignature("transfer(address,uint256)", to[i], amounts[i]));
            if (!ok) revert PaymentFailed(token, to[i], amounts[i]);
        }
    }

    /// @notice Pays what `payer` allowed it to take: the payer is not the transaction's sender.
    function payFrom(address token, address payer, address to, uint256 amount) external {
        (bool ok,) = token.call(
            abi.encodeWithSignature("transferFrom(address,address,uint256)", payer, to, amount)
        );
        if (!ok) revert PaymentFailed(token, to, amount);
    }
}
