// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {Ledger} from "./tokens.sol";

/// @dev What the strange tokens share that are paid with: allowances, and one place to be strange.
abstract contract Allowing is Ledger {
    mapping(address holder => mapping(address spender => uint256)) public allowance;

    function approve(address spender, uint256 value) external {
        allowance[msg.sender][spender] = value;
    }

    function transfer(address to, uint256 value) external virtual {
        _pass(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external virtual returns (bool) {
        _take(from, to, value);
        return true;
    }

    function _take(address from, address to, uint256 value) internal {
        allowance[from][msg.sender] -= value;
        _pass(from, to, value);
    }

    function _pass(address from, address to, uint256 value) internal virtual {
        _move(from, to, value);
    }
}

/// @dev Does as the standard asks.
contract Plain is Allowing {}

/// @dev Moves the money and says false.
contract SaysFalse is Allowing {
    function transferFrom(address from, address to, uint256 value)
        external
        override
        returns (bool)
    {
        _take(from, to, value);
        return false;
    }
}

/// @dev Says neither true nor false.
contract SaysTwo is Allowing {
    function transferFrom(address from, address to, uint256 value)
        external
        override
        returns (bool)
    {
        _take(from, to, value);
        assembly {
            mstore(0, 2)
            return(0, 32)
        }
    }
}

/// @dev Answers with a megabyte of nothing.
contract SaysMuch is Allowing {
    function transferFrom(address from, address to, uint256 value)
        external
        override
        returns (bool)
    {
        _take(from, to, value);
        assembly {
            mstore(0, 1)
            return(0, 1000000)
        }
    }
}

/// @dev Says true and moves nothing; an authorization of anybody's moves as little.
contract MovesNothing is Allowing {
    function transferFrom(address, address, uint256) external pure override returns (bool) {
        return true;
    }

    function receiveWithAuthorization(
        address,
        address,
        uint256,
        uint256,
        uint256,
        bytes32,
        uint8,
        bytes32,
        bytes32
    ) external pure {}
}

/// @dev Keeps a tenth of every transfer; it asks for no signature.
contract KeepsTenth is Allowing {
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256,
        uint256,
        bytes32,
        uint8,
        bytes32,
        bytes32
    ) external {
        _pass(from, to, value);
    }

    function _pass(address from, address to, uint256 value) internal override {
        _move(from, address(this), value / 10);
        _move(from, to, value - value / 10);
    }
}

/// @dev Credits more than it takes.
contract CreditsMore is Allowing {
    function _pass(address from, address to, uint256 value) internal override {
        _move(from, to, value);
        ++balanceOf[to];
    }
}

/// @dev Forwards half of what was authorized, and reports success; it asks for no signature.
contract KeepsAuthorized is Allowing {
    function transfer(address to, uint256 value) external override {
        bool isHalved = balanceOf[msg.sender] == value;
        _move(msg.sender, to, isHalved ? value / 2 : value);
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256,
        uint256,
        bytes32,
        uint8,
        bytes32,
        bytes32
    ) external {
        _move(from, to, value);
    }
}

/// @dev Takes any call for a deposit of coin, as wrapped coins do.
contract TakesAnything is Allowing {
    fallback() external payable {}
}

/// @dev Tells balances that nobody has: each transfer adds a thousand to what it says.
contract InventsBalances {
    uint256 private _told;

    function balanceOf(address) external view returns (uint256) {
        return _told;
    }

    function transferFrom(address, address, uint256) external returns (bool) {
        _told += 1000;
        return true;
    }
}

/// @dev Tells that the recipient got poorer.
contract Shrinks is Allowing {
    function _pass(address, address to, uint256) internal override {
        balanceOf[to] = 0;
    }
}

interface IHook {
    function moving() external;
}

/// @dev Tells the payer before and the recipient after a transfer, as ERC-777 does, if they are
/// contracts that listen.
contract CallsHooks is Allowing {
    mapping(address who => bool) public listens;

    function listen() external {
        listens[msg.sender] = true;
    }

    function _pass(address from, address to, uint256 value) internal override {
        if (listens[from]) IHook(from).moving();
        _move(from, to, value);
        if (listens[to]) IHook(to).moving();
    }
}

/// @dev Somebody who makes a call of his own while money of his, or for him, is moving.
contract Listener is IHook {
    address private _target;
    bytes private _input;
    bool private _mustWork;
    bool public worked;
    bytes public answer;

    error DidNotWork();

    /// @dev From now on makes this call once, and lets the transfer fail if it has to work.
    function prepare(address target, bytes calldata input, bool mustWork) external {
        (_target, _input, _mustWork) = (target, input, mustWork);
    }

    function moving() external {
        if (_target == address(0)) return;
        address target = _target;
        _target = address(0);
        (worked, answer) = target.call(_input);
        if (_mustWork && !worked) revert DidNotWork();
    }

    /// @dev Makes any call in its own name.
    function act(address target, bytes calldata input) external returns (bytes memory) {
        (bool ok, bytes memory result) = target.call(input);
        if (!ok) {
            assembly {
                revert(add(result, 32), mload(result))
            }
        }
        return result;
    }
}

/// @dev Makes a call of its own in every function that the receiver calls.
contract CallsBack is Allowing {
    address private _target;
    bytes private _input;
    bytes public answer;
    bool public worked;

    function prepare(address target, bytes calldata input) external {
        (_target, _input) = (target, input);
    }

    function permit(
        address holder,
        address spender,
        uint256 value,
        uint256,
        uint8,
        bytes32,
        bytes32
    ) external {
        _call();
        allowance[holder][spender] = value;
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256,
        uint256,
        bytes32,
        uint8,
        bytes32,
        bytes32
    ) external {
        _pass(from, to, value);
    }

    function _pass(address from, address to, uint256 value) internal override {
        _call();
        _move(from, to, value);
    }

    function _call() private {
        if (_target != address(0)) (worked, answer) = _target.call(_input);
    }
}

/// @dev A contract wallet (ERC-1271) that agrees to one signature, whatever it is for.
contract Wallet is IERC1271 {
    bytes32 private _agreed;

    function agree(bytes32 hashOfSignature) external {
        _agreed = hashOfSignature;
    }

    function isValidSignature(bytes32, bytes calldata signature) external view returns (bytes4) {
        return
            keccak256(signature) == _agreed
                ? IERC1271.isValidSignature.selector
                : bytes4(0xffffffff);
    }
}
