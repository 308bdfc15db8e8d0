// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Deposit} from "../../src/Deposit.sol";
import {Base, Vm} from "../base/Base.sol";
import {
    FeeOnTransfer,
    Ledger,
    Liar,
    Reentrant,
    ReturnBomb,
    ReturnsFalse,
    ReturnsTrue,
    RevertBomb,
    Reverting
} from "./tokens.sol";

interface ITransfer {
    function transfer(address to, uint256 value) external;
}

/// @dev Tokens that do not behave: each is flushed as far as it can be, and stops no other.
contract WeirdTest is Base {
    bytes32 private constant SALT = keccak256("order");
    address private deposit;

    function setUp() public override {
        super.setUp();
        deposit = factory.depositAddress(TREASURY, SALT);
        usdt.transfer(deposit, 5e6);
    }

    /// @dev Flushes `weird` first and USDT after it, and checks that USDT arrived.
    function flushBoth(address weird) private {
        address[] memory tokens = new address[](2);
        (tokens[0], tokens[1]) = (weird, address(usdt));
        vm.prank(STRANGER);
        factory.flush(TREASURY, list(SALT), tokens);
        same(usdt.balanceOf(TREASURY), 5e6, "USDT still arrives");
    }

    function give(Ledger token, uint256 value) private {
        // Some of these answer oddly, so the answer is not looked at.
        (bool ok,) =
            address(token).call(abi.encodeWithSelector(ITransfer.transfer.selector, deposit, value));
        holds(ok, "the token was given");
    }

    function test_returns_false(uint64 value) public {
        Ledger token = new ReturnsFalse();
        give(token, value);
        flushBoth(address(token));
        same(token.balanceOf(TREASURY), value, "it arrives");
    }

    function test_returns_true(uint64 value) public {
        Ledger token = new ReturnsTrue();
        give(token, value);
        flushBoth(address(token));
        same(token.balanceOf(TREASURY), value, "it arrives");
    }

    function test_returns_a_megabyte(uint64 value) public {
        Ledger token = new ReturnBomb();
        give(token, value);
        flushBoth(address(token));
        same(token.balanceOf(TREASURY), value, "it arrives");
    }

    function test_fails_with_a_megabyte() public {
        flushBoth(address(new RevertBomb()));
    }

    function test_refuses() public {
        Reverting token = new Reverting();
        give(token, 9);
        token.beginToRefuse();
        flushBoth(address(token));
        same(token.balanceOf(deposit), 9, "it stays");
    }

    function test_a_lie_is_announced_as_a_failure() public {
        Liar token = new Liar();
        give(token, 9);
        token.beginToLie();
        vm.recordLogs();
        flushBoth(address(token));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bool told;
        for (uint256 i = 0; i < logs.length; ++i) {
            bool failed = logs[i].topics[0] == Deposit.FlushFailed.selector;
            if (failed && logs[i].emitter == deposit) told = true;
        }
        holds(told, "the failure is told");
        same(token.balanceOf(deposit), 9, "it stays");
    }

    function test_takes_a_fee(uint64 value) public {
        Ledger token = new FeeOnTransfer();
        give(token, value);
        uint256 held = token.balanceOf(deposit);
        flushBoth(address(token));
        same(token.balanceOf(TREASURY), held - held / 10, "what is left arrives");
        same(token.balanceOf(deposit), 0, "nothing stays");
    }

    function test_reenters_for_nothing() public {
        Reentrant token = new Reentrant(factory, SALT, TREASURY, address(usdt));
        // Handing it over already calls back, which already flushes.
        give(token, 9);
        flushBoth(address(token));
        same(token.balanceOf(TREASURY), 9, "it arrives");
        same(usdt.balanceOf(address(token)), 0, "the token itself gets nothing");
    }

    function test_no_contract_at_all(address nothing) public {
        vm.assume(nothing.code.length == 0 && uint160(nothing) > 0xffff);
        flushBoth(nothing);
    }

    function test_frozen_deposit_keeps_its_money_and_stops_no_other() public {
        bytes32 other = keccak256("another order");
        usdt.transfer(factory.depositAddress(TREASURY, other), 3e6);
        usdt.addBlackList(deposit);
        bytes32[] memory salts = new bytes32[](2);
        (salts[0], salts[1]) = (SALT, other);
        factory.flush(TREASURY, salts, list(address(usdt)));
        same(usdt.balanceOf(TREASURY), 3e6, "the other arrives");
        same(usdt.balanceOf(deposit), 5e6, "the frozen one stays");
    }
}
