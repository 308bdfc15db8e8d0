// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {MockUSDT} from "../src/mocks/MockUSDT.sol";
import {Base} from "./base/Base.sol";
import {HungryBalance, HungryTransfer, HungryTreasury} from "./weird/tokens.sol";

/// @dev What flushing does when gas is short. Wallets look for the least gas with which a
/// transaction does not fail, so a flush may not pass for a success when it lacked gas.
contract GasTest is Base {
    bytes32 private constant SALT = keccak256("order");

    function test_flushes_all_or_fails_as_a_whole(uint256 given) public {
        (bytes32[] memory salts, address[] memory tokens) = (new bytes32[](2), new address[](6));
        for (uint256 i = 0; i < tokens.length; ++i) {
            tokens[i] = address(new MockUSDT(1e18, "Tether USD", "USDT", 6));
        }
        for (uint256 i = 0; i < salts.length; ++i) {
            salts[i] = bytes32(i);
            address deposit = factory.depositAddress(TREASURY, salts[i]);
            vm.deal(deposit, 1 ether);
            for (uint256 j = 0; j < tokens.length; ++j) {
                MockUSDT(tokens[j]).transfer(deposit, 5e6);
            }
        }
        uint256 gas = 30_000 + given % 600_000;
        try factory.flush{gas: gas}(TREASURY, salts, tokens) {
            same(TREASURY.balance, 2 ether, "coin of the treasury");
            for (uint256 j = 0; j < tokens.length; ++j) {
                same(MockUSDT(tokens[j]).balanceOf(TREASURY), 10e6, "tokens of the treasury");
            }
        } catch {
            same(TREASURY.balance, 0, "coin of the treasury");
            for (uint256 j = 0; j < tokens.length; ++j) {
                same(MockUSDT(tokens[j]).balanceOf(TREASURY), 0, "tokens of the treasury");
            }
        }
    }

    function test_dear_transfer_is_made_or_the_whole_fails(uint256 given) public {
        HungryTransfer token = new HungryTransfer();
        token.transfer(factory.depositAddress(TREASURY, SALT), 5e6);
        if (flushes(TREASURY, address(token), given)) {
            same(token.balanceOf(TREASURY), 5e6, "tokens of the treasury");
        }
    }

    function test_dear_balance_is_read_or_the_whole_fails(uint256 given) public {
        HungryBalance token = new HungryBalance(factory.depositAddress(TREASURY, SALT));
        if (flushes(TREASURY, address(token), given)) {
            same(token.balanceOf(TREASURY), 5e6, "tokens of the treasury");
        }
    }

    function test_dear_treasury_is_paid_or_the_whole_fails(uint256 given) public {
        address treasury = address(new HungryTreasury());
        vm.deal(factory.depositAddress(treasury, SALT), 1 ether);
        if (flushes(treasury, address(usdt), given)) {
            same(treasury.balance, 1 ether, "coin of the treasury");
        }
    }

    /// @dev Whether a flush with some gas, which may or may not suffice, says that it worked.
    function flushes(address treasury, address token, uint256 given) private returns (bool) {
        uint256 gas = 100_000 + given % 2_000_000;
        try factory.flush{gas: gas}(treasury, list(SALT), list(token)) {
            return true;
        } catch {
            holds(gas < 2_000_000, "ample gas suffices");
            return false;
        }
    }
}
