// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PaymentReceiver} from "../../src/PaymentReceiver.sol";
import {Vm} from "../base/Base.sol";
import {ReceiverBase} from "../base/ReceiverBase.sol";
import {TakesAnything} from "../weird/paid.sol";

/// @dev Paying with an allowance that was signed (EIP-2612).
contract PermitTest is ReceiverBase {
    function signed(uint256 amount) private view returns (Signature memory) {
        return signPermit(KEY, address(modern), address(receiver), amount, NOW);
    }

    function payWith(Signature memory s, address token, uint256 amount) private {
        receiver.payWithPermit(paymentOf(token, amount), NOW, s.v, s.r, s.s);
    }

    function refused(address token, address who, uint256 allowed, uint256 amount)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            PaymentReceiver.PermitRefused.selector, token, who, allowed, amount
        );
    }

    function test_needs_no_earlier_allowance(uint64 amount) public {
        vm.assume(amount > 0);
        modern.mint(payer, amount);
        Signature memory s = signed(amount);
        vm.recordLogs();
        vm.prank(payer);
        payWith(s, address(modern), amount);
        announced(vm.getRecordedLogs(), address(modern), amount);
        same(modern.balanceOf(TREASURY), amount, "what the treasury has");
        same(modern.allowance(payer, address(receiver)), 0, "allowance that is left");
    }

    function test_permit_that_a_stranger_used_first_does_no_harm(uint64 amount) public {
        vm.assume(amount > 0);
        modern.mint(payer, amount);
        Signature memory s = signed(amount);
        vm.prank(STRANGER);
        modern.permit(payer, address(receiver), amount, NOW, s.v, s.r, s.s);
        vm.recordLogs();
        vm.prank(payer);
        payWith(s, address(modern), amount);
        announced(vm.getRecordedLogs(), address(modern), amount);
    }

    function test_token_without_permits_needs_an_allowance() public {
        Signature memory s = signed(5e6);
        usdt.transfer(payer, 5e6);
        vm.prank(payer);
        vm.expectRevert(refused(address(usdt), payer, 0, 5e6));
        payWith(s, address(usdt), 5e6);
        vm.prank(payer);
        usdt.approve(address(receiver), 5e6);
        vm.recordLogs();
        vm.prank(payer);
        payWith(s, address(usdt), 5e6);
        announced(vm.getRecordedLogs(), address(usdt), 5e6);
    }

    /// @dev A coin-wrapping token takes any call for a deposit, so its "yes" says nothing.
    function test_token_that_takes_any_call_still_needs_an_allowance() public {
        TakesAnything token = new TakesAnything();
        token.transfer(payer, 5e6);
        Signature memory s = signed(5e6);
        vm.prank(payer);
        vm.expectRevert();
        payWith(s, address(token), 5e6);
        same(token.balanceOf(payer), 5e6, "what the payer has");
    }

    function test_signature_of_another_pays_nothing(uint64 amount, address thief) public {
        vm.assume(amount > 0 && thief != payer && thief != TREASURY);
        vm.assume(thief != address(modern) && thief != address(0));
        modern.mint(payer, amount);
        modern.mint(thief, amount);
        Signature memory s = signed(amount);
        vm.prank(thief);
        vm.expectRevert(refused(address(modern), thief, 0, amount));
        payWith(s, address(modern), amount);
    }

    function test_reverts_whenLate() public {
        modern.mint(payer, 5e6);
        Signature memory s = signed(5e6);
        vm.warp(NOW + 1);
        vm.prank(payer);
        vm.expectRevert(refused(address(modern), payer, 0, 5e6));
        payWith(s, address(modern), 5e6);
    }

    function test_reverts_forMoreThanWasSigned() public {
        modern.mint(payer, 9e6);
        Signature memory s = signed(5e6);
        vm.prank(payer);
        vm.expectRevert(refused(address(modern), payer, 0, 6e6));
        payWith(s, address(modern), 6e6);
    }

    function test_reverts_forWhatCannotBeAPayment() public {
        Signature memory s = signed(0);
        PaymentReceiver.Payment memory p = paymentOf(address(modern), 0);
        vm.prank(payer);
        vm.expectRevert(
            abi.encodeWithSelector(PaymentReceiver.ZeroAmount.selector, TREASURY, ORDER)
        );
        receiver.payWithPermit(p, NOW, s.v, s.r, s.s);
        (p.amount, p.treasury) = (1, payer);
        vm.prank(payer);
        vm.expectRevert(refusal(payer));
        receiver.payWithPermit(p, NOW, s.v, s.r, s.s);
        (p.treasury, p.token) = (TREASURY, STRANGER);
        vm.prank(payer);
        vm.expectRevert(abi.encodeWithSelector(PaymentReceiver.NotAContract.selector, STRANGER));
        receiver.payWithPermit(p, NOW, s.v, s.r, s.s);
    }
}
