// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {MockModernToken} from "../src/mocks/MockModernToken.sol";
import {Vm} from "./base/Base.sol";
import {ReceiverBase} from "./base/ReceiverBase.sol";

/// @dev The mock of Tether's newer tokens does what those on chain do.
contract MockModernTest is ReceiverBase {
    /// @dev The topics are those that the tokens on chain log with.
    function test_events_are_those_on_chain() public pure {
        same(
            MockModernToken.Mint.selector,
            0x0f6798a560793a54c3bcfe86a93cde1e73087d944c0ea20544137d4121396885,
            "Mint"
        );
        same(
            MockModernToken.BlockPlaced.selector,
            0x406bbf2d8d145125adf1198d2cf8a67c66cc4bb0ab01c37dccd4f7c0aae1e7c7,
            "BlockPlaced"
        );
        same(
            MockModernToken.BlockReleased.selector,
            0x665918c9e02eb2fd85acca3969cb054fc84c138e60ec4af22ab6ef2fd4c93c27,
            "BlockReleased"
        );
        same(
            MockModernToken.DestroyedBlockedFunds.selector,
            0x6a2859ae7902313752498feb80a014e6e7275fe964c79aa965db815db1c7f1e9,
            "DestroyedBlockedFunds"
        );
        same(
            MockModernToken.AuthorizationUsed.selector,
            0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5,
            "AuthorizationUsed"
        );
        same(
            MockModernToken.Redeem.selector,
            0x702d5967f45f6513a38ffc42d6ba9bf230bd40e8f53b16363c7eb4fd2deb9a44,
            "Redeem"
        );
    }

    function moved(Vm.Log memory log, address from, address to, uint256 value) private pure {
        same(log.topics[0], TRANSFER, "a Transfer");
        same(uint256(log.topics[1]), uint160(from), "from");
        same(uint256(log.topics[2]), uint160(to), "to");
        same(abi.decode(log.data, (uint256)), value, "value");
    }

    function test_supply_changes_are_transfers_from_and_to_zero() public {
        vm.recordLogs();
        modern.mint(CUSTOMER, 5);
        modern.mint(address(this), 9);
        modern.redeem(9);
        modern.addToBlockedList(CUSTOMER);
        modern.destroyBlockedFunds(CUSTOMER);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(logs.length, 9, "number of logs");
        moved(logs[0], address(0), CUSTOMER, 5);
        moved(logs[4], address(this), address(0), 9);
        moved(logs[7], CUSTOMER, address(0), 5);
        same(uint256(logs[8].topics[1]), uint160(CUSTOMER), "whose it was");
        same(modern.totalSupply(), 0, "supply");
    }

    function test_says_true(uint64 value) public {
        modern.mint(address(this), value);
        holds(modern.transfer(CUSTOMER, value), "transfer");
        vm.prank(CUSTOMER);
        holds(modern.approve(address(this), value), "approve");
        holds(modern.transferFrom(CUSTOMER, STRANGER, value), "transferFrom");
        same(modern.decimals(), 6, "decimals");
    }

    /// @dev `caller` calls the token, which refuses for this reason.
    function refused(address caller, bytes memory input, bytes memory why) private {
        vm.prank(caller);
        (bool ok, bytes memory answer) = address(modern).call(input);
        holds(!ok && keccak256(answer) == keccak256(why), "it is refused");
    }

    function blocked(address user) private pure returns (bytes memory) {
        return abi.encodeWithSelector(MockModernToken.Blocked.selector, user);
    }

    function test_blocked_account_receives_and_can_neither_send_nor_take() public {
        modern.mint(CUSTOMER, 9);
        vm.prank(CUSTOMER);
        holds(modern.approve(STRANGER, 9), "approve");
        modern.addToBlockedList(CUSTOMER);
        modern.mint(CUSTOMER, 1);
        same(modern.balanceOf(CUSTOMER), 10, "it receives");
        bytes memory take = abi.encodeCall(modern.transferFrom, (CUSTOMER, TREASURY, 1));
        refused(CUSTOMER, abi.encodeCall(modern.transfer, (TREASURY, 1)), blocked(CUSTOMER));
        refused(STRANGER, take, blocked(CUSTOMER));
        modern.removeFromBlockedList(CUSTOMER);
        modern.addToBlockedList(STRANGER);
        refused(STRANGER, take, blocked(STRANGER));
        refused(
            address(this),
            abi.encodeCall(modern.destroyBlockedFunds, (CUSTOMER)),
            abi.encodeWithSelector(MockModernToken.NotBlocked.selector, CUSTOMER)
        );
    }

    function test_the_token_is_no_recipient() public {
        modern.mint(CUSTOMER, 9);
        refused(
            CUSTOMER,
            abi.encodeCall(modern.transfer, (address(modern), 1)),
            abi.encodeWithSelector(MockModernToken.ToTheToken.selector, address(modern))
        );
    }

    function test_many_transfers_in_one_transaction() public {
        modern.mint(address(this), 9);
        address[] memory to = new address[](2);
        uint256[] memory values = new uint256[](2);
        (to[0], to[1], values[0], values[1]) = (CUSTOMER, STRANGER, 4, 5);
        vm.recordLogs();
        modern.multiTransfer(to, values);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        moved(logs[0], address(this), CUSTOMER, 4);
        moved(logs[1], address(this), STRANGER, 5);
        vm.expectRevert(abi.encodeWithSelector(MockModernToken.LengthsDiffer.selector, 2, 1));
        modern.multiTransfer(to, new uint256[](1));
    }

    function test_permit_serves_once() public {
        Signature memory s = signPermit(KEY, address(modern), CUSTOMER, 7, NOW);
        modern.permit(payer, CUSTOMER, 7, NOW, s.v, s.r, s.s);
        same(modern.allowance(payer, CUSTOMER), 7, "allowance");
        vm.expectRevert(abi.encodeWithSelector(MockModernToken.NotSigned.selector, payer));
        modern.permit(payer, CUSTOMER, 7, NOW, s.v, s.r, s.s);
        vm.warp(NOW + 1);
        vm.expectRevert(abi.encodeWithSelector(MockModernToken.TooLate.selector, NOW));
        modern.permit(payer, CUSTOMER, 7, NOW, packed(s));
    }

    function test_authorization_is_handed_in_by_anybody(address anybody, bytes32 nonce) public {
        modern.mint(payer, 7);
        bytes32 kind = keccak256(
            "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        Signature memory s = signTyped(
            KEY,
            address(modern),
            abi.encode(kind, payer, CUSTOMER, uint256(7), NOW - 1, NOW + 1, nonce)
        );
        vm.prank(anybody);
        modern.transferWithAuthorization(payer, CUSTOMER, 7, NOW - 1, NOW + 1, nonce, s.v, s.r, s.s);
        same(modern.balanceOf(CUSTOMER), 7, "what arrives");
        holds(modern.authorizationState(payer, nonce), "it is used");
        vm.expectRevert(abi.encodeWithSelector(MockModernToken.AlreadyUsed.selector, payer, nonce));
        modern.transferWithAuthorization(payer, CUSTOMER, 7, NOW - 1, NOW + 1, nonce, s.v, s.r, s.s);
    }

    function test_reverts_whenNotOwner(address caller) public {
        vm.assume(caller != address(this));
        bytes memory notOwner = abi.encodeWithSelector(MockModernToken.NotOwner.selector, caller);
        bytes[5] memory inputs = [
            abi.encodeCall(modern.mint, (caller, 1)),
            abi.encodeCall(modern.redeem, (0)),
            abi.encodeCall(modern.addToBlockedList, (payer)),
            abi.encodeCall(modern.removeFromBlockedList, (payer)),
            abi.encodeCall(modern.destroyBlockedFunds, (payer))
        ];
        for (uint256 i = 0; i < inputs.length; ++i) {
            refused(caller, inputs[i], notOwner);
        }
    }
}
