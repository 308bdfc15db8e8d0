// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title Whose signature something is
/// @notice For tests only, as the mocks need it: OpenZeppelin's checks want a newer EVM than Paris.
library Signatures {
    /// @dev The greatest s of which the other one of the pair is not taken (EIP-2).
    uint256 private constant HALF_ORDER =
        0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @notice Whether `signer` signed `digest`: a contract is asked (ERC-1271), an account's
    /// signature has 65 bytes, or 64 (EIP-2098).
    function isOf(address signer, bytes32 digest, bytes memory signature)
        internal
        view
        returns (bool)
    {
        if (signer.code.length > 0) {
            (bool ok, bytes memory answer) =
                signer.staticcall(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
            return ok && answer.length >= 32
                && abi.decode(answer, (bytes32)) == bytes32(IERC1271.isValidSignature.selector);
        }
        (bytes32 r, bytes32 s, uint8 v) = (0, 0, 0);
        if (signature.length == 65) {
            (r, s) = abi.decode(signature, (bytes32, bytes32));
            v = uint8(signature[64]);
        } else if (signature.length == 64) {
            (r, s) = abi.decode(signature, (bytes32, bytes32));
            v = uint8(27 + (uint256(s) >> 255));
            s &= bytes32(type(uint256).max >> 1);
        }
        return isOf(signer, digest, v, r, s);
    }

    /// @notice Whether an account's signature in parts is `signer`'s.
    function isOf(address signer, bytes32 digest, uint8 v, bytes32 r, bytes32 s)
        internal
        pure
        returns (bool)
    {
        if (uint256(s) > HALF_ORDER || signer == address(0)) return false;
        return ecrecover(digest, v, r, s) == signer;
    }
}
