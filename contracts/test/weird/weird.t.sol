// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Deposit} from "../../src/Deposit.sol";
import {Base, Vm} from "../base/Base.sol";
import {
    BalanceBurner,
    BouncingTreasury,
    BurningTreasury,
    FeeOnTransfer,
    Forgetful,
    GasBurner,
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

    function wasTold(Vm.Log[] memory logs, address token, uint256 balance)
        private
        view
        returns (bool)
    {
        return wasTold(logs, deposit, token, balance);
    }

    /// @dev Whether `from` said that `balance` of `token` stays.
    function wasTold(Vm.Log[] memory logs, address from, address token, uint256 balance)
        private
        pure
        returns (bool)
    {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != from || logs[i].topics[0] != Deposit.FlushFailed.selector) {
                continue;
            }
            bool ofToken = logs[i].topics[1] == bytes32(uint256(uint160(token)));
            if (ofToken && abi.decode(logs[i].data, (uint256)) == balance) return true;
        }
        return false;
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
        holds(wasTold(vm.getRecordedLogs(), address(token), 9), "the failure is told");
        same(token.balanceOf(deposit), 9, "it stays");
    }

    function test_burns_all_gas() public {
        GasBurner token = new GasBurner();
        give(token, 9);
        token.beginToBurn();
        vm.recordLogs();
        flushBoth(address(token));
        holds(wasTold(vm.getRecordedLogs(), address(token), 9), "the failure is told");
    }

    function test_burns_all_gas_when_asked_for_a_balance() public {
        address token = address(new BalanceBurner());
        vm.recordLogs();
        flushBoth(token);
        holds(wasTold(vm.getRecordedLogs(), token, 0), "the failure is told");
    }

    function test_a_burner_needs_no_more_than_a_few_million_gas() public {
        address[] memory tokens = new address[](3);
        tokens[0] = address(new BalanceBurner());
        tokens[1] = address(new BalanceBurner());
        tokens[2] = address(usdt);
        factory.flush{gas: 3_000_000}(TREASURY, list(SALT), tokens);
        same(usdt.balanceOf(TREASURY), 5e6, "USDT still arrives");
    }

    function test_a_burner_with_little_gas_fails_the_whole() public {
        address[] memory tokens = new address[](2);
        (tokens[0], tokens[1]) = (address(usdt), address(new BalanceBurner()));
        vm.expectPartialRevert(Deposit.TooLittleGas.selector);
        factory.flush{gas: 400_000}(TREASURY, list(SALT), tokens);
    }

    function test_a_balance_that_cannot_be_read_afterwards_is_no_success() public {
        address token = address(new Forgetful());
        vm.recordLogs();
        flushBoth(token);
        holds(wasTold(vm.getRecordedLogs(), token, 1), "the failure is told");
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
        vm.recordLogs();
        flushBoth(nothing);
        holds(wasTold(vm.getRecordedLogs(), nothing, 0), "the failure is told");
    }

    function test_treasury_that_burns_all_gas_still_gets_its_tokens() public {
        flushTo(address(new BurningTreasury()));
    }

    function test_treasury_that_sends_coin_back_still_gets_its_tokens() public {
        flushTo(address(new BouncingTreasury()));
    }

    /// @dev Flushes coin and USDT of two deposits to a treasury that does not keep coin.
    function flushTo(address treasury) private {
        bytes32[] memory salts = new bytes32[](2);
        (salts[0], salts[1]) = (SALT, keccak256("another order"));
        for (uint256 i = 0; i < salts.length; ++i) {
            address from = factory.depositAddress(treasury, salts[i]);
            usdt.transfer(from, 2e6);
            vm.deal(from, 1 ether);
        }
        vm.recordLogs();
        factory.flush(treasury, salts, list(address(usdt)));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(usdt.balanceOf(treasury), 4e6, "tokens of the treasury");
        for (uint256 i = 0; i < salts.length; ++i) {
            address from = factory.depositAddress(treasury, salts[i]);
            same(from.balance, 1 ether, "the coin stays where it was");
            holds(wasTold(logs, from, address(0), 1 ether), "the failure is told");
        }
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
