// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {MockUSDT} from "../src/mocks/MockUSDT.sol";
import {Base} from "./base/Base.sol";

/// @dev What flushing does when gas is short. Wallets look for the least gas with which a
/// transaction does not fail, so a flush may not pass for a success when it lacked gas.
contract GasTest is Base {
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
}
