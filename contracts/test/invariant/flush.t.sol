// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Deposit} from "../../src/Deposit.sol";
import {DepositFactory} from "../../src/DepositFactory.sol";
import {MockUSDT} from "../../src/mocks/MockUSDT.sol";
import {Base, Checks} from "../base/Base.sol";

/// @dev Customers who pay and strangers who flush, in any order.
contract Crowd is Checks {
    address private constant TREASURY = address(0x7EA5);

    DepositFactory private immutable factory;
    MockUSDT private immutable usdt;
    uint256 public paid;
    uint256 public paidInCoin;
    bytes32[] public salts;

    constructor(DepositFactory factory_, MockUSDT usdt_) {
        factory = factory_;
        usdt = usdt_;
        for (uint256 i = 0; i < 4; ++i) {
            salts.push(keccak256(abi.encode(i)));
        }
    }

    function pay(uint256 which, uint32 amount) external {
        paid += amount;
        usdt.transfer(factory.depositAddress(TREASURY, salts[which % 4]), amount);
    }

    function payCoin(uint256 which, uint32 amount) external {
        paidInCoin += amount;
        address deposit = factory.depositAddress(TREASURY, salts[which % 4]);
        vm.deal(deposit, deposit.balance + amount);
    }

    function flushOne(uint256 which, address caller) external {
        vm.prank(caller);
        factory.flush(TREASURY, list(salts[which % 4]), list(address(usdt)));
    }

    function flushAll(address caller) external {
        vm.prank(caller);
        factory.flush(TREASURY, salts, list(address(usdt)));
    }

    function flushDirectly(uint256 which, address caller) external {
        address deposit = factory.depositAddress(TREASURY, salts[which % 4]);
        if (deposit.code.length == 0) return;
        vm.prank(caller);
        Deposit(payable(deposit)).flush(list(address(usdt)));
    }

    function flushForOneself(uint256 which, address caller) external {
        if (caller == address(0) || caller == TREASURY) return;
        vm.prank(caller);
        factory.flush(caller, list(salts[which % 4]), list(address(usdt)));
    }

    function coinInDeposits() external view returns (uint256 sum) {
        for (uint256 i = 0; i < salts.length; ++i) {
            sum += factory.depositAddress(TREASURY, salts[i]).balance;
        }
    }

    function inDeposits() external view returns (uint256 sum) {
        for (uint256 i = 0; i < salts.length; ++i) {
            sum += usdt.balanceOf(factory.depositAddress(TREASURY, salts[i]));
        }
    }
}

/// @dev Whatever happens, money is in a deposit or in the treasury.
contract FlushInvariantTest is Base {
    uint256 private constant FUNDS = 1e17;
    Crowd private crowd;

    function setUp() public override {
        super.setUp();
        crowd = new Crowd(factory, usdt);
        usdt.transfer(address(crowd), FUNDS);
    }

    function targetContracts() public view returns (address[] memory) {
        return list(address(crowd));
    }

    function invariant_nothing_but_the_treasury_ever_receives() public view {
        same(
            crowd.inDeposits() + usdt.balanceOf(TREASURY),
            crowd.paid(),
            "deposits and treasury hold what was paid"
        );
        same(
            crowd.coinInDeposits() + TREASURY.balance,
            crowd.paidInCoin(),
            "deposits and treasury hold what was paid in coin"
        );
    }

    function invariant_the_sum_is_conserved() public view {
        uint256 held = usdt.balanceOf(address(this)) + usdt.balanceOf(address(crowd));
        same(held + crowd.inDeposits() + usdt.balanceOf(TREASURY), usdt.totalSupply(), "the supply");
    }
}
