// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

/// @title What stands behind an order's deposit address
/// @notice Forwards whatever it holds to one treasury and nowhere else. It is used through clones
/// that carry the treasury in their code (EIP-1167 with an immutable argument), so no call and no
/// key can change where the money goes.
contract Deposit {
    /// @notice A token, or the native coin as address 0, was forwarded.
    event Flushed(address indexed token, address indexed treasury, uint256 amount);

    /// @notice Nothing of a balance could be forwarded; it stays where it is.
    event FlushFailed(address indexed token, address indexed treasury, uint256 balance);

    /// @notice The implementation itself holds no treasury and forwards nothing.
    error NotADeposit(address implementation);

    /// @dev Where this code was deployed; a clone runs it at another address.
    address private immutable _implementation = address(this);

    /// @notice Native coin may be sent here as well.
    receive() external payable {}

    /// @notice Where everything goes, as written into the clone's code.
    function treasury() public view returns (address) {
        if (address(this) == _implementation) revert NotADeposit(_implementation);
        return address(bytes20(Clones.fetchCloneArgs(address(this))));
    }

    /// @notice Forwards the whole balance of each token, and the native coin, to the treasury.
    /// Anybody may call it. A token that fails does not stop the others.
    /// @param tokens Contracts of tokens; what is no token is passed over.
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
        uint256 balance = _balanceOf(token);
        if (balance == 0) return;
        _callWithoutReturn(
            token, 0, abi.encodeWithSignature("transfer(address,uint256)", to, balance)
        );
        uint256 left = _balanceOf(token);
        if (left < balance) {
            emit Flushed(token, to, balance - left);
        } else {
            emit FlushFailed(token, to, balance);
        }
    }

    function _flushNative(address to) private {
        uint256 balance = address(this).balance;
        if (balance == 0) return;
        if (_callWithoutReturn(to, balance, "")) {
            emit Flushed(address(0), to, balance);
        } else {
            emit FlushFailed(address(0), to, balance);
        }
    }

    /// @dev 0 for whatever does not answer with a number.
    function _balanceOf(address token) private view returns (uint256 amount) {
        bytes memory input = abi.encodeWithSignature("balanceOf(address)", address(this));
        assembly ("memory-safe") {
            let ok := staticcall(gas(), token, add(input, 32), mload(input), 0, 32)
            if and(ok, gt(returndatasize(), 31)) { amount := mload(0) }
        }
    }

    /// @dev Copies nothing of the answer, so that a huge one costs nothing.
    function _callWithoutReturn(address to, uint256 value, bytes memory input)
        private
        returns (bool ok)
    {
        assembly ("memory-safe") {
            ok := call(gas(), to, value, add(input, 32), mload(input), 0, 0)
        }
    }
}
