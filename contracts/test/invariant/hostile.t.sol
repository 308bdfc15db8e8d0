// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Deposit} from "../../src/Deposit.sol";
import {DepositFactory} from "../../src/DepositFactory.sol";
import {MockUSDT} from "../../src/mocks/MockUSDT.sol";
import {Base, Checks} from "../base/Base.sol";
import {CallsHooks, Listener} from "../weird/paid.sol";
import {FeeOnTransfer, Ledger, Liar, Reentrant, ReturnsFalse, Reverting} from "../weird/tokens.sol";

interface IPay {
    function transfer(address to, uint256 value) external;
}

/// @dev Customers who pay deposits in every kind of token, and strangers who flush them together,
/// to the treasury or to themselves.
contract Market is Checks {
    address private constant TREASURY = address(0x7EA5);

    DepositFactory private immutable factory;
    address[] private tokens;
    bytes32[] private salts;

    constructor(DepositFactory factory_, MockUSDT usdt) {
        factory = factory_;
        for (uint256 i = 0; i < 3; ++i) {
            salts.push(keccak256(abi.encode(i)));
        }
        tokens.push(address(usdt));
        tokens.push(address(new ReturnsFalse()));
        tokens.push(address(new FeeOnTransfer()));
        tokens.push(address(new Liar()));
        tokens.push(address(new Reverting()));
        tokens.push(address(new CallsHooks()));
        // It calls back for its own treasury while the others are under way.
        tokens.push(address(new Reentrant(factory, salts[0], TREASURY, address(usdt))));
    }

    function deposit(uint256 which) private view returns (address) {
        return factory.depositAddress(TREASURY, salts[which % salts.length]);
    }

    function pay(uint256 which, uint256 token, uint32 amount) external {
        // Some answer oddly, and some refuse: a payment that fails is none.
        (bool ok,) = tokens[token
                % tokens.length].call(abi.encodeCall(IPay.transfer, (deposit(which), amount)));
        holds(ok || token % tokens.length == 4, "only the one that refuses does");
    }

    function turn(uint256 token) external {
        if (token % 2 == 0) Liar(tokens[3]).beginToLie();
        else Reverting(tokens[4]).beginToRefuse();
    }

    function charge(uint256 basisPoints, uint256 most) external {
        MockUSDT(tokens[0]).setParams(basisPoints % 20, most % 50);
    }

    function freeze(uint256 which, bool frozen) external {
        if (frozen) MockUSDT(tokens[0]).addBlackList(deposit(which));
        else MockUSDT(tokens[0]).removeBlackList(deposit(which));
    }

    function flushAll(address caller) external {
        vm.prank(caller);
        factory.flush{gas: 25_000_000}(TREASURY, salts, tokens);
    }

    function flushOne(uint256 which, uint256 token, address caller) external {
        vm.prank(caller);
        factory.flush{gas: 15_000_000}(
            TREASURY, list(salts[which % salts.length]), list(tokens[token % tokens.length])
        );
    }

    function flushDirectly(uint256 which, address caller) external {
        if (deposit(which).code.length == 0) return;
        vm.prank(caller);
        Deposit(payable(deposit(which))).flush{gas: 15_000_000}(tokens);
    }

    function flushForOneself(address thief) external {
        if (thief == address(0) || thief == TREASURY) return;
        vm.prank(thief);
        factory.flush{gas: 25_000_000}(thief, salts, tokens);
    }

    function count() external view returns (uint256) {
        return tokens.length;
    }

    /// @dev All that a token tells of whoever may have some: this market, the deposits, the
    /// treasury, and the token or its owner, who take fees.
    function accounted(uint256 token) external view returns (uint256 sum) {
        Ledger ledger = Ledger(tokens[token]);
        for (uint256 i = 0; i < salts.length; ++i) {
            sum += ledger.balanceOf(deposit(i));
        }
        sum += ledger.balanceOf(TREASURY) + ledger.balanceOf(address(this));
        sum += ledger.balanceOf(address(ledger));
    }

    function supply(uint256 token) external view returns (uint256) {
        return token == 0 ? MockUSDT(tokens[0]).totalSupply() : 1e24;
    }
}

/// @dev Whatever the tokens do, money of a deposit is there, at the treasury, or went as a fee.
contract HostileFlushInvariantTest is Base {
    Market private market;

    function setUp() public override {
        super.setUp();
        market = new Market(factory, usdt);
        usdt.transfer(address(market), 1e30);
        usdt.transferOwnership(address(market));
    }

    function targetContracts() public view returns (address[] memory) {
        return list(address(market));
    }

    function invariant_nobody_but_the_treasury_receives() public view {
        for (uint256 i = 0; i < market.count(); ++i) {
            same(market.accounted(i), market.supply(i), "all there is");
        }
    }
}
