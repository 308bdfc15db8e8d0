// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PaymentReceiver} from "../src/PaymentReceiver.sol";
import {ReceiverBase} from "./base/ReceiverBase.sol";

/// @dev What the usual transactions cost, of an account that pays USDT to a treasury that has some
/// already. With `--isolate` every call is a transaction of its own: the figures hold its data and
/// its 21000, and are what a receipt says. They are kept in `.gas-snapshot`.
contract GasSnapshotTest is ReceiverBase {
    /// @dev Shown by Forge as a line of text.
    event log_named_uint(string key, uint256 value);

    function setUp() public override {
        super.setUp();
        usdt.transfer(TREASURY, 1);
        modern.mint(TREASURY, 1);
        usdt.transfer(payer, 100e6);
        modern.mint(payer, 100e6);
        vm.prank(payer);
        usdt.approve(PERMIT2, type(uint256).max);
        vm.prank(payer);
        usdt.approve(address(receiver), 100e6);
        payDeposits(100);
    }

    function payDeposits(uint256 count) private {
        for (uint256 i = 0; i < count; ++i) {
            usdt.transfer(factory.depositAddress(TREASURY, saltOf(i)), 5e6);
        }
    }

    function saltOf(uint256 order) private pure returns (bytes32) {
        return keccak256(abi.encode(order));
    }

    function salts(uint256 count) private pure returns (bytes32[] memory all) {
        all = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            all[i] = saltOf(i);
        }
    }

    /// @dev Says what the last call cost, in all and for each of `count`.
    function say(string memory what, uint256 count) private {
        uint256 used = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint(string.concat(what, ": gas in all"), used);
        if (count > 1) emit log_named_uint(string.concat(what, ": gas for each"), used / count);
    }

    function flushes(uint256 count, string memory what) private {
        factory.flush(TREASURY, salts(count), list(address(usdt)));
        say(what, count);
        same(usdt.balanceOf(TREASURY), count * 5e6 + 1, "what the treasury has");
    }

    function flushesAgain(uint256 count, string memory what) private {
        factory.flush(TREASURY, salts(count), list(address(usdt)));
        payDeposits(count);
        factory.flush(TREASURY, salts(count), list(address(usdt)));
        say(what, count);
        same(
            usdt.balanceOf(factory.depositAddress(TREASURY, saltOf(0))),
            0,
            "what the first deposit has"
        );
    }

    function test_flush_first_001() public {
        flushes(1, "first flush of 1");
    }

    function test_flush_first_010() public {
        flushes(10, "first flush of 10");
    }

    function test_flush_first_100() public {
        flushes(100, "first flush of 100");
    }

    function test_flush_later_001() public {
        flushesAgain(1, "later flush of 1");
    }

    function test_flush_later_010() public {
        flushesAgain(10, "later flush of 10");
    }

    function test_flush_later_100() public {
        flushesAgain(100, "later flush of 100");
    }

    function test_pay() public {
        vm.prank(payer);
        receiver.pay(TREASURY, ORDER, address(usdt), 5e6);
        say("pay", 1);
    }

    function test_pay_with_permit() public {
        Signature memory s = signPermit(KEY, address(modern), address(receiver), 5e6, NOW);
        vm.prank(payer);
        receiver.payWithPermit(paymentOf(address(modern), 5e6), NOW, s.v, s.r, s.s);
        say("payWithPermit", 1);
    }

    function test_pay_with_authorization() public {
        PaymentReceiver.Payment memory p = paymentOf(address(modern), 5e6);
        PaymentReceiver.Authorization memory a =
            PaymentReceiver.Authorization(payer, 0, NOW + 1, ORDER);
        bytes32 nonce = receiver.authorizationNonce(TREASURY, ORDER, ORDER);
        Signature memory s = signAuthorization(KEY, p, a, address(receiver), nonce);
        receiver.payWithAuthorization(p, a, s.v, s.r, s.s);
        say("payWithAuthorization", 1);
    }

    function test_pay_with_permit2() public {
        PaymentReceiver.Payment memory p = paymentOf(address(usdt), 5e6);
        bytes memory signature = packed(signPermit2(KEY, p, address(receiver), 7, NOW));
        receiver.payWithPermit2(p, payer, 7, NOW, signature);
        say("payWithPermit2", 1);
    }

    function test_transfer_alone() public {
        vm.prank(payer);
        usdt.transfer(TREASURY, 5e6);
        say("transfer alone", 1);
    }
}
