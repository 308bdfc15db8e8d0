// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PaymentReceiver} from "../../src/PaymentReceiver.sol";
import {MockModernToken} from "../../src/mocks/MockModernToken.sol";
import {MockPermit2} from "../../src/mocks/MockPermit2.sol";
import {Base, Vm} from "./Base.sol";
import {Signing} from "./Signing.sol";

/// @dev What the tests of the receiver share: the receiver, two families of tokens, a payer with a
/// key, and what a payment says.
abstract contract ReceiverBase is Base, Signing {
    bytes32 internal constant ORDER = keccak256("order");
    bytes32 internal constant PAID = keccak256("Paid(address,address,bytes32,address,uint256)");
    uint256 internal constant KEY = 0xA1;
    uint256 internal constant NOW = 1_800_000_000;

    PaymentReceiver internal receiver;
    MockModernToken internal modern;
    address internal payer = vm.addr(KEY);

    function setUp() public virtual override {
        super.setUp();
        vm.warp(NOW);
        vm.etch(PERMIT2, address(new MockPermit2()).code);
        receiver = new PaymentReceiver();
        modern = new MockModernToken("USDT0", "USDT0", 6);
    }

    /// @dev A payment of the order to the treasury.
    function paymentOf(address token, uint256 amount)
        internal
        pure
        returns (PaymentReceiver.Payment memory)
    {
        return PaymentReceiver.Payment(TREASURY, ORDER, token, amount);
    }

    /// @dev Gives the payer USDT, of which the receiver may take all.
    function fund(uint256 amount) internal {
        usdt.transfer(payer, amount);
        vm.prank(payer);
        usdt.approve(address(receiver), amount);
    }

    /// @dev The payer pays the order.
    function pay(address token, uint256 amount) internal {
        vm.prank(payer);
        receiver.pay(TREASURY, ORDER, token, amount);
    }

    /// @dev Exactly one payment was announced, after everything else, and it says this.
    function announced(Vm.Log[] memory logs, address token, uint256 amount) internal view {
        same(count(logs), 1, "payments that were announced");
        Vm.Log memory last = logs[logs.length - 1];
        same(last.emitter, address(receiver), "the last to speak");
        same(last.topics.length, 4, "topics");
        same(last.topics[0], PAID, "what happened");
        same(uint256(last.topics[1]), uint160(payer), "payer");
        same(uint256(last.topics[2]), uint160(TREASURY), "treasury");
        same(last.topics[3], ORDER, "order");
        (address ofToken, uint256 ofAmount) = abi.decode(last.data, (address, uint256));
        same(ofToken, token, "token");
        same(ofAmount, amount, "amount");
    }

    /// @dev How many payments the receiver announced.
    function count(Vm.Log[] memory logs) internal view returns (uint256 found) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == address(receiver) && logs[i].topics[0] == PAID) ++found;
        }
    }

    function refusal(address treasury) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(PaymentReceiver.TreasuryRefused.selector, treasury);
    }

    function nothing(address token, address recipient, uint256 amount)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            PaymentReceiver.NothingReceived.selector, token, recipient, amount
        );
    }
}
