// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PaymentReceiver} from "../../src/PaymentReceiver.sol";
import {Deterministic} from "../base/Deterministic.sol";
import {ReceiverBase} from "../base/ReceiverBase.sol";

/// @dev Where the receiver lies, and what payers sign for it there.
contract ReceiverAddressTest is ReceiverBase, Deterministic {
    /// @dev The same vectors are read by the Rust derivation's test.
    function test_vectors() public {
        string memory json = vm.readFile("vectors/payment-receiver.json");
        deploy(type(PaymentReceiver).creationCode);
        PaymentReceiver standing = PaymentReceiver(vm.parseJsonAddress(json, ".receiver"));
        same(
            address(standing).codehash,
            vm.parseJsonBytes32(vm.readFile("vectors/code-hashes.json"), ".PaymentReceiver"),
            "the code at the receiver's address"
        );
        same(PaymentReceiver.Paid.selector, vm.parseJsonBytes32(json, ".paid"), "topic of Paid");
        for (uint256 i = 0; i < 4; ++i) {
            string memory key = string.concat(".signed[", vm.toString(i), "]");
            address treasury = vm.parseJsonAddress(json, string.concat(key, ".treasury"));
            bytes32 orderRef = vm.parseJsonBytes32(json, string.concat(key, ".orderRef"));
            bytes32 salt = vm.parseJsonBytes32(json, string.concat(key, ".salt"));
            vm.chainId(vm.parseJsonUint(json, string.concat(key, ".chainId")));
            same(
                standing.authorizationNonce(treasury, orderRef, salt),
                vm.parseJsonBytes32(json, string.concat(key, ".nonce")),
                key
            );
            same(
                keccak256(abi.encode(standing.WITNESS_TYPEHASH(), treasury, orderRef)),
                vm.parseJsonBytes32(json, string.concat(key, ".witness")),
                key
            );
        }
    }
}
