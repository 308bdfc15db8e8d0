// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {DepositFactory} from "../../src/DepositFactory.sol";
import {PaymentReceiver} from "../../src/PaymentReceiver.sol";
import {MockModernToken} from "../../src/mocks/MockModernToken.sol";
import {MockUSDT} from "../../src/mocks/MockUSDT.sol";
import {Vm} from "../base/Base.sol";
import {ReceiverBase} from "../base/ReceiverBase.sol";
import {Signing} from "../base/Signing.sol";
import {
    CallsBack,
    CallsHooks,
    CreditsMore,
    InventsBalances,
    KeepsTenth,
    Listener,
    MovesNothing,
    SaysFalse
} from "../weird/paid.sol";

interface IPayable {
    function transfer(address to, uint256 value) external;
    function approve(address spender, uint256 value) external;
}

/// @dev Payers, relayers and strangers, with tokens of every kind, in any order.
contract Bazaar is Signing {
    bytes32 private constant PAID = keccak256("Paid(address,address,bytes32,address,uint256)");
    uint256 private constant USDT = 0;
    uint256 private constant MODERN = 1;
    uint256 private constant HOOKED = 2;
    uint256 private constant CALLING = 3;
    /// @dev Tokens below this one tell the truth about balances.
    uint256 public constant HONEST = 6;

    PaymentReceiver private immutable receiver;
    DepositFactory private immutable factory;
    Listener private immutable listener;
    address[] public tokens;
    address[2] public treasuries = [address(0x7EA5), address(0x7EA6)];
    uint256 private nonce;

    /// @dev What was announced, and what came to the treasuries on other ways.
    mapping(address treasury => mapping(address token => uint256)) public announced;
    mapping(address treasury => mapping(address token => uint256)) public otherwise;
    /// @dev What was sent to the receiver by mistake.
    mapping(address token => uint256) public lost;

    constructor(PaymentReceiver receiver_, DepositFactory factory_, MockUSDT usdt) {
        (receiver, factory, listener) = (receiver_, factory_, new Listener());
        tokens.push(address(usdt));
        tokens.push(address(new MockModernToken("USDT0", "USDT0", 6)));
        tokens.push(address(new CallsHooks()));
        tokens.push(address(new CallsBack()));
        tokens.push(address(new KeepsTenth()));
        tokens.push(address(new SaysFalse()));
        tokens.push(address(new CreditsMore()));
        tokens.push(address(new MovesNothing()));
        tokens.push(address(new InventsBalances()));
    }

    /// @dev Payers are accounts with keys, and one contract that listens to transfers.
    function open() external {
        for (uint256 who = 0; who < 4; ++who) {
            address payer = payerOf(who);
            MockModernToken(tokens[MODERN]).mint(payer, 1e20);
            for (uint256 i = 0; i < tokens.length - 1; ++i) {
                if (i != MODERN) IPayable(tokens[i]).transfer(payer, 1e20);
                vm.prank(payer);
                IPayable(tokens[i]).approve(address(receiver), 1e19);
                vm.prank(payer);
                IPayable(tokens[i]).approve(PERMIT2, i == USDT ? 1e18 : 1e19);
            }
        }
        vm.prank(address(listener));
        CallsHooks(tokens[HOOKED]).listen();
        // Whoever calls back has the means to pay.
        for (uint256 i = USDT; i <= HOOKED; i += HOOKED) {
            IPayable(tokens[i]).transfer(tokens[CALLING], 1e20);
            vm.prank(tokens[CALLING]);
            IPayable(tokens[i]).approve(address(receiver), 1e19);
        }
    }

    function payerOf(uint256 who) private view returns (address) {
        return who % 4 == 3 ? address(listener) : vm.addr(1 + who % 4);
    }

    function paymentOf(uint256 order, uint256 token, uint256 amount)
        private
        view
        returns (PaymentReceiver.Payment memory)
    {
        return PaymentReceiver.Payment(
            treasuries[order % 2], keccak256(abi.encode(order)), tokens[token], amount
        );
    }

    /// @dev Adds up what the receiver announced, and counts it.
    function tally(Vm.Log[] memory logs) private returns (uint256 found) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(receiver)) continue;
            same(logs[i].topics[0], PAID, "the receiver says nothing else");
            (address token, uint256 amount) = abi.decode(logs[i].data, (address, uint256));
            announced[address(uint160(uint256(logs[i].topics[2])))][token] += amount;
            ++found;
        }
    }

    /// @dev Sends money by an ordinary transfer, and says how much arrived. A token that calls
    /// back may well pay something of its own meanwhile.
    function send(address to, uint256 token, uint256 amount) private returns (uint256) {
        address contracted = tokens[token];
        uint256 before = IERC20(contracted).balanceOf(to);
        vm.recordLogs();
        if (token == MODERN) MockModernToken(contracted).mint(to, amount);
        else IPayable(contracted).transfer(to, amount);
        tally(vm.getRecordedLogs());
        return IERC20(contracted).balanceOf(to) - before;
    }

    /// @dev Makes one call. If it works, it announces one payment, of at most what was asked for.
    function submit(
        address sender,
        PaymentReceiver.Payment memory p,
        bytes memory input,
        bool mustWork
    ) private {
        address other = treasuries[p.treasury == treasuries[0] ? 1 : 0];
        uint256 before = IERC20(tokens[HOOKED]).balanceOf(other);
        vm.recordLogs();
        vm.prank(sender);
        (bool ok, bytes memory answer) = address(receiver).call(input);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        if (!ok) {
            if (!mustWork) return;
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
        same(tally(logs), 1, "a call that works announces one payment");
        Vm.Log memory last = logs[logs.length - 1];
        same(uint256(last.topics[2]), uint160(p.treasury), "treasury");
        same(last.topics[3], p.orderRef, "order");
        (address token, uint256 amount) = abi.decode(last.data, (address, uint256));
        same(token, p.token, "token");
        holds(amount > 0 && amount <= p.amount, "at most what was asked for");
        // A hook may well send money to the treasury of somebody else meanwhile.
        otherwise[other][tokens[HOOKED]] += IERC20(tokens[HOOKED]).balanceOf(other) - before;
    }

    function pay(uint256 who, uint256 order, uint256 token, uint32 amount) external {
        token = token % tokens.length;
        PaymentReceiver.Payment memory p = paymentOf(order, token, uint256(amount) + 1);
        submit(
            payerOf(who),
            p,
            abi.encodeCall(PaymentReceiver.pay, (p.treasury, p.orderRef, p.token, p.amount)),
            token == USDT || token == MODERN || token == 4
        );
    }

    function payWithPermit(uint256 who, uint256 order, uint32 amount, bool isUsedBefore) external {
        PaymentReceiver.Payment memory p = paymentOf(order, MODERN, uint256(amount) + 1);
        uint256 key = 1 + who % 3;
        Signature memory s = signPermit(key, p.token, address(receiver), p.amount, block.timestamp);
        if (isUsedBefore) {
            MockModernToken(p.token)
                .permit(vm.addr(key), address(receiver), p.amount, block.timestamp, s.v, s.r, s.s);
        }
        submit(
            vm.addr(key),
            p,
            abi.encodeCall(PaymentReceiver.payWithPermit, (p, block.timestamp, s.v, s.r, s.s)),
            true
        );
        // The allowance of before is used up, so a new one is needed.
        vm.prank(vm.addr(key));
        IPayable(p.token).approve(address(receiver), 1e19);
    }

    function payWithAuthorization(uint256 who, uint256 order, uint32 amount, address relayer)
        external
    {
        PaymentReceiver.Payment memory p = paymentOf(order, MODERN, uint256(amount) + 1);
        uint256 key = 1 + who % 3;
        PaymentReceiver.Authorization memory a =
            PaymentReceiver.Authorization(vm.addr(key), 0, type(uint256).max, bytes32(++nonce));
        Signature memory s = signAuthorization(
            key,
            p,
            a,
            address(receiver),
            receiver.authorizationNonce(p.treasury, p.orderRef, a.salt)
        );
        bytes memory input =
            abi.encodeCall(PaymentReceiver.payWithAuthorization, (p, a, s.v, s.r, s.s));
        submit(relayer, p, input, true);
        submit(relayer, p, input, false);
    }

    /// @dev Nobody signs for these tokens: they take an authorization for granted.
    function payUnsigned(uint256 who, uint256 order, uint256 token, uint32 amount) external {
        uint256[4] memory lax = [CALLING, 4, 7, 8];
        PaymentReceiver.Payment memory p = paymentOf(order, lax[token % 4], uint256(amount) + 1);
        PaymentReceiver.Authorization memory a =
            PaymentReceiver.Authorization(payerOf(who), 0, type(uint256).max, 0);
        submit(
            payerOf(who),
            p,
            abi.encodeCall(PaymentReceiver.payWithAuthorization, (p, a, 27, 0, 0)),
            false
        );
    }

    function payWithPermit2(
        uint256 who,
        uint256 order,
        uint256 token,
        uint32 amount,
        address relayer
    ) external {
        token = token % (tokens.length - 1);
        PaymentReceiver.Payment memory p = paymentOf(order, token, uint256(amount) + 1);
        uint256 key = 1 + who % 3;
        bytes memory signature =
            packed(signPermit2(key, p, address(receiver), ++nonce, block.timestamp));
        bytes memory input = abi.encodeCall(
            PaymentReceiver.payWithPermit2, (p, vm.addr(key), nonce, block.timestamp, signature)
        );
        submit(relayer, p, input, token == USDT || token == MODERN || token == 4);
        submit(relayer, p, input, false);
    }

    /// @dev The listener, or a token, will come back during the next payment: with a payment of
    /// its own, with money that goes straight to a treasury, or with a flush.
    function plot(uint256 what, uint256 order, uint32 amount, bool insists) external {
        address token = tokens[what % 2 == 0 ? HOOKED : USDT];
        address treasury = treasuries[order % 2];
        bytes32 orderRef = keccak256("plot");
        if (what % 5 == 0) {
            CallsBack(tokens[CALLING])
                .prepare(
                    address(receiver),
                    abi.encodeCall(PaymentReceiver.pay, (treasury, orderRef, token, amount))
                );
        } else if (what % 5 == 1) {
            listener.prepare(
                address(receiver),
                abi.encodeCall(PaymentReceiver.pay, (treasury, orderRef, token, amount)),
                insists
            );
        } else if (what % 5 == 2) {
            listener.prepare(
                tokens[HOOKED],
                abi.encodeCall(IERC20.transfer, (treasury, uint256(amount) + 1)),
                insists
            );
        } else if (what % 5 == 3) {
            IPayable(tokens[HOOKED]).transfer(factory.depositAddress(treasury, orderRef), 7);
            listener.prepare(
                address(factory),
                abi.encodeCall(
                    DepositFactory.flush, (treasury, list(orderRef), list(tokens[HOOKED]))
                ),
                insists
            );
        } else {
            listener.prepare(address(0), "", false);
        }
    }

    function sendToTheReceiver(uint256 token, uint32 amount) external {
        lost[tokens[token % HONEST]] += send(address(receiver), token % HONEST, amount);
    }

    function sendToATreasury(uint256 order, uint256 token, uint32 amount) external {
        address treasury = treasuries[order % 2];
        otherwise[treasury][tokens[token % HONEST]] += send(treasury, token % HONEST, amount);
    }

    function charge(uint256 basisPoints, uint256 most) external {
        MockUSDT(tokens[USDT]).setParams(basisPoints % 20, most % 50);
    }
}

/// @dev What is announced is what arrived, and nothing stays on the way.
contract ReceiverInvariantTest is ReceiverBase {
    Bazaar private bazaar;

    function setUp() public override {
        super.setUp();
        bazaar = new Bazaar(receiver, factory, usdt);
        usdt.transfer(address(bazaar), 1e29);
        usdt.transferOwnership(address(bazaar));
        bazaar.open();
    }

    function targetContracts() public view returns (address[] memory) {
        return list(address(bazaar));
    }

    function excludeSelectors() public view returns (FuzzSelector[] memory all) {
        all = new FuzzSelector[](1);
        all[0].addr = address(bazaar);
        all[0].selectors = new bytes4[](1);
        all[0].selectors[0] = Bazaar.open.selector;
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function invariant_what_is_announced_arrived_and_nothing_else_did() public view {
        for (uint256 i = 0; i < bazaar.HONEST(); ++i) {
            address token = bazaar.tokens(i);
            for (uint256 j = 0; j < 2; ++j) {
                address treasury = bazaar.treasuries(j);
                same(
                    IERC20(token).balanceOf(treasury),
                    bazaar.announced(treasury, token) + bazaar.otherwise(treasury, token),
                    "what the treasury has"
                );
            }
        }
    }

    function invariant_the_receiver_keeps_nothing() public view {
        for (uint256 i = 0; i < bazaar.HONEST(); ++i) {
            address token = bazaar.tokens(i);
            same(IERC20(token).balanceOf(address(receiver)), bazaar.lost(token), "what it has");
        }
        same(address(receiver).balance, 0, "coin");
    }
}
