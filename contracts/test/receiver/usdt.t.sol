// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {MockUSDT} from "../../src/mocks/MockUSDT.sol";
import {UpgradedUSDT} from "../../src/mocks/UpgradedUSDT.sol";
import {Vm} from "../base/Base.sol";
import {ReceiverBase} from "../base/ReceiverBase.sol";

/// @dev Paying with USDT while its issuer pulls his levers.
contract PayUsdtTest is ReceiverBase {
    function test_fee_is_not_announced(uint64 amount) public {
        vm.assume(amount > 0);
        usdt.setParams(19, 49);
        usdt.transfer(payer, uint256(amount) * 2);
        vm.prank(payer);
        usdt.approve(address(receiver), amount);
        uint256 fee = uint256(amount) * 19 / 10_000;
        if (fee > 49e6) fee = 49e6;
        vm.recordLogs();
        pay(address(usdt), amount);
        announced(vm.getRecordedLogs(), address(usdt), amount - fee);
        same(usdt.balanceOf(TREASURY), amount - fee, "what the treasury has");
    }

    function test_reverts_whenThePayerIsFrozen() public {
        fund(5e6);
        usdt.addBlackList(payer);
        vm.expectRevert(abi.encodeWithSelector(MockUSDT.BlackListed.selector, payer));
        pay(address(usdt), 5e6);
    }

    function test_frozen_treasury_and_receiver_are_paid() public {
        fund(5e6);
        usdt.addBlackList(TREASURY);
        usdt.addBlackList(address(receiver));
        vm.recordLogs();
        pay(address(usdt), 5e6);
        announced(vm.getRecordedLogs(), address(usdt), 5e6);
    }

    function test_reverts_whilePaused() public {
        fund(5e6);
        usdt.pause();
        vm.expectRevert(abi.encodeWithSelector(MockUSDT.Paused.selector));
        pay(address(usdt), 5e6);
    }

    function test_replaced_token_is_paid_through_the_old_one() public {
        uint256[] memory balances = new uint256[](1);
        balances[0] = 9e6;
        UpgradedUSDT successor = new UpgradedUSDT(address(usdt), list(payer), balances);
        usdt.deprecate(address(successor));
        vm.prank(payer);
        usdt.approve(address(receiver), 5e6);
        vm.recordLogs();
        pay(address(usdt), 5e6);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        announced(logs, address(usdt), 5e6);
        same(logs[0].emitter, address(successor), "the Transfer is the successor's");
        same(successor.balanceOf(TREASURY), 5e6, "what the treasury has");
    }

    /// @dev Its owner may hand everything over to a contract that does nothing.
    function test_reverts_whenTheSuccessorIsNone(address successor) public {
        fund(5e6);
        vm.assume(successor.code.length == 0);
        usdt.deprecate(successor);
        vm.expectRevert();
        pay(address(usdt), 5e6);
    }

    function test_payer_who_is_the_treasury_pays_nothing() public {
        fund(5e6);
        vm.prank(payer);
        vm.expectRevert(refusal(payer));
        receiver.pay(payer, ORDER, address(usdt), 5e6);
    }
}
