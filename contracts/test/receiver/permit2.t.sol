// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PaymentReceiver} from "../../src/PaymentReceiver.sol";
import {IPermit2} from "../../src/interfaces/IPermit2.sol";
import {MockPermit2} from "../../src/mocks/MockPermit2.sol";
import {Vm} from "../base/Base.sol";
import {ReceiverBase} from "../base/ReceiverBase.sol";
import {Wallet} from "../weird/paid.sol";

/// @dev Paying with a signature for Permit2, which anybody may hand in.
contract Permit2Test is ReceiverBase {
    uint256 private constant NONCE = 0x1234;

    function sign(PaymentReceiver.Payment memory p) private view returns (bytes memory) {
        return packed(signPermit2(KEY, p, address(receiver), NONCE, NOW));
    }

    /// @dev Gives the payer USDT, of which Permit2 may take all.
    function fundPermit2(uint256 amount) private returns (PaymentReceiver.Payment memory) {
        usdt.transfer(payer, amount);
        vm.prank(payer);
        usdt.approve(PERMIT2, type(uint256).max);
        return paymentOf(address(usdt), amount);
    }

    function payWith(PaymentReceiver.Payment memory p, bytes memory signature) private {
        receiver.payWithPermit2(p, payer, NONCE, NOW, signature);
    }

    function test_anybody_hands_it_in(uint64 amount, address relayer) public {
        vm.assume(amount > 0);
        PaymentReceiver.Payment memory p = fundPermit2(amount);
        bytes memory signature = sign(p);
        vm.recordLogs();
        vm.prank(relayer);
        payWith(p, signature);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        announced(logs, address(usdt), amount);
        same(logs.length, 2, "one Transfer and one Paid");
        same(uint256(logs[0].topics[1]), uint160(payer), "straight from the payer");
        same(usdt.balanceOf(TREASURY), amount, "what the treasury has");
    }

    function test_any_nonce_serves_once(uint256 nonce) public {
        PaymentReceiver.Payment memory p = fundPermit2(10e6);
        p.amount = 5e6;
        bytes memory signature = packed(signPermit2(KEY, p, address(receiver), nonce, NOW));
        receiver.payWithPermit2(p, payer, nonce, NOW, signature);
        vm.expectRevert(abi.encodeWithSelector(MockPermit2.InvalidNonce.selector));
        receiver.payWithPermit2(p, payer, nonce, NOW, signature);
        same(usdt.balanceOf(TREASURY), 5e6, "what the treasury has");
    }

    function test_short_signature() public {
        PaymentReceiver.Payment memory p = fundPermit2(5e6);
        Signature memory s = signPermit2(KEY, p, address(receiver), NONCE, NOW);
        bytes32 vs = bytes32(uint256(s.s) | (uint256(s.v - 27) << 255));
        payWith(p, abi.encodePacked(s.r, vs));
        same(usdt.balanceOf(TREASURY), 5e6, "what the treasury has");
    }

    function test_contract_wallet_pays() public {
        PaymentReceiver.Payment memory p = fundPermit2(5e6);
        vm.etch(payer, address(new Wallet()).code);
        Wallet(payer).agree(keccak256("yes"));
        vm.expectRevert(abi.encodeWithSelector(MockPermit2.InvalidSigner.selector));
        payWith(p, "no");
        payWith(p, "yes");
        same(usdt.balanceOf(TREASURY), 5e6, "what the treasury has");
    }

    function test_serves_no_other_payment(address treasury, bytes32 orderRef, uint256 amount)
        public
    {
        vm.assume(treasury != address(0) && treasury != TREASURY && treasury != payer);
        vm.assume(treasury != address(receiver) && treasury != address(usdt));
        vm.assume(orderRef != ORDER && amount > 0 && amount != 5e6);
        PaymentReceiver.Payment memory p = fundPermit2(5e6);
        bytes memory signature = sign(p);
        bytes memory unsigned = abi.encodeWithSelector(MockPermit2.InvalidSigner.selector);
        p.treasury = treasury;
        vm.expectRevert(unsigned);
        payWith(p, signature);
        (p.treasury, p.orderRef) = (TREASURY, orderRef);
        vm.expectRevert(unsigned);
        payWith(p, signature);
        // Less than was signed is refused too: it would use the nonce up.
        (p.orderRef, p.amount) = (ORDER, amount);
        vm.expectRevert(unsigned);
        payWith(p, signature);
        same(usdt.balanceOf(payer), 5e6, "what the payer has");
    }

    function test_serves_nobody_but_the_receiver() public {
        PaymentReceiver.Payment memory p = fundPermit2(5e6);
        bytes memory signature = sign(p);
        bytes memory unsigned = abi.encodeWithSelector(MockPermit2.InvalidSigner.selector);
        PaymentReceiver other = new PaymentReceiver();
        vm.expectRevert(unsigned);
        other.payWithPermit2(p, payer, NONCE, NOW, signature);
        bytes32 witness = keccak256(abi.encode(receiver.WITNESS_TYPEHASH(), TREASURY, ORDER));
        string memory kind = receiver.WITNESS_TYPE_STRING();
        vm.prank(STRANGER);
        vm.expectRevert(unsigned);
        IPermit2(PERMIT2)
            .permitWitnessTransferFrom(
                IPermit2.PermitTransferFrom(
                    IPermit2.TokenPermissions(address(usdt), 5e6), NONCE, NOW
                ),
                IPermit2.SignatureTransferDetails(STRANGER, 5e6),
                payer,
                witness,
                kind,
                signature
            );
        vm.chainId(999);
        vm.expectRevert(unsigned);
        payWith(p, signature);
    }

    function test_reverts_whenLate() public {
        PaymentReceiver.Payment memory p = fundPermit2(5e6);
        bytes memory signature = sign(p);
        vm.warp(NOW + 1);
        vm.expectRevert(abi.encodeWithSelector(MockPermit2.SignatureExpired.selector, NOW));
        payWith(p, signature);
    }

    function test_reverts_forATreasuryThatCannotBe() public {
        PaymentReceiver.Payment memory p = fundPermit2(5e6);
        address[4] memory refused = [address(0), address(receiver), address(usdt), payer];
        for (uint256 i = 0; i < refused.length; ++i) {
            p.treasury = refused[i];
            bytes memory signature = sign(p);
            vm.expectRevert(refusal(refused[i]));
            payWith(p, signature);
        }
    }

    function test_reverts_whereThereIsNoPermit2() public {
        PaymentReceiver.Payment memory p = fundPermit2(5e6);
        bytes memory signature = sign(p);
        vm.etch(PERMIT2, "");
        vm.expectRevert(abi.encodeWithSelector(PaymentReceiver.NotAContract.selector, PERMIT2));
        payWith(p, signature);
    }

    function test_fee_is_no_payment() public {
        usdt.setParams(10, 49);
        PaymentReceiver.Payment memory p = fundPermit2(5000e6);
        p.amount = usdt.balanceOf(payer);
        bytes memory signature = sign(p);
        vm.recordLogs();
        payWith(p, signature);
        announced(vm.getRecordedLogs(), address(usdt), p.amount - p.amount / 1000);
    }
}
