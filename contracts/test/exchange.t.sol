// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Exchange} from "../src/mocks/Exchange.sol";
import {Base, Vm} from "./base/Base.sol";

/// @dev Paying through another contract.
contract ExchangeTest is Base {
    Exchange private exchange;
    address[] private recipients;
    uint256[] private amounts;

    function setUp() public override {
        super.setUp();
        exchange = new Exchange();
        (recipients, amounts) = (list(CUSTOMER), new uint256[](1));
        recipients.push(STRANGER);
        amounts.push(0);
    }

    function test_one_transaction_holds_several_transfers(uint64 first, uint64 second) public {
        (amounts[0], amounts[1]) = (first, second);
        usdt.transfer(address(exchange), uint256(first) + second);
        vm.recordLogs();
        exchange.payMany(address(usdt), recipients, amounts);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(logs.length, 2, "number of logs");
        for (uint256 i = 0; i < logs.length; ++i) {
            same(uint256(logs[i].topics[0]), uint256(TRANSFER), "a Transfer");
            same(uint256(logs[i].topics[1]), uint160(address(exchange)), "from");
            same(uint256(logs[i].topics[2]), uint160(recipients[i]), "to");
        }
        same(usdt.balanceOf(CUSTOMER), first, "the first");
        same(usdt.balanceOf(STRANGER), second, "the second");
    }

    function test_pays_from_an_allowance(uint64 amount) public {
        usdt.approve(address(exchange), amount);
        vm.prank(STRANGER);
        exchange.payFrom(address(usdt), address(this), CUSTOMER, amount);
        same(usdt.balanceOf(CUSTOMER), amount, "what arrives");
    }

    function test_reverts_whenTheTokenRefuses() public {
        amounts[0] = 5;
        vm.expectRevert(abi.encodeWithSelector(Exchange.PaymentFailed.selector, usdt, CUSTOMER, 5));
        exchange.payMany(address(usdt), recipients, amounts);
        vm.expectRevert(abi.encodeWithSelector(Exchange.PaymentFailed.selector, usdt, CUSTOMER, 5));
        exchange.payFrom(address(usdt), address(this), CUSTOMER, 5);
    }

    function test_reverts_whenLengthsDiffer() public {
        amounts.pop();
        vm.expectRevert(abi.encodeWithSelector(Exchange.LengthsDiffer.selector, 2, 1));
        exchange.payMany(address(usdt), recipients, amounts);
    }
}
