// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {MockUSDT} from "../../src/mocks/MockUSDT.sol";
import {UpgradedUSDT} from "../../src/mocks/UpgradedUSDT.sol";
import {Base, Vm} from "../base/Base.sol";

/// @dev What the issuer can do: freeze, pause, replace.
contract MockLeversTest is Base {
    function test_frozen_account_receives_and_cannot_send() public {
        usdt.addBlackList(CUSTOMER);
        usdt.transfer(CUSTOMER, 5);
        same(usdt.balanceOf(CUSTOMER), 5, "it receives");
        vm.prank(CUSTOMER);
        vm.expectRevert(abi.encodeWithSelector(MockUSDT.BlackListed.selector, CUSTOMER));
        usdt.transfer(STRANGER, 1);
        usdt.removeBlackList(CUSTOMER);
        vm.prank(CUSTOMER);
        usdt.transfer(STRANGER, 1);
        same(usdt.balanceOf(STRANGER), 1, "it sends again");
    }

    function test_freezing_names_the_user_in_data_not_in_topics() public {
        vm.recordLogs();
        usdt.addBlackList(CUSTOMER);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(logs[0].topics.length, 1, "topics");
        same(abi.decode(logs[0].data, (address)), CUSTOMER, "who");
    }

    function test_frozen_funds_are_destroyed_without_a_transfer() public {
        usdt.transfer(CUSTOMER, 5);
        vm.expectRevert(abi.encodeWithSelector(MockUSDT.NotBlackListed.selector, CUSTOMER));
        usdt.destroyBlackFunds(CUSTOMER);
        usdt.addBlackList(CUSTOMER);
        uint256 supply = usdt.totalSupply();
        vm.recordLogs();
        usdt.destroyBlackFunds(CUSTOMER);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(logs.length, 1, "number of logs");
        holds(logs[0].topics[0] != TRANSFER, "no Transfer");
        same(usdt.balanceOf(CUSTOMER), 0, "balance");
        same(usdt.totalSupply(), supply - 5, "supply");
    }

    function test_pause_stops_transfers_but_not_approvals() public {
        usdt.pause();
        vm.expectRevert(abi.encodeWithSelector(MockUSDT.Paused.selector));
        usdt.transfer(CUSTOMER, 1);
        vm.expectRevert(abi.encodeWithSelector(MockUSDT.Paused.selector));
        usdt.transferFrom(address(this), CUSTOMER, 0);
        usdt.approve(CUSTOMER, 5);
        usdt.unpause();
        usdt.transfer(CUSTOMER, 1);
    }

    function test_deprecated_token_is_silent_and_its_successor_logs() public {
        address[] memory holders = list(address(this));
        uint256[] memory balances = new uint256[](1);
        balances[0] = 100;
        UpgradedUSDT upgraded = new UpgradedUSDT(address(usdt), holders, balances);
        usdt.deprecate(address(upgraded));
        vm.recordLogs();
        usdt.transfer(CUSTOMER, 40);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(logs.length, 1, "number of logs");
        same(logs[0].emitter, address(upgraded), "who logs");
        same(usdt.balanceOf(CUSTOMER), 40, "the old one reads through");
        same(usdt.totalSupply(), 100, "supply");
        usdt.approve(STRANGER, 7);
        same(usdt.allowance(address(this), STRANGER), 7, "allowance");
        vm.prank(STRANGER);
        usdt.transferFrom(address(this), STRANGER, 7);
        same(usdt.balanceOf(STRANGER), 7, "taken by allowance");
        vm.expectRevert(abi.encodeWithSelector(UpgradedUSDT.NotLegacy.selector, address(this)));
        upgraded.transferByLegacy(CUSTOMER, address(this), 1);
    }

    function test_reverts_whenNotOwner(address caller) public {
        vm.assume(caller != address(this));
        bytes memory refusal = abi.encodeWithSelector(MockUSDT.NotOwner.selector, caller);
        bytes[7] memory calls = [
            abi.encodeWithSelector(MockUSDT.pause.selector),
            abi.encodeWithSelector(MockUSDT.issue.selector, 1),
            abi.encodeWithSelector(MockUSDT.redeem.selector, 1),
            abi.encodeWithSelector(MockUSDT.setParams.selector, 1, 1),
            abi.encodeWithSelector(MockUSDT.deprecate.selector, caller),
            abi.encodeWithSelector(MockUSDT.addBlackList.selector, caller),
            abi.encodeWithSelector(MockUSDT.transferOwnership.selector, caller)
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(caller);
            (bool ok, bytes memory answer) = address(usdt).call(calls[i]);
            holds(!ok && keccak256(answer) == keccak256(refusal), "only the owner may");
        }
    }
}
