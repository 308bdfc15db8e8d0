// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PaymentReceiver} from "../../src/PaymentReceiver.sol";
import {Checks} from "./Base.sol";

interface IDomain {
    function DOMAIN_SEPARATOR() external view returns (bytes32);
    function nonces(address holder) external view returns (uint256);
}

/// @dev What a payer's wallet signs, written down a second time (EIP-712), so that a mistake in a
/// contract's types does not sign itself.
abstract contract Signing is Checks {
    address internal constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    struct Signature {
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    function packed(Signature memory signature) internal pure returns (bytes memory) {
        return abi.encodePacked(signature.r, signature.s, signature.v);
    }

    function signTyped(uint256 key, address verifier, bytes memory content)
        internal
        view
        returns (Signature memory signature)
    {
        bytes32 domain = IDomain(verifier).DOMAIN_SEPARATOR();
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, keccak256(content)));
        (signature.v, signature.r, signature.s) = vm.sign(key, digest);
    }

    /// @dev EIP-2612.
    function signPermit(
        uint256 key,
        address token,
        address spender,
        uint256 value,
        uint256 deadline
    ) internal view returns (Signature memory) {
        bytes32 kind = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        address holder = vm.addr(key);
        uint256 nonce = IDomain(token).nonces(holder);
        return signTyped(key, token, abi.encode(kind, holder, spender, value, nonce, deadline));
    }

    /// @dev EIP-3009, for a nonce that the caller chooses.
    function signAuthorization(
        uint256 key,
        PaymentReceiver.Payment memory payment,
        PaymentReceiver.Authorization memory authorization,
        address to,
        bytes32 nonce
    ) internal view returns (Signature memory) {
        bytes32 kind = keccak256(
            "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        return signTyped(
            key,
            payment.token,
            abi.encode(
                kind,
                authorization.payer,
                to,
                payment.amount,
                authorization.validAfter,
                authorization.validBefore,
                nonce
            )
        );
    }

    /// @dev Permit2 with the witness of a payment.
    function signPermit2(
        uint256 key,
        PaymentReceiver.Payment memory payment,
        address spender,
        uint256 nonce,
        uint256 deadline
    ) internal view returns (Signature memory) {
        bytes32 kind = keccak256(
            "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,OrderPayment witness)OrderPayment(address treasury,bytes32 orderRef)TokenPermissions(address token,uint256 amount)"
        );
        bytes32 permitted = keccak256(
            abi.encode(
                keccak256("TokenPermissions(address token,uint256 amount)"),
                payment.token,
                payment.amount
            )
        );
        bytes32 witness = keccak256(
            abi.encode(
                keccak256("OrderPayment(address treasury,bytes32 orderRef)"),
                payment.treasury,
                payment.orderRef
            )
        );
        return
            signTyped(key, PERMIT2, abi.encode(kind, permitted, spender, nonce, deadline, witness));
    }
}
