// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {PaymentReceiver} from "../../src/PaymentReceiver.sol";
import {ReceiverBase} from "../base/ReceiverBase.sol";
import {
    Allowing,
    CreditsMore,
    InventsBalances,
    KeepsTenth,
    MovesNothing,
    Plain,
    SaysFalse,
    SaysMuch,
    SaysTwo,
    Shrinks
} from "./paid.sol";
import {BalanceBurner, Forgetful, RevertBomb} from "./tokens.sol";

/// @dev Paying with tokens that do not behave: nothing is announced but what arrived.
contract PayingWeirdTest is ReceiverBase {
    /// @dev Gives the payer some of a token, of which the receiver may take all.
    function give(Allowing token, uint256 amount) private {
        token.transfer(payer, amount);
        vm.prank(payer);
        token.approve(address(receiver), amount);
    }

    function isRefused(address token, uint256 amount, bytes memory why) private {
        vm.expectRevert(why);
        pay(token, amount);
    }

    function failed(Allowing token) private pure returns (bytes memory) {
        return abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, token);
    }

    function test_plain(uint64 amount) public {
        vm.assume(amount > 0);
        Allowing token = new Plain();
        give(token, amount);
        vm.recordLogs();
        pay(address(token), amount);
        announced(vm.getRecordedLogs(), address(token), amount);
    }

    function test_false_is_a_refusal_although_money_moved() public {
        Allowing token = new SaysFalse();
        give(token, 5e6);
        isRefused(address(token), 5e6, failed(token));
        same(token.balanceOf(payer), 5e6, "what the payer has");
    }

    function test_neither_true_nor_false_is_a_refusal() public {
        Allowing token = new SaysTwo();
        give(token, 5e6);
        isRefused(address(token), 5e6, failed(token));
    }

    function test_long_answer_is_only_dear() public {
        Allowing token = new SaysMuch();
        give(token, 5e6);
        vm.recordLogs();
        pay(address(token), 5e6);
        announced(vm.getRecordedLogs(), address(token), 5e6);
    }

    function test_lie_is_no_payment(uint64 amount) public {
        vm.assume(amount > 0);
        address token = address(new MovesNothing());
        isRefused(token, amount, nothing(token, TREASURY, amount));
        PaymentReceiver.Authorization memory a =
            PaymentReceiver.Authorization(payer, 0, type(uint256).max, 0);
        PaymentReceiver.Payment memory p = paymentOf(token, amount);
        vm.expectRevert(nothing(token, address(receiver), amount));
        receiver.payWithAuthorization(p, a, 27, 0, 0);
    }

    function test_fee_is_not_announced(uint64 amount) public {
        vm.assume(amount > 0);
        Allowing token = new KeepsTenth();
        give(token, uint256(amount) * 2);
        vm.recordLogs();
        pay(address(token), amount);
        announced(vm.getRecordedLogs(), address(token), amount - amount / 10);
        same(token.balanceOf(TREASURY), amount - amount / 10, "what the treasury has");
    }

    function test_more_than_was_paid_is_no_payment() public {
        Allowing token = new CreditsMore();
        give(token, 5e6);
        isRefused(
            address(token),
            5e6,
            abi.encodeWithSelector(
                PaymentReceiver.TooMuchReceived.selector, address(token), TREASURY, 5e6 + 1, 5e6
            )
        );
    }

    function test_invented_balances_announce_no_more_than_was_asked() public {
        address token = address(new InventsBalances());
        isRefused(
            token,
            999,
            abi.encodeWithSelector(
                PaymentReceiver.TooMuchReceived.selector, token, TREASURY, 1000, 999
            )
        );
        vm.recordLogs();
        pay(token, 1000);
        announced(vm.getRecordedLogs(), token, 1000);
    }

    function test_poorer_treasury_is_no_payment() public {
        Allowing token = new Shrinks();
        give(token, 5e6);
        isRefused(address(token), 5e6, nothing(address(token), TREASURY, 5e6));
    }

    function test_reverts_whenTheTokenTellsNoBalance() public {
        address[3] memory tokens =
            [address(new Forgetful()), address(new BalanceBurner()), address(new RevertBomb())];
        for (uint256 i = 0; i < tokens.length; ++i) {
            vm.prank(payer);
            vm.expectRevert();
            receiver.pay{gas: 5_000_000}(TREASURY, ORDER, tokens[i], 5e6);
        }
    }
}
