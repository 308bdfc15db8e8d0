// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Checks} from "./Base.sol";

/// @dev The deterministic deployer, with the code that it has on every chain.
abstract contract Deterministic is Checks {
    address internal constant DEPLOYER = 0x4e59b44847b379578588920cA78FbF26c0B4956C;

    /// @dev Deploys with salt 0, as on chain.
    function deploy(bytes memory initCode) internal {
        vm.etch(
            DEPLOYER,
            hex"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
        );
        (bool deployed,) = DEPLOYER.call(abi.encodePacked(bytes32(0), initCode));
        holds(deployed, "the deterministic deployer works");
    }
}
