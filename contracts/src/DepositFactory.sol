// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {Deposit} from "./Deposit.sol";

/// @title Deposit addresses, known before anything is deployed at them
/// @notice Has no owner and no storage. An address follows from this factory, the merchant's
/// treasury and a salt, so it is the same on every chain that has this factory at its one address
/// and the same treasury. Receiving needs no deployment; flushing deploys on the way.
contract DepositFactory {
    /// @notice Money that is forwarded to nobody is lost.
    error ZeroTreasury();

    /// @notice The code that every deposit runs.
    address public immutable implementation = address(new Deposit());

    /// @notice The address to which payments for `salt` go that belong to `treasury`.
    /// @param treasury Where the deposit forwards everything; not zero.
    /// @param salt What tells this deposit from the treasury's others.
    /// @return The deposit's address, whether or not it is deployed yet.
    function depositAddress(address treasury, bytes32 salt) public view returns (address) {
        return Clones.predictDeterministicAddressWithImmutableArgs(
            implementation, _immutableArgs(treasury), salt
        );
    }

    /// @notice Deploys the deposits of `treasury` where needed, and forwards all of their tokens
    /// and native coin to it. Anybody may call it, for anybody. What fails is announced by the
    /// deposit and stops nothing else; only want of gas makes the whole call fail.
    /// @param treasury The treasury that the deposits were derived with.
    /// @param salts The salts of the deposits.
    /// @param tokens The tokens to forward; native coin is always forwarded.
    function flush(address treasury, bytes32[] calldata salts, address[] calldata tokens) external {
        bytes memory args = _immutableArgs(treasury);
        for (uint256 i = 0; i < salts.length; ++i) {
            address deposit = depositAddress(treasury, salts[i]);
            if (deposit.code.length == 0) {
                Clones.cloneDeterministicWithImmutableArgs(implementation, args, salts[i]);
            }
            // Not caught: a deposit reverts for want of gas and for nothing else.
            Deposit(payable(deposit)).flush(tokens);
        }
    }

    /// @dev What stands behind a clone's code: the treasury's 20 bytes.
    function _immutableArgs(address treasury) private pure returns (bytes memory) {
        if (treasury == address(0)) revert ZeroTreasury();
        return abi.encodePacked(treasury);
    }
}
