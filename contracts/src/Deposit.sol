// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title What stands behind an order's deposit address
/// @notice Forwards whatever it holds to one treasury and nowhere else. It is used through clones
/// that carry the treasury in their code (EIP-1167 with an immutable argument), so no call and no
/// key can change where the money goes.
contract Deposit {
    /// @notice A balance was forwarded.
    /// @param token The token's contract, or address 0 for the native coin.
    /// @param treasury Where it went.
    /// @param amount By how much this deposit's balance fell; a token may keep a fee of it.
    event Flushed(address indexed token, address indexed treasury, uint256 amount);

    /// @notice Nothing of a balance could be forwarded; it stays where it is.
    /// @param token The token's contract, or address 0 for the native coin.
    /// @param treasury Where it would have gone.
    /// @param balance What stays, or 0 if the token does not tell.
    event FlushFailed(address indexed token, address indexed treasury, uint256 balance);

    /// @notice The implementation itself has no treasury: it forwards nothing and takes no coin.
    /// @param implementation This contract, which only its clones may use.
    error NotADeposit(address implementation);

    /// @notice A call failed and may have failed for want of gas; try again with more.
    /// @param callee The token, or the treasury, that was called.
    /// @param gasBefore The gas that was left for it.
    error TooLittleGas(address callee, uint256 gasBefore);

    /// @dev A call that had this much gas did not fail for want of it.
    uint256 private constant AMPLE_GAS = 1_000_000;

    /// @dev Where this code was deployed; a clone runs it at another address.
    address private immutable _implementation = address(this);

    /// @notice Native coin may be sent here as well.
    receive() external payable {
        if (address(this) == _implementation) revert NotADeposit(_implementation);
    }

    /// @notice Where everything goes, as written into the clone's code.
    /// @return The treasury.
    function treasury() public view returns (address) {
        if (address(this) == _implementation) revert NotADeposit(_implementation);
        return address(bytes20(Clones.fetchCloneArgs(address(this))));
    }

    /// @notice Forwards the whole balance of each token, and the native coin, to the treasury.
    /// Anybody may call it. What fails is announced and stops nothing else; only want of gas makes
    /// the whole call fail, so that no estimate of gas passes for a success.
    /// @param tokens Contracts of tokens.
    function flush(address[] calldata tokens) external {
        address to = treasury();
        for (uint256 i = 0; i < tokens.length; ++i) {
            _flushToken(tokens[i], to);
        }
        _flushNative(to);
    }

    /// @dev Success is what the balance says: USDT returns nothing on Ethereum and false on Tron,
    /// and a token may say true without having done anything.
    function _flushToken(address token, address to) private {
        (bool known, uint256 balance) = _balanceOf(token);
        if (known && balance == 0) return;
        uint256 left = balance;
        if (known) {
            _call(token, 0, abi.encodeCall(IERC20.transfer, (to, balance)));
            (known, left) = _balanceOf(token);
        }
        if (known && left < balance) {
            emit Flushed(token, to, balance - left);
        } else {
            emit FlushFailed(token, to, balance);
        }
    }

    /// @dev A treasury may refuse coin, or send it back.
    function _flushNative(address to) private {
        uint256 balance = address(this).balance;
        if (balance == 0) return;
        _call(to, balance, "");
        uint256 left = address(this).balance;
        if (left < balance) {
            emit Flushed(address(0), to, balance - left);
        } else {
            emit FlushFailed(address(0), to, balance);
        }
    }

    /// @dev `known` is false for whatever does not answer with a number.
    function _balanceOf(address token) private view returns (bool known, uint256 amount) {
        bytes memory input = abi.encodeCall(IERC20.balanceOf, (address(this)));
        uint256 gasBefore = gasleft();
        uint256 given = _share(gasBefore);
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(given, token, add(input, 32), mload(input), 0, 32)
            known := and(ok, gt(returndatasize(), 31))
            if known { amount := mload(0) }
        }
        if (!ok) _refuseWantOfGas(token, gasBefore);
    }

    /// @dev Copies nothing of the answer, so that a huge one costs nothing.
    function _call(address callee, uint256 value, bytes memory input) private {
        uint256 gasBefore = gasleft();
        uint256 given = _share(gasBefore);
        bool ok;
        assembly ("memory-safe") {
            ok := call(given, callee, value, add(input, 32), mload(input), 0, 0)
        }
        if (!ok) _refuseWantOfGas(callee, gasBefore);
    }

    /// @dev The gas that one call may use, which leaves something for the others if it burns all.
    function _share(uint256 available) private pure returns (uint256) {
        uint256 eighth = available / 8;
        return eighth > AMPLE_GAS ? eighth : AMPLE_GAS;
    }

    /// @dev A refusal gives most of its gas back, want of gas leaves a few 64ths (EIP-150).
    function _refuseWantOfGas(address callee, uint256 gasBefore) private view {
        if (gasBefore < AMPLE_GAS && gasleft() < gasBefore / 8) {
            revert TooLittleGas(callee, gasBefore);
        }
    }
}
