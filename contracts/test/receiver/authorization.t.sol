// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PaymentReceiver} from "../../src/PaymentReceiver.sol";
import {MockModernToken} from "../../src/mocks/MockModernToken.sol";
import {Vm} from "../base/Base.sol";
import {ReceiverBase} from "../base/ReceiverBase.sol";
import {KeepsAuthorized, KeepsTenth, TakesAnything, Wallet} from "../weird/paid.sol";

/// @dev Paying with an authorization that anybody may hand in (EIP-3009).
contract AuthorizationTest is ReceiverBase {
    bytes32 private constant SALT = keccak256("salt");

    function terms() private view returns (PaymentReceiver.Authorization memory) {
        return PaymentReceiver.Authorization(payer, NOW - 1, NOW + 1, SALT);
    }

    function sign(PaymentReceiver.Payment memory p) private view returns (Signature memory) {
        bytes32 nonce =
            keccak256(abi.encode(block.chainid, address(receiver), p.treasury, p.orderRef, SALT));
        return signAuthorization(KEY, p, terms(), address(receiver), nonce);
    }

    function payWith(
        PaymentReceiver.Payment memory p,
        PaymentReceiver.Authorization memory a,
        Signature memory s
    ) private {
        receiver.payWithAuthorization(p, a, s.v, s.r, s.s);
    }

    function test_anybody_hands_it_in(uint64 amount, address relayer) public {
        vm.assume(amount > 0);
        modern.mint(payer, amount);
        PaymentReceiver.Payment memory p = paymentOf(address(modern), amount);
        Signature memory s = sign(p);
        vm.recordLogs();
        vm.prank(relayer);
        payWith(p, terms(), s);
        announced(vm.getRecordedLogs(), address(modern), amount);
        same(modern.balanceOf(TREASURY), amount, "what the treasury has");
        same(modern.balanceOf(address(receiver)), 0, "what the receiver has");
    }

    function test_signature_in_one_piece(uint64 amount, address relayer) public {
        vm.assume(amount > 0);
        modern.mint(payer, amount);
        PaymentReceiver.Payment memory p = paymentOf(address(modern), amount);
        bytes memory signature = packed(sign(p));
        vm.recordLogs();
        vm.prank(relayer);
        receiver.payWithWalletAuthorization(p, terms(), signature);
        announced(vm.getRecordedLogs(), address(modern), amount);
    }

    function test_contract_wallet_pays() public {
        PaymentReceiver.Payment memory p = paymentOf(address(modern), 5e6);
        bytes memory signature = packed(sign(p));
        PaymentReceiver.Authorization memory a = terms();
        vm.etch(payer, address(new Wallet()).code);
        Wallet(payer).agree(keccak256(signature));
        modern.mint(payer, 5e6);
        vm.recordLogs();
        receiver.payWithWalletAuthorization(p, a, signature);
        announced(vm.getRecordedLogs(), address(modern), 5e6);
        vm.expectRevert(abi.encodeWithSelector(MockModernToken.NotSigned.selector, payer));
        a.salt = 0;
        receiver.payWithWalletAuthorization(p, a, hex"00");
    }

    function test_serves_no_other_payment(address treasury, bytes32 orderRef) public {
        modern.mint(payer, 9e6);
        PaymentReceiver.Payment memory p = paymentOf(address(modern), 5e6);
        Signature memory s = sign(p);
        bytes memory unsigned = abi.encodeWithSelector(MockModernToken.NotSigned.selector, payer);
        if (orderRef != ORDER) {
            p.orderRef = orderRef;
            vm.expectRevert(unsigned);
            payWith(p, terms(), s);
            p.orderRef = ORDER;
        }
        vm.assume(treasury != address(0) && treasury != TREASURY && treasury != payer);
        vm.assume(treasury != address(receiver) && treasury != address(modern));
        p.treasury = treasury;
        vm.expectRevert(unsigned);
        payWith(p, terms(), s);
        p.treasury = TREASURY;
        p.amount = 4e6;
        vm.expectRevert(unsigned);
        payWith(p, terms(), s);
        same(modern.balanceOf(payer), 9e6, "what the payer has");
    }

    function test_serves_no_other_receiver_and_no_other_chain() public {
        modern.mint(payer, 9e6);
        PaymentReceiver.Payment memory p = paymentOf(address(modern), 5e6);
        Signature memory s = sign(p);
        bytes memory unsigned = abi.encodeWithSelector(MockModernToken.NotSigned.selector, payer);
        PaymentReceiver other = new PaymentReceiver();
        vm.expectRevert(unsigned);
        other.payWithAuthorization(p, terms(), s.v, s.r, s.s);
        bytes32 here = receiver.authorizationNonce(TREASURY, ORDER, SALT);
        vm.chainId(999);
        holds(here != receiver.authorizationNonce(TREASURY, ORDER, SALT), "another nonce");
        vm.expectRevert(unsigned);
        payWith(p, terms(), s);
    }

    /// @dev Whoever signs any other nonce signs nothing that can be used here.
    function test_any_other_nonce_is_of_no_use(bytes32 nonce) public {
        vm.assume(nonce != receiver.authorizationNonce(TREASURY, ORDER, SALT));
        modern.mint(payer, 5e6);
        PaymentReceiver.Payment memory p = paymentOf(address(modern), 5e6);
        Signature memory s = signAuthorization(KEY, p, terms(), address(receiver), nonce);
        vm.expectRevert(abi.encodeWithSelector(MockModernToken.NotSigned.selector, payer));
        payWith(p, terms(), s);
    }

    function test_pays_once() public {
        modern.mint(payer, 10e6);
        PaymentReceiver.Payment memory p = paymentOf(address(modern), 5e6);
        Signature memory s = sign(p);
        payWith(p, terms(), s);
        bytes32 nonce = receiver.authorizationNonce(TREASURY, ORDER, SALT);
        vm.expectRevert(abi.encodeWithSelector(MockModernToken.AlreadyUsed.selector, payer, nonce));
        payWith(p, terms(), s);
        same(modern.balanceOf(TREASURY), 5e6, "what the treasury has");
    }

    function test_nobody_else_can_hand_it_to_the_token() public {
        modern.mint(payer, 5e6);
        PaymentReceiver.Payment memory p = paymentOf(address(modern), 5e6);
        Signature memory s = sign(p);
        bytes32 nonce = receiver.authorizationNonce(TREASURY, ORDER, SALT);
        address to = address(receiver);
        vm.prank(STRANGER);
        vm.expectRevert(
            abi.encodeWithSelector(MockModernToken.NotTheRecipient.selector, STRANGER, to)
        );
        modern.receiveWithAuthorization(payer, to, 5e6, NOW - 1, NOW + 1, nonce, s.v, s.r, s.s);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(MockModernToken.NotSigned.selector, payer));
        modern.transferWithAuthorization(payer, to, 5e6, NOW - 1, NOW + 1, nonce, s.v, s.r, s.s);
    }

    function test_money_that_was_sent_here_stays(uint64 lost, uint64 amount) public {
        vm.assume(amount > 0);
        modern.mint(payer, amount);
        modern.mint(address(receiver), lost);
        PaymentReceiver.Payment memory p = paymentOf(address(modern), amount);
        Signature memory s = sign(p);
        vm.recordLogs();
        payWith(p, terms(), s);
        announced(vm.getRecordedLogs(), address(modern), amount);
        same(modern.balanceOf(address(receiver)), lost, "it stays");
    }

    function test_reverts_outsideOfItsTime() public {
        modern.mint(payer, 5e6);
        PaymentReceiver.Payment memory p = paymentOf(address(modern), 5e6);
        Signature memory s = sign(p);
        bytes memory notNow =
            abi.encodeWithSelector(MockModernToken.NotNow.selector, NOW - 1, NOW + 1);
        PaymentReceiver.Authorization memory a = terms();
        vm.warp(NOW - 1);
        vm.expectRevert(notNow);
        payWith(p, a, s);
        vm.warp(NOW + 1);
        vm.expectRevert(notNow);
        payWith(p, a, s);
    }

    function test_reverts_whenTheIssuerBlocksPayerOrReceiver() public {
        modern.mint(payer, 5e6);
        PaymentReceiver.Payment memory p = paymentOf(address(modern), 5e6);
        Signature memory s = sign(p);
        address[2] memory both = [payer, address(receiver)];
        for (uint256 i = 0; i < both.length; ++i) {
            modern.addToBlockedList(both[i]);
            vm.expectRevert(abi.encodeWithSelector(MockModernToken.Blocked.selector, both[i]));
            payWith(p, terms(), s);
            modern.removeFromBlockedList(both[i]);
        }
        payWith(p, terms(), s);
    }

    function test_reverts_forATreasuryThatCannotBe() public {
        PaymentReceiver.Payment memory p = paymentOf(address(modern), 5e6);
        address[4] memory refused = [address(0), address(receiver), address(modern), payer];
        for (uint256 i = 0; i < refused.length; ++i) {
            p.treasury = refused[i];
            Signature memory s = sign(p);
            vm.expectRevert(refusal(refused[i]));
            payWith(p, terms(), s);
            vm.expectRevert(refusal(refused[i]));
            receiver.payWithWalletAuthorization(p, terms(), "");
        }
    }

    function test_reverts_forATokenWithoutAuthorizations() public {
        PaymentReceiver.Payment memory p = paymentOf(address(usdt), 5e6);
        usdt.transfer(address(receiver), 5e6);
        vm.expectRevert();
        receiver.payWithAuthorization(p, terms(), 27, 0, 0);
        // It takes any call, and moves nothing for this one.
        TakesAnything token = new TakesAnything();
        token.transfer(address(receiver), 5e6);
        p.token = address(token);
        vm.expectRevert(nothing(address(token), address(receiver), 5e6));
        receiver.payWithAuthorization(p, terms(), 27, 0, 0);
        vm.expectRevert(nothing(address(token), address(receiver), 5e6));
        receiver.payWithWalletAuthorization(p, terms(), "");
        same(token.balanceOf(TREASURY), 0, "what the treasury has");
    }

    function test_fee_is_no_payment() public {
        KeepsTenth token = new KeepsTenth();
        token.transfer(payer, 1000);
        uint256 held = token.balanceOf(payer);
        vm.recordLogs();
        receiver.payWithAuthorization(paymentOf(address(token), held), terms(), 27, 0, 0);
        // A tenth on the way here, and a tenth on the way on.
        uint256 arrived = held - held / 10;
        announced(vm.getRecordedLogs(), address(token), arrived - arrived / 10);
        same(token.balanceOf(address(receiver)), 0, "what the receiver has");
    }

    function test_reverts_whenTheTokenForwardsAPart() public {
        KeepsAuthorized token = new KeepsAuthorized();
        token.transfer(payer, 1000);
        vm.expectRevert(
            abi.encodeWithSelector(PaymentReceiver.MoneyStays.selector, address(token), 500)
        );
        receiver.payWithAuthorization(paymentOf(address(token), 1000), terms(), 27, 0, 0);
    }
}
