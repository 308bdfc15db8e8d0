// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {IAuthorizedToken} from "./interfaces/IAuthorizedToken.sol";
import {IPermit2} from "./interfaces/IPermit2.sol";

/// @title Pays a merchant's treasury and says for which order
/// @notice Has no owner and no parameters, and holds nothing after a call. Each payment reaches the
/// treasury in the transaction that makes it, and is announced with what really arrived.
/// @dev Only the guard against reentrancy is in storage. No function takes money of anybody but
/// the caller or somebody who signed for this treasury and this order, so an allowance that is
/// left here is of no use to others.
contract PaymentReceiver is ReentrancyGuard {
    using SafeERC20 for IERC20;

    /// @notice What is to be paid.
    struct Payment {
        /// Where the money goes.
        address treasury;
        /// What the merchant knows the order by.
        bytes32 orderRef;
        /// The token's contract.
        address token;
        /// How much the payer gives, in base units; a token may keep a fee of it.
        uint256 amount;
    }

    /// @notice What the payer of an EIP-3009 authorization signed, besides the payment itself.
    struct Authorization {
        /// Who signed and pays.
        address payer;
        /// Later than this, in Unix seconds, it may be used.
        uint256 validAfter;
        /// Earlier than this, in Unix seconds, it may be used.
        uint256 validBefore;
        /// Tells authorizations of the same payer for the same order apart.
        bytes32 salt;
    }

    /// @notice Money arrived at a treasury. Anybody can name a token of his own: whoever reads this
    /// has to look at `token`.
    /// @param payer Whose money it was.
    /// @param treasury Where it arrived.
    /// @param orderRef What it is for.
    /// @param token The token that was called; one that was replaced logs its Transfer elsewhere.
    /// @param amount By how much the treasury's balance grew, never more than was asked for.
    event Paid(
        address indexed payer,
        address indexed treasury,
        bytes32 indexed orderRef,
        address token,
        uint256 amount
    );

    /// @notice A treasury must not be zero, this contract, the token or the payer.
    error TreasuryRefused(address treasury);
    /// @notice A payment of nothing is none.
    error ZeroAmount(address treasury, bytes32 orderRef);
    /// @notice No contract is there.
    error NotAContract(address expected);
    /// @notice The token reported success, but nothing arrived.
    error NothingReceived(address token, address recipient, uint256 amount);
    /// @notice More arrived than was asked for, so part of it is not this payment.
    error TooMuchReceived(address token, address treasury, uint256 received, uint256 amount);
    /// @notice The token did not forward all that had arrived here.
    error MoneyStays(address token, uint256 amount);
    /// @notice The permit was refused, and no earlier allowance suffices.
    error PermitRefused(address token, address payer, uint256 allowed, uint256 amount);

    /// @notice Where Permit2 is on most chains.
    address public constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    /// @notice What `permitWitnessTransferFrom` is told about the witness's type.
    string public constant WITNESS_TYPE_STRING =
        "OrderPayment witness)OrderPayment(address treasury,bytes32 orderRef)TokenPermissions(address token,uint256 amount)";

    /// @notice The type of the witness that a payer signs for Permit2 (EIP-712).
    bytes32 public constant WITNESS_TYPEHASH =
        keccak256("OrderPayment(address treasury,bytes32 orderRef)");

    /// @notice Pays with the caller's money, of which this contract must have an allowance.
    /// @param treasury Where the money goes.
    /// @param orderRef What the merchant knows the order by.
    /// @param token The token's contract.
    /// @param amount How much the caller gives, in base units.
    function pay(address treasury, bytes32 orderRef, address token, uint256 amount)
        external
        nonReentrant
    {
        Payment memory payment = Payment(treasury, orderRef, token, amount);
        _check(payment, msg.sender);
        _payAsCaller(payment);
    }

    /// @notice Pays with the caller's money and an allowance that he signed (EIP-2612). If the
    /// permit is refused because somebody else has used it already, its allowance is there.
    /// @param payment What is paid; the permit is for exactly this amount.
    /// @param deadline Until when the permit may be used, in Unix seconds.
    /// @param v Of the permit's signature, as r and s.
    function payWithPermit(
        Payment calldata payment,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant {
        _check(payment, msg.sender);
        _permit(payment, deadline, v, r, s);
        _payAsCaller(payment);
    }

    /// @notice Pays with money of whoever signed an EIP-3009 `ReceiveWithAuthorization` to this
    /// contract. Anybody may hand it in. Its nonce must be `authorizationNonce` of treasury, order
    /// and salt, so that it serves no other order.
    /// @param payment What is paid.
    /// @param authorization What else was signed.
    /// @param v Of the authorization's signature, as r and s.
    function payWithAuthorization(
        Payment calldata payment,
        Authorization calldata authorization,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant {
        _check(payment, authorization.payer);
        (uint256 here, uint256 there) = _balances(payment);
        IAuthorizedToken(payment.token)
            .receiveWithAuthorization(
                authorization.payer,
                address(this),
                payment.amount,
                authorization.validAfter,
                authorization.validBefore,
                authorizationNonce(payment.treasury, payment.orderRef, authorization.salt),
                v,
                r,
                s
            );
        _forward(payment, authorization.payer, here, there);
    }

    /// @notice The same with a signature of any form, for tokens that let contract wallets sign
    /// (ERC-1271).
    /// @param payment What is paid.
    /// @param authorization What else was signed.
    /// @param signature As the token takes it.
    function payWithWalletAuthorization(
        Payment calldata payment,
        Authorization calldata authorization,
        bytes calldata signature
    ) external nonReentrant {
        _check(payment, authorization.payer);
        (uint256 here, uint256 there) = _balances(payment);
        IAuthorizedToken(payment.token)
            .receiveWithAuthorization(
                authorization.payer,
                address(this),
                payment.amount,
                authorization.validAfter,
                authorization.validBefore,
                authorizationNonce(payment.treasury, payment.orderRef, authorization.salt),
                signature
            );
        _forward(payment, authorization.payer, here, there);
    }

    /// @notice Pays with money of whoever signed a Permit2 `PermitWitnessTransferFrom` for this
    /// contract, whose witness names treasury and order. Anybody may hand it in.
    /// @param payment What is paid; exactly this amount was signed.
    /// @param payer Who signed and pays; Permit2 must have an allowance of the token.
    /// @param nonce Of the permit; Permit2 takes each of a payer once.
    /// @param deadline Until when the permit may be used, in Unix seconds.
    /// @param signature As Permit2 takes it: 65 bytes, 64 (EIP-2098), or a contract's (ERC-1271).
    function payWithPermit2(
        Payment calldata payment,
        address payer,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external nonReentrant {
        _check(payment, payer);
        _checkContract(PERMIT2);
        uint256 there = IERC20(payment.token).balanceOf(payment.treasury);
        IPermit2(PERMIT2)
            .permitWitnessTransferFrom(
                IPermit2.PermitTransferFrom(
                    IPermit2.TokenPermissions(payment.token, payment.amount), nonce, deadline
                ),
                IPermit2.SignatureTransferDetails(payment.treasury, payment.amount),
                payer,
                keccak256(abi.encode(WITNESS_TYPEHASH, payment.treasury, payment.orderRef)),
                WITNESS_TYPE_STRING,
                signature
            );
        _announce(payment, payer, there);
    }

    /// @notice The nonce that an EIP-3009 authorization for this contract must have. Nobody who
    /// sees one can use it for another treasury, order, receiver or chain.
    /// @param treasury Where the money shall go.
    /// @param orderRef What it is for.
    /// @param salt Whatever the payer has not used before for this order.
    /// @return The nonce to sign.
    function authorizationNonce(address treasury, bytes32 orderRef, bytes32 salt)
        public
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, address(this), treasury, orderRef, salt));
    }

    /// @dev Refuses what cannot be a payment. A payer who is the treasury would receive nothing.
    function _check(Payment memory payment, address payer) private view {
        address treasury = payment.treasury;
        if (
            treasury == address(0) || treasury == address(this) || treasury == payment.token
                || treasury == payer
        ) revert TreasuryRefused(treasury);
        if (payment.amount == 0) revert ZeroAmount(treasury, payment.orderRef);
        _checkContract(payment.token);
    }

    function _checkContract(address expected) private view {
        if (expected.code.length == 0) revert NotAContract(expected);
    }

    /// @dev One transfer, from the caller straight to the treasury.
    function _payAsCaller(Payment memory payment) private {
        IERC20 token = IERC20(payment.token);
        uint256 there = token.balanceOf(payment.treasury);
        token.safeTransferFrom(msg.sender, payment.treasury, payment.amount);
        _announce(payment, msg.sender, there);
    }

    /// @dev A permit that somebody else handed in before is refused by the token, and has done what
    /// it is for. Only the allowance counts.
    function _permit(Payment memory payment, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        private
    {
        (address token, uint256 amount) = (payment.token, payment.amount);
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {}
        catch {
            uint256 allowed = IERC20(token).allowance(msg.sender, address(this));
            if (allowed < amount) revert PermitRefused(token, msg.sender, allowed, amount);
        }
    }

    /// @dev What this contract and the treasury have before an authorization is used.
    function _balances(Payment memory payment) private view returns (uint256 here, uint256 there) {
        here = IERC20(payment.token).balanceOf(address(this));
        there = IERC20(payment.token).balanceOf(payment.treasury);
    }

    /// @dev Forwards what arrived here, and nothing of what was here before.
    function _forward(Payment memory payment, address payer, uint256 here, uint256 there) private {
        IERC20 token = IERC20(payment.token);
        uint256 arrived = _growth(payment, address(this), here);
        token.safeTransfer(payment.treasury, arrived);
        uint256 left = token.balanceOf(address(this));
        if (left > here) revert MoneyStays(payment.token, left - here);
        _announce(payment, payer, there);
    }

    /// @dev Believes the treasury's balance alone. A growth beyond the amount is money that came on
    /// another way during the call, from a hook of the token's: it is another payment, or a deposit
    /// that was flushed, and must not be counted here as well.
    function _announce(Payment memory payment, address payer, uint256 there) private {
        uint256 received = _growth(payment, payment.treasury, there);
        if (received > payment.amount) {
            revert TooMuchReceived(payment.token, payment.treasury, received, payment.amount);
        }
        emit Paid(payer, payment.treasury, payment.orderRef, payment.token, received);
    }

    /// @dev By how much a balance grew; not at all is an error.
    function _growth(Payment memory payment, address who, uint256 before)
        private
        view
        returns (uint256)
    {
        uint256 balance = IERC20(payment.token).balanceOf(who);
        if (balance <= before) revert NothingReceived(payment.token, who, payment.amount);
        return balance - before;
    }
}
