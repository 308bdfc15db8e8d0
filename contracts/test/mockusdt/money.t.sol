// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {MockUSDT} from "../../src/mocks/MockUSDT.sol";
import {Base, Vm} from "../base/Base.sol";

/// @dev How the mock moves money, and what it logs.
contract MockMoneyTest is Base {
    function onlyLog(Vm.Log[] memory logs, uint256 which, address from, address to, uint256 value)
        private
        pure
    {
        same(uint256(logs[which].topics[0]), uint256(TRANSFER), "a Transfer");
        same(uint256(logs[which].topics[1]), uint160(from), "from");
        same(uint256(logs[which].topics[2]), uint160(to), "to");
        same(abi.decode(logs[which].data, (uint256)), value, "value");
    }

    function test_transfer_returns_nothing() public {
        bytes memory call = abi.encodeWithSignature("transfer(address,uint256)", CUSTOMER, 5);
        (bool ok, bytes memory answer) = address(usdt).call(call);
        holds(ok, "it succeeds");
        same(answer.length, 0, "length of the answer");
    }

    function test_short_calldata_reverts() public {
        bytes memory call = abi.encodeWithSignature("transfer(address,uint256)", CUSTOMER, 5);
        bytes memory short = new bytes(67);
        for (uint256 i = 0; i < short.length; ++i) {
            short[i] = call[i];
        }
        (bool ok,) = address(usdt).call(short);
        holds(!ok, "67 bytes are refused");
    }

    function test_fee_is_logged_first_and_taken_from_what_arrives(uint64 value) public {
        usdt.setParams(10, 5);
        usdt.transfer(CUSTOMER, 1e12);
        uint256 before = usdt.balanceOf(address(this));
        uint256 sent = uint256(value) % 1e11;
        uint256 fee = sent * 10 / 10_000;
        if (fee > 5e6) fee = 5e6;
        vm.recordLogs();
        vm.prank(CUSTOMER);
        usdt.transfer(STRANGER, sent);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(logs.length, fee > 0 ? 2 : 1, "number of logs");
        if (fee > 0) onlyLog(logs, 0, CUSTOMER, address(this), fee);
        onlyLog(logs, logs.length - 1, CUSTOMER, STRANGER, sent - fee);
        same(usdt.balanceOf(STRANGER), sent - fee, "what arrives");
        same(usdt.balanceOf(address(this)), before + fee, "what the owner gets");
    }

    function test_reverts_whenFeeTooHigh() public {
        vm.expectRevert(abi.encodeWithSelector(MockUSDT.FeeTooHigh.selector, 20, 5));
        usdt.setParams(20, 5);
        vm.expectRevert(abi.encodeWithSelector(MockUSDT.FeeTooHigh.selector, 10, 50));
        usdt.setParams(10, 50);
    }

    function test_anybody_moves_nothing_in_anybodys_name(address victim, address to) public {
        vm.recordLogs();
        vm.prank(STRANGER);
        usdt.transferFrom(victim, to, 0);
        onlyLog(vm.getRecordedLogs(), 0, victim, to, 0);
    }

    function test_reverts_withoutAllowance(uint64 value) public {
        vm.assume(value > 0);
        vm.prank(STRANGER);
        vm.expectRevert();
        usdt.transferFrom(address(this), STRANGER, value);
    }

    function test_allowance_goes_through_zero() public {
        usdt.approve(STRANGER, 5);
        vm.expectRevert(abi.encodeWithSelector(MockUSDT.ApproveFromNonZero.selector, 5));
        usdt.approve(STRANGER, 6);
        usdt.approve(STRANGER, 0);
        usdt.approve(STRANGER, 6);
        same(usdt.allowance(address(this), STRANGER), 6, "allowance");
    }

    function test_endless_allowance_does_not_shrink() public {
        usdt.approve(STRANGER, type(uint256).max);
        vm.prank(STRANGER);
        usdt.transferFrom(address(this), CUSTOMER, 5);
        same(usdt.allowance(address(this), STRANGER), type(uint256).max, "allowance");
    }

    function test_odd_recipients_are_fine() public {
        vm.recordLogs();
        usdt.transfer(address(0), 1);
        usdt.transfer(address(this), 2);
        usdt.transfer(address(usdt), 3);
        usdt.transfer(CUSTOMER, 0);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        onlyLog(logs, 0, address(this), address(0), 1);
        onlyLog(logs, 1, address(this), address(this), 2);
        onlyLog(logs, 2, address(this), address(usdt), 3);
        onlyLog(logs, 3, address(this), CUSTOMER, 0);
    }

    function test_supply_changes_without_a_transfer() public {
        vm.recordLogs();
        MockUSDT fresh = new MockUSDT(7, "Tether USD", "USDT", 18);
        same(vm.getRecordedLogs().length, 0, "logs of the constructor");
        same(fresh.decimals(), 18, "decimals");
        fresh.issue(5);
        same(fresh.totalSupply(), 12, "supply after issue");
        fresh.redeem(2);
        same(fresh.totalSupply(), 10, "supply after redeem");
        same(fresh.balanceOf(address(this)), 10, "the owner's balance");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            holds(logs[i].topics[0] != TRANSFER, "no Transfer");
        }
    }
}
