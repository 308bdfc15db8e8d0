// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title What a deprecated MockUSDT forwards to
/// @notice For tests only. Its Transfer logs come from its own address, not from the old one's.
contract UpgradedUSDT {
    /// @notice `value` arrived at `to`.
    event Transfer(address indexed from, address indexed to, uint256 value);
    /// @notice `spender` may take `value` from `owner`.
    event Approval(address indexed owner, address indexed spender, uint256 value);

    /// @notice Only the old contract may speak for its callers.
    error NotLegacy(address caller);

    /// @dev The token that forwards its callers here.
    address public immutable legacy;
    uint256 public totalSupply;
    mapping(address who => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    modifier onlyLegacy() {
        if (msg.sender != legacy) revert NotLegacy(msg.sender);
        _;
    }

    /// @param legacy_ The old contract.
    /// @param holders Whose balances are taken over.
    /// @param balances What each of them holds, in the same order.
    constructor(address legacy_, address[] memory holders, uint256[] memory balances) {
        legacy = legacy_;
        for (uint256 i = 0; i < holders.length; ++i) {
            balanceOf[holders[i]] += balances[i];
            totalSupply += balances[i];
        }
    }

    /// @notice A transfer that `from` asked the old contract for.
    function transferByLegacy(address from, address to, uint256 value) external onlyLegacy {
        _move(from, to, value);
    }

    /// @notice A transfer that `sender` asked the old contract for, by `from`'s allowance.
    function transferFromByLegacy(address sender, address from, address to, uint256 value)
        external
        onlyLegacy
    {
        allowance[from][sender] -= value;
        _move(from, to, value);
    }

    /// @notice An allowance that `from` asked the old contract for.
    function approveByLegacy(address from, address spender, uint256 value) external onlyLegacy {
        allowance[from][spender] = value;
        emit Approval(from, spender, value);
    }

    function _move(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}
