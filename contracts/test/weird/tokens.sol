// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {DepositFactory} from "../../src/DepositFactory.sol";

/// @dev The bookkeeping that the strange tokens share.
abstract contract Ledger {
    event Transfer(address indexed from, address indexed to, uint256 value);

    mapping(address who => uint256) public balanceOf;

    constructor() {
        balanceOf[msg.sender] = 1e24;
    }

    function _move(address from, address to, uint256 value) internal {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}

/// @dev Moves the money and says false, as USDT on Tron does.
contract ReturnsFalse is Ledger {
    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return false;
    }
}

/// @dev Says true, as the standard asks.
contract ReturnsTrue is Ledger {
    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }
}

/// @dev Says true and moves nothing, once it is told to.
contract Liar is Ledger {
    bool public lies;

    function beginToLie() external {
        lies = true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        if (!lies) _move(msg.sender, to, value);
        return true;
    }
}

/// @dev Refuses transfers, once it is told to.
contract Reverting is Ledger {
    bool public refuses;

    error Refused();

    function beginToRefuse() external {
        refuses = true;
    }

    function transfer(address to, uint256 value) external {
        if (refuses) revert Refused();
        _move(msg.sender, to, value);
    }
}

/// @dev Keeps a tenth of every transfer.
contract FeeOnTransfer is Ledger {
    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, address(this), value / 10);
        _move(msg.sender, to, value - value / 10);
        return true;
    }
}

/// @dev Answers with a megabyte.
contract ReturnBomb is Ledger {
    function transfer(address to, uint256 value) external {
        _move(msg.sender, to, value);
        assembly {
            return(0, 1000000)
        }
    }
}

/// @dev Fails with a megabyte.
contract RevertBomb {
    function balanceOf(address) external pure returns (uint256) {
        return 1;
    }

    function transfer(address, uint256) external pure {
        assembly {
            revert(0, 1000000)
        }
    }
}

/// @dev Calls the factory again, with a treasury of its own, while it is being transferred.
contract Reentrant is Ledger {
    DepositFactory private immutable _factory;
    bytes32 private immutable _salt;
    address private immutable _treasury;
    address private immutable _prey;

    constructor(DepositFactory factory, bytes32 salt, address treasury, address prey) {
        (_factory, _salt, _treasury, _prey) = (factory, salt, treasury, prey);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        bytes32[] memory salts = new bytes32[](1);
        address[] memory tokens = new address[](1);
        (salts[0], tokens[0]) = (_salt, _prey);
        _factory.flush(_treasury, salts, tokens);
        _factory.flush(address(this), salts, tokens);
        return true;
    }
}

/// @dev Burns all gas that it is given, once it is told to.
contract GasBurner is Ledger {
    bool public burns;

    function beginToBurn() external {
        burns = true;
    }

    function transfer(address to, uint256 value) external {
        if (burns) {
            assembly {
                invalid()
            }
        }
        _move(msg.sender, to, value);
    }
}

/// @dev Burns all gas when it is asked for a balance.
contract BalanceBurner {
    function balanceOf(address) external pure returns (uint256) {
        assembly {
            invalid()
        }
    }
}

/// @dev Tells balances only as long as nothing has moved.
contract Forgetful {
    bool public forgot;

    error Forgotten();

    function balanceOf(address) external view returns (uint256) {
        if (forgot) revert Forgotten();
        return 1;
    }

    function transfer(address, uint256) external {
        forgot = true;
    }
}

/// @dev A treasury that burns all gas when it is paid in coin.
contract BurningTreasury {
    receive() external payable {
        assembly {
            invalid()
        }
    }
}

/// @dev A treasury that sends coin back where it came from.
contract BouncingTreasury {
    error NotReturned();

    receive() external payable {
        (bool ok,) = msg.sender.call{value: msg.value}("");
        if (!ok) revert NotReturned();
    }
}

/// @dev What needs much gas for all that it does, as tokens behind several proxies do.
abstract contract Hungry {
    function _use(uint256 amount) internal view {
        uint256 start = gasleft();
        while (start - gasleft() < amount) {}
    }
}

/// @dev A token whose transfer needs much gas.
contract HungryTransfer is Ledger, Hungry {
    function transfer(address to, uint256 value) external {
        _use(400_000);
        _move(msg.sender, to, value);
    }
}

/// @dev A token that needs much gas to tell a balance.
contract HungryBalance is Hungry {
    mapping(address who => uint256) private _balances;

    constructor(address holder) {
        _balances[holder] = 5e6;
    }

    function balanceOf(address who) external view returns (uint256) {
        _use(400_000);
        return _balances[who];
    }

    function transfer(address to, uint256 value) external {
        _balances[msg.sender] -= value;
        _balances[to] += value;
    }
}

/// @dev A treasury that needs much gas to take coin.
contract HungryTreasury is Hungry {
    receive() external payable {
        _use(400_000);
    }
}
