// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";

/// @title A token whose holders pay by signed authorization
/// @notice EIP-3009, and the form with a signature of any length that contract wallets need, as
/// Tether's and Circle's newer tokens have it.
interface IAuthorizedToken is IERC3009 {
    /// @notice Moves `value` to the caller, who must be `to`; `from` signed for it (ERC-1271).
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;
}
