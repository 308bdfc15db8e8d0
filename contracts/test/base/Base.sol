// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {DepositFactory} from "../../src/DepositFactory.sol";
import {MockUSDT} from "../../src/mocks/MockUSDT.sol";

/// @dev The cheatcodes that these tests use; npm's forge-std does not compile.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    function prank(address sender) external;
    function lastCallGas() external view returns (Gas memory);
    function deal(address who, uint256 balance) external;
    function etch(address target, bytes calldata code) external;
    function expectRevert() external;
    function expectRevert(bytes calldata data) external;
    function expectPartialRevert(bytes4 selector) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function assume(bool condition) external pure;
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonAddress(string calldata json, string calldata key)
        external
        pure
        returns (address);
    function parseJsonBytes32(string calldata json, string calldata key)
        external
        pure
        returns (bytes32);
    function toString(uint256 value) external pure returns (string memory);
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function warp(uint256 timestamp) external;
    function chainId(uint256 id) external;
    function parseJsonUint(string calldata json, string calldata key)
        external
        pure
        returns (uint256);
}

/// @dev Cheatcodes, checks and short lists.
abstract contract Checks {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    bytes32 internal constant TRANSFER = keccak256("Transfer(address,address,uint256)");
    error Unequal(string what, uint256 left, uint256 right);
    error Untrue(string what);

    function same(uint256 left, uint256 right, string memory what) internal pure {
        if (left != right) revert Unequal(what, left, right);
    }

    function same(address left, address right, string memory what) internal pure {
        same(uint160(left), uint160(right), what);
    }

    function holds(bool condition, string memory what) internal pure {
        if (!condition) revert Untrue(what);
    }

    function same(bytes32 left, bytes32 right, string memory what) internal pure {
        same(uint256(left), uint256(right), what);
    }

    function list(address one) internal pure returns (address[] memory all) {
        all = new address[](1);
        all[0] = one;
    }

    function list(bytes32 one) internal pure returns (bytes32[] memory all) {
        all = new bytes32[](1);
        all[0] = one;
    }
}

/// @dev What most tests share: a factory, and a token like USDT whose supply this contract holds.
abstract contract Base is Checks {
    address internal constant TREASURY = address(0x7EA5);
    address internal constant STRANGER = address(0x57A4);
    address internal constant CUSTOMER = address(0xC057);

    DepositFactory internal factory;
    MockUSDT internal usdt;

    function setUp() public virtual {
        factory = new DepositFactory();
        usdt = new MockUSDT(1e30, "Tether USD", "USDT", 6);
    }

    /// @dev Flushes one deposit of one token, called by somebody who has nothing to do with it.
    function flush(bytes32 salt, address token) internal {
        vm.prank(STRANGER);
        factory.flush(TREASURY, list(salt), list(token));
    }
}
