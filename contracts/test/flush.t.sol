// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Deposit} from "../src/Deposit.sol";
import {DepositFactory} from "../src/DepositFactory.sol";
import {MockUSDT} from "../src/mocks/MockUSDT.sol";
import {Base, Vm} from "./base/Base.sol";

/// @dev A treasury that takes no native coin.
contract Refusing {}

/// @dev What flushing does with ordinary money.
contract FlushTest is Base {
    bytes32 private constant SALT = keccak256("order");

    function test_everything_goes_to_the_treasury(uint64 amount, uint96 native, address caller)
        public
    {
        address deposit = factory.depositAddress(TREASURY, SALT);
        usdt.transfer(deposit, amount);
        vm.deal(deposit, native);
        vm.prank(caller);
        factory.flush(TREASURY, list(SALT), list(address(usdt)));
        same(usdt.balanceOf(TREASURY), amount, "tokens of the treasury");
        same(usdt.balanceOf(deposit), 0, "tokens of the deposit");
        same(TREASURY.balance, native, "coin of the treasury");
        same(deposit.balance, 0, "coin of the deposit");
    }

    function test_flushes_again_what_comes_later(uint32 first, uint32 second) public {
        address deposit = factory.depositAddress(TREASURY, SALT);
        usdt.transfer(deposit, first);
        flush(SALT, address(usdt));
        usdt.transfer(deposit, second);
        flush(SALT, address(usdt));
        same(usdt.balanceOf(TREASURY), uint256(first) + second, "the sum");
    }

    function test_deployed_deposit_can_be_flushed_directly_by_anybody(uint32 amount) public {
        flush(SALT, address(usdt));
        address deposit = factory.depositAddress(TREASURY, SALT);
        usdt.transfer(deposit, amount);
        vm.prank(STRANGER);
        Deposit(payable(deposit)).flush(list(address(usdt)));
        same(usdt.balanceOf(TREASURY), amount, "tokens of the treasury");
    }

    function test_native_coin_is_taken_after_deployment(uint96 native) public {
        flush(SALT, address(usdt));
        address deposit = factory.depositAddress(TREASURY, SALT);
        vm.deal(address(this), native);
        (bool taken,) = deposit.call{value: native}("");
        holds(taken, "the deposit takes coin");
        flush(SALT, address(usdt));
        same(TREASURY.balance, native, "coin of the treasury");
    }

    function test_many_deposits_and_tokens_at_once() public {
        MockUSDT other = new MockUSDT(1e18, "Other", "OTH", 18);
        bytes32[] memory salts = new bytes32[](5);
        for (uint256 i = 0; i < salts.length; ++i) {
            salts[i] = bytes32(i);
            address deposit = factory.depositAddress(TREASURY, salts[i]);
            usdt.transfer(deposit, 10 + i);
            other.transfer(deposit, 1000 + i);
        }
        address[] memory tokens = new address[](2);
        (tokens[0], tokens[1]) = (address(usdt), address(other));
        factory.flush(TREASURY, salts, tokens);
        same(usdt.balanceOf(TREASURY), 60, "the first token");
        same(other.balanceOf(TREASURY), 5010, "the second token");
    }

    function test_says_what_was_forwarded() public {
        address deposit = factory.depositAddress(TREASURY, SALT);
        usdt.transfer(deposit, 7e6);
        vm.recordLogs();
        flush(SALT, address(usdt));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory last = logs[logs.length - 1];
        same(last.emitter, deposit, "who says it");
        same(uint256(last.topics[0]), uint256(Deposit.Flushed.selector), "what happened");
        same(uint256(last.topics[1]), uint160(address(usdt)), "token");
        same(uint256(last.topics[2]), uint160(TREASURY), "treasury");
        same(abi.decode(last.data, (uint256)), 7e6, "amount");
    }

    function test_reverts_forZeroTreasury() public {
        vm.expectRevert(abi.encodeWithSelector(DepositFactory.ZeroTreasury.selector));
        factory.flush(address(0), list(SALT), list(address(usdt)));
    }

    function test_treasury_that_takes_no_coin_still_gets_its_tokens() public {
        address refusing = address(new Refusing());
        address deposit = factory.depositAddress(refusing, SALT);
        usdt.transfer(deposit, 5e6);
        vm.deal(deposit, 1 ether);
        factory.flush(refusing, list(SALT), list(address(usdt)));
        same(usdt.balanceOf(refusing), 5e6, "tokens of the treasury");
        same(deposit.balance, 1 ether, "the coin stays where it was");
    }

    function test_a_stranger_with_another_treasury_gets_nothing(uint64 amount) public {
        address deposit = factory.depositAddress(TREASURY, SALT);
        usdt.transfer(deposit, amount);
        vm.prank(STRANGER);
        factory.flush(STRANGER, list(SALT), list(address(usdt)));
        same(usdt.balanceOf(STRANGER), 0, "tokens of the stranger");
        same(usdt.balanceOf(deposit), amount, "tokens of the deposit");
    }
}
