// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {DepositFactory} from "../../src/DepositFactory.sol";
import {PaymentReceiver} from "../../src/PaymentReceiver.sol";
import {ReceiverBase} from "../base/ReceiverBase.sol";
import {CallsBack, CallsHooks, Listener} from "../weird/paid.sol";

/// @dev Calls that come back while a payment is under way: no money is announced twice.
contract ReentrancyTest is ReceiverBase {
    bytes32 private constant OTHER = keccak256("another order");
    CallsHooks private hooked;
    Listener private listener;

    function setUp() public override {
        super.setUp();
        hooked = new CallsHooks();
        listener = new Listener();
        hooked.transfer(address(listener), 100e6);
        vm.prank(address(listener));
        hooked.listen();
        vm.prank(address(listener));
        hooked.approve(address(receiver), 100e6);
    }

    function paying(bytes32 orderRef, address token, uint256 amount)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(PaymentReceiver.pay, (TREASURY, orderRef, token, amount));
    }

    /// @dev Pays 10 of the hooked token out of the listener, and says what was announced.
    function listenerPays() private returns (uint256) {
        vm.recordLogs();
        listener.act(address(receiver), paying(ORDER, address(hooked), 10e6));
        return count(vm.getRecordedLogs());
    }

    function tooMuch(uint256 received) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            PaymentReceiver.TooMuchReceived.selector, address(hooked), TREASURY, received, 10e6
        );
    }

    function listenerIsRefused(bytes memory why) private {
        vm.expectRevert(why);
        listener.act(address(receiver), paying(ORDER, address(hooked), 10e6));
        same(hooked.balanceOf(TREASURY), 0, "what the treasury has");
    }

    function test_every_way_in_is_shut_while_a_payment_is_under_way() public {
        PaymentReceiver.Payment memory p = paymentOf(address(usdt), 5e6);
        PaymentReceiver.Authorization memory a =
            PaymentReceiver.Authorization(payer, 0, type(uint256).max, 0);
        bytes[5] memory inputs = [
            paying(OTHER, address(usdt), 5e6),
            abi.encodeCall(PaymentReceiver.payWithPermit, (p, NOW, 27, 0, 0)),
            abi.encodeCall(PaymentReceiver.payWithAuthorization, (p, a, 27, 0, 0)),
            abi.encodeCall(PaymentReceiver.payWithWalletAuthorization, (p, a, "")),
            abi.encodeCall(PaymentReceiver.payWithPermit2, (p, payer, 0, NOW, ""))
        ];
        for (uint256 i = 0; i < inputs.length; ++i) {
            CallsBack token = new CallsBack();
            token.transfer(payer, 30);
            vm.prank(payer);
            token.approve(address(receiver), 10);
            token.prepare(address(receiver), inputs[i]);
            pay(address(token), 10);
            wasShut(token);
            vm.prank(payer);
            receiver.payWithPermit(paymentOf(address(token), 10), NOW, 27, 0, 0);
            wasShut(token);
            receiver.payWithAuthorization(paymentOf(address(token), 10), a, 27, 0, 0);
            wasShut(token);
            same(token.balanceOf(TREASURY), 30, "what the treasury has");
        }
    }

    function wasShut(CallsBack token) private view {
        holds(!token.worked(), "the call back fails");
        same(
            keccak256(token.answer()),
            keccak256(
                abi.encodeWithSelector(ReentrancyGuard.ReentrancyGuardReentrantCall.selector)
            ),
            "because of the guard"
        );
    }

    function test_hook_that_pays_again_announces_nothing() public {
        listener.prepare(address(receiver), paying(OTHER, address(hooked), 50e6), false);
        same(listenerPays(), 1, "payments");
        holds(!listener.worked(), "the nested one fails");
        same(hooked.balanceOf(TREASURY), 10e6, "what the treasury has");
    }

    function test_hook_that_insists_fails_the_whole_and_leaves_the_door_open() public {
        listener.prepare(address(receiver), paying(OTHER, address(hooked), 50e6), true);
        listenerIsRefused(abi.encodeWithSelector(Listener.DidNotWork.selector));
        listener.prepare(address(0), "", false);
        same(listenerPays(), 1, "payments");
    }

    function test_hook_that_sends_straight_to_the_treasury_is_refused() public {
        listener.prepare(address(hooked), abi.encodeCall(IERC20.transfer, (TREASURY, 1)), true);
        listenerIsRefused(tooMuch(10e6 + 1));
    }

    function test_hook_that_flushes_a_deposit_is_refused() public {
        hooked.transfer(factory.depositAddress(TREASURY, OTHER), 7e6);
        listener.prepare(
            address(factory),
            abi.encodeCall(DepositFactory.flush, (TREASURY, list(OTHER), list(address(hooked)))),
            true
        );
        listenerIsRefused(tooMuch(17e6));
    }

    function test_hook_that_pays_through_a_copy_is_refused() public {
        PaymentReceiver copy = new PaymentReceiver();
        vm.prank(address(listener));
        hooked.approve(address(copy), 10e6);
        listener.prepare(address(copy), paying(OTHER, address(hooked), 10e6), true);
        listenerIsRefused(tooMuch(20e6));
    }

    function test_treasury_that_passes_money_on_is_announced_with_what_it_kept() public {
        Listener treasury = new Listener();
        vm.prank(address(treasury));
        hooked.listen();
        address next = address(STRANGER);
        hooked.transfer(payer, 20e6);
        vm.prank(payer);
        hooked.approve(address(receiver), 20e6);
        treasury.prepare(address(hooked), abi.encodeCall(IERC20.transfer, (next, 4e6)), true);
        vm.recordLogs();
        vm.prank(payer);
        receiver.pay(address(treasury), ORDER, address(hooked), 10e6);
        (, uint256 told) = abi.decode(lastData(), (address, uint256));
        same(told, 6e6, "what it kept");
        treasury.prepare(address(hooked), abi.encodeCall(IERC20.transfer, (next, 10e6)), true);
        vm.prank(payer);
        vm.expectRevert(nothing(address(hooked), address(treasury), 10e6));
        receiver.pay(address(treasury), ORDER, address(hooked), 10e6);
    }

    function lastData() private returns (bytes memory) {
        return vm.getRecordedLogs()[2].data;
    }
}
