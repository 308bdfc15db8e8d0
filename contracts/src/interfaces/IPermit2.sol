// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title The one function of Permit2 that is used
/// @notice Uniswap's Permit2 stands at one address on most EVM chains. A holder who once allowed it
/// to take a token pays with a signature from then on.
interface IPermit2 {
    /// @notice What may be taken.
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    /// @notice What was signed, besides the spender and the witness.
    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce;
        uint256 deadline;
    }

    /// @notice What the spender asks for.
    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    /// @notice Moves tokens of `owner`, who signed for them, for the caller and for `witness`.
    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external;
}
