// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Deposit} from "../src/Deposit.sol";
import {DepositFactory} from "../src/DepositFactory.sol";
import {Base} from "./base/Base.sol";
import {Deterministic} from "./base/Deterministic.sol";

/// @dev Where deposits lie.
contract AddressTest is Base, Deterministic {
    function test_deposit_is_deployed_where_it_was_predicted(address treasury, bytes32 salt)
        public
    {
        vm.assume(treasury != address(0));
        address predicted = factory.depositAddress(treasury, salt);
        same(predicted.code.length, 0, "nothing is there before");
        factory.flush(treasury, list(salt), new address[](0));
        holds(predicted.code.length > 0, "it is there afterwards");
        same(Deposit(payable(predicted)).treasury(), treasury, "its treasury");
    }

    function test_treasury_and_salt_each_change_the_address(
        address treasury,
        bytes32 salt,
        address otherTreasury,
        bytes32 otherSalt
    ) public view {
        vm.assume(treasury != address(0) && otherTreasury != address(0));
        address deposit = factory.depositAddress(treasury, salt);
        if (treasury != otherTreasury) {
            holds(deposit != factory.depositAddress(otherTreasury, salt), "another treasury");
        }
        if (salt != otherSalt) {
            holds(deposit != factory.depositAddress(treasury, otherSalt), "another salt");
        }
    }

    function test_implementation_forwards_nothing() public {
        Deposit implementation = Deposit(payable(factory.implementation()));
        bytes memory refusal =
            abi.encodeWithSelector(Deposit.NotADeposit.selector, address(implementation));
        vm.expectRevert(refusal);
        implementation.treasury();
        usdt.transfer(address(implementation), 5e6);
        vm.expectRevert(refusal);
        implementation.flush(list(address(usdt)));
        vm.deal(address(this), 1);
        (bool taken, bytes memory answer) = address(implementation).call{value: 1}("");
        holds(!taken && keccak256(answer) == keccak256(refusal), "it takes no coin");
    }

    function test_reverts_forZeroTreasury(bytes32 salt) public {
        vm.expectRevert(abi.encodeWithSelector(DepositFactory.ZeroTreasury.selector));
        factory.depositAddress(address(0), salt);
    }

    /// @dev The same vectors are read by the Rust derivation's test.
    function test_vectors() public {
        string memory json = vm.readFile("vectors/deposit-addresses.json");
        deploy(type(DepositFactory).creationCode);
        address standing = vm.parseJsonAddress(json, ".factory");
        holds(standing.code.length > 0, "the factory is where the vectors say");
        DepositFactory deterministic = DepositFactory(standing);
        same(
            deterministic.implementation(),
            vm.parseJsonAddress(json, ".implementation"),
            "implementation"
        );
        for (uint256 i = 0; i < 8; ++i) {
            string memory key = string.concat(".deposits[", vm.toString(i), "]");
            address treasury = vm.parseJsonAddress(json, string.concat(key, ".treasury"));
            bytes32 salt = vm.parseJsonBytes32(json, string.concat(key, ".salt"));
            address expected = vm.parseJsonAddress(json, string.concat(key, ".address"));
            same(deterministic.depositAddress(treasury, salt), expected, key);
        }
    }

    /// @dev What is on chain, immutables included; the Rust side compares it with what it finds.
    function test_code_hashes() public {
        string memory json = vm.readFile("vectors/code-hashes.json");
        deploy(type(DepositFactory).creationCode);
        DepositFactory standing = DepositFactory(
            vm.parseJsonAddress(vm.readFile("vectors/deposit-addresses.json"), ".factory")
        );
        same(address(standing).codehash, vm.parseJsonBytes32(json, ".DepositFactory"), "factory");
        same(standing.implementation().codehash, vm.parseJsonBytes32(json, ".Deposit"), "deposit");
        for (uint256 i = 0; i < 8; ++i) {
            string memory key = string.concat(".clones[", vm.toString(i), "]");
            address treasury = vm.parseJsonAddress(json, string.concat(key, ".treasury"));
            standing.flush(treasury, list(bytes32(i)), new address[](0));
            same(
                standing.depositAddress(treasury, bytes32(i)).codehash,
                vm.parseJsonBytes32(json, string.concat(key, ".hash")),
                key
            );
        }
    }
}
