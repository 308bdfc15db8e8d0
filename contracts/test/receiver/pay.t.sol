// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PaymentReceiver} from "../../src/PaymentReceiver.sol";
import {Vm} from "../base/Base.sol";
import {ReceiverBase} from "../base/ReceiverBase.sol";

/// @dev Paying with one's own money and an allowance.
contract PayTest is ReceiverBase {
    function test_goes_straight_to_the_treasury_and_is_announced(uint64 amount) public {
        vm.assume(amount > 0);
        fund(amount);
        vm.recordLogs();
        pay(address(usdt), amount);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        announced(logs, address(usdt), amount);
        same(logs.length, 2, "one Transfer and one Paid");
        same(logs[0].topics[0], TRANSFER, "the Transfer comes first");
        same(uint256(logs[0].topics[1]), uint160(payer), "from");
        same(logs[0].topics[2], logs[1].topics[2], "treasury is topic 2 of both");
        same(usdt.balanceOf(TREASURY), amount, "what the treasury has");
        same(usdt.balanceOf(payer), 0, "what the payer has");
        same(usdt.balanceOf(address(receiver)), 0, "what the receiver has");
    }

    function test_treasury_that_has_money_already(uint64 before, uint64 amount) public {
        vm.assume(amount > 0);
        usdt.transfer(TREASURY, before);
        fund(amount);
        vm.recordLogs();
        pay(address(usdt), amount);
        announced(vm.getRecordedLogs(), address(usdt), amount);
        same(usdt.balanceOf(TREASURY), uint256(before) + amount, "what the treasury has");
    }

    function test_two_payments_in_one_transaction_are_two(uint32 first, uint32 second) public {
        vm.assume(first > 0 && second > 0);
        fund(uint256(first) + second);
        vm.recordLogs();
        pay(address(usdt), first);
        pay(address(usdt), second);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(count(logs), 2, "payments");
        (, uint256 told) = abi.decode(logs[1].data, (address, uint256));
        same(told, first, "the first");
        (, told) = abi.decode(logs[3].data, (address, uint256));
        same(told, second, "the second");
    }

    function test_allowance_of_another_is_of_no_use(uint64 amount, address thief) public {
        vm.assume(amount > 0 && thief != payer && thief != TREASURY && thief != address(this));
        fund(amount);
        vm.prank(thief);
        vm.expectRevert();
        receiver.pay(TREASURY, ORDER, address(usdt), amount);
        same(usdt.balanceOf(payer), amount, "what the payer has");
    }

    function test_money_that_was_sent_here_is_nobodys_payment(uint32 lost, uint32 amount) public {
        vm.assume(amount > 0);
        usdt.transfer(address(receiver), lost);
        fund(amount);
        vm.recordLogs();
        pay(address(usdt), amount);
        announced(vm.getRecordedLogs(), address(usdt), amount);
        same(usdt.balanceOf(address(receiver)), lost, "it stays");
    }

    function test_reverts_withoutAllowance() public {
        usdt.transfer(payer, 5e6);
        vm.prank(payer);
        vm.expectRevert();
        receiver.pay(TREASURY, ORDER, address(usdt), 5e6);
    }

    function test_reverts_withoutMoney() public {
        vm.prank(payer);
        usdt.approve(address(receiver), 5e6);
        vm.prank(payer);
        vm.expectRevert();
        receiver.pay(TREASURY, ORDER, address(usdt), 5e6);
    }

    function test_reverts_forATreasuryThatCannotBe() public {
        fund(5e6);
        address[4] memory refused = [address(0), address(receiver), address(usdt), payer];
        for (uint256 i = 0; i < refused.length; ++i) {
            vm.prank(payer);
            vm.expectRevert(refusal(refused[i]));
            receiver.pay(refused[i], ORDER, address(usdt), 5e6);
        }
    }

    function test_reverts_forNothing() public {
        vm.prank(payer);
        vm.expectRevert(
            abi.encodeWithSelector(PaymentReceiver.ZeroAmount.selector, TREASURY, ORDER)
        );
        receiver.pay(TREASURY, ORDER, address(usdt), 0);
    }

    function test_reverts_forATokenThatIsNoContract(address token) public {
        vm.assume(token.code.length == 0 && token != TREASURY);
        vm.prank(payer);
        vm.expectRevert(abi.encodeWithSelector(PaymentReceiver.NotAContract.selector, token));
        receiver.pay(TREASURY, ORDER, token, 5e6);
    }

    function test_reverts_forAContractThatIsNoToken() public {
        address[2] memory none = [address(receiver), address(factory)];
        for (uint256 i = 0; i < none.length; ++i) {
            vm.prank(payer);
            vm.expectRevert();
            receiver.pay(TREASURY, ORDER, none[i], 5e6);
        }
    }

    function test_takes_no_coin() public {
        vm.deal(address(this), 2);
        (bool taken,) = address(receiver).call{value: 1}("");
        holds(!taken, "not by itself");
        (taken,) = address(receiver).call{value: 1}(
            abi.encodeCall(PaymentReceiver.pay, (TREASURY, ORDER, address(usdt), 1))
        );
        holds(!taken, "not with a payment");
        same(address(receiver).balance, 0, "coin");
    }
}
