// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title What a token has that MockUSDT was upgraded to
interface IUpgradedToken {
    function transferByLegacy(address from, address to, uint256 value) external;
    function transferFromByLegacy(address sender, address from, address to, uint256 value) external;
    function approveByLegacy(address from, address spender, uint256 value) external;
    function balanceOf(address who) external view returns (uint256);
    function allowance(address owner, address spender) external view returns (uint256);
    function totalSupply() external view returns (uint256);
}

/// @title A token that behaves as Tether's USDT on Ethereum does, oddities included
/// @notice For tests only. No function that moves money returns anything; a fee may be taken;
/// supply changes emit no Transfer; a frozen account still receives.
contract MockUSDT {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Issue(uint256 amount);
    event Redeem(uint256 amount);
    event Deprecate(address newAddress);
    event Params(uint256 feeBasisPoints, uint256 maxFee);
    event DestroyedBlackFunds(address blackListedUser, uint256 balance);
    event AddedBlackList(address user);
    event RemovedBlackList(address user);
    event Pause();
    event Unpause();

    error NotOwner(address caller);
    error Paused();
    error NotPaused();
    error BlackListed(address user);
    error NotBlackListed(address user);
    error ApproveFromNonZero(uint256 current);
    error FeeTooHigh(uint256 basisPoints, uint256 maxFee);

    string public name;
    string public symbol;
    uint256 public decimals;
    address public owner;
    bool public paused;
    bool public deprecated;
    address public upgradedAddress;
    /// @dev Basis points of every transfer that go to the owner.
    uint256 public basisPointsRate;
    /// @dev The most that a fee can be, in base units.
    uint256 public maximumFee;
    mapping(address user => bool) public isBlackListed;

    uint256 private _totalSupply;
    mapping(address who => uint256) private _balances;
    mapping(address owner => mapping(address spender => uint256)) private _allowed;

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    modifier whenNotPaused() {
        if (paused) revert Paused();
        _;
    }

    /// @dev The whole supply goes to the deployer, without a Transfer.
    constructor(
        uint256 initialSupply,
        string memory name_,
        string memory symbol_,
        uint256 decimals_
    ) {
        owner = msg.sender;
        _totalSupply = initialSupply;
        _balances[msg.sender] = initialSupply;
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
    }

    function transfer(address to, uint256 value) external whenNotPaused {
        if (isBlackListed[msg.sender]) revert BlackListed(msg.sender);
        if (deprecated) {
            IUpgradedToken(upgradedAddress).transferByLegacy(msg.sender, to, value);
        } else {
            _move(msg.sender, to, value);
        }
    }

    /// @dev Nothing may be moved from anybody without an allowance: 0 is always allowed.
    function transferFrom(address from, address to, uint256 value) external whenNotPaused {
        if (isBlackListed[from]) revert BlackListed(from);
        if (deprecated) {
            IUpgradedToken(upgradedAddress).transferFromByLegacy(msg.sender, from, to, value);
            return;
        }
        uint256 allowed = _allowed[from][msg.sender];
        if (allowed < type(uint256).max) _allowed[from][msg.sender] = allowed - value;
        _move(from, to, value);
    }

    /// @dev Works while paused. A standing allowance must go through 0.
    function approve(address spender, uint256 value) external {
        if (deprecated) {
            IUpgradedToken(upgradedAddress).approveByLegacy(msg.sender, spender, value);
            return;
        }
        uint256 current = _allowed[msg.sender][spender];
        if (value != 0 && current != 0) revert ApproveFromNonZero(current);
        _allowed[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
    }

    /// @dev The fee's Transfer comes first, and only if there is a fee.
    function _move(address from, address to, uint256 value) private {
        uint256 fee = value * basisPointsRate / 10_000;
        if (fee > maximumFee) fee = maximumFee;
        uint256 sent = value - fee;
        _balances[from] -= value;
        _balances[to] += sent;
        if (fee > 0) {
            _balances[owner] += fee;
            emit Transfer(from, owner, fee);
        }
        emit Transfer(from, to, sent);
    }

    function balanceOf(address who) public view returns (uint256) {
        return deprecated ? IUpgradedToken(upgradedAddress).balanceOf(who) : _balances[who];
    }

    function allowance(address holder, address spender) external view returns (uint256) {
        return deprecated
            ? IUpgradedToken(upgradedAddress).allowance(holder, spender)
            : _allowed[holder][spender];
    }

    function totalSupply() external view returns (uint256) {
        return deprecated ? IUpgradedToken(upgradedAddress).totalSupply() : _totalSupply;
    }

    /// @dev Money of the old books, for the token that this one was upgraded to.
    function oldBalanceOf(address who) external view returns (uint256) {
        return deprecated ? _balances[who] : 0;
    }

    function getOwner() external view returns (address) {
        return owner;
    }

    function getBlackListStatus(address user) external view returns (bool) {
        return isBlackListed[user];
    }

    function transferOwnership(address newOwner) external onlyOwner {
        if (newOwner != address(0)) owner = newOwner;
    }

    function issue(uint256 amount) external onlyOwner {
        _balances[owner] += amount;
        _totalSupply += amount;
        emit Issue(amount);
    }

    function redeem(uint256 amount) external onlyOwner {
        _totalSupply -= amount;
        _balances[owner] -= amount;
        emit Redeem(amount);
    }

    /// @param basisPoints Below 20.
    /// @param maxFee Below 50, in whole units.
    function setParams(uint256 basisPoints, uint256 maxFee) external onlyOwner {
        if (basisPoints >= 20 || maxFee >= 50) revert FeeTooHigh(basisPoints, maxFee);
        basisPointsRate = basisPoints;
        maximumFee = maxFee * 10 ** decimals;
        emit Params(basisPointsRate, maximumFee);
    }

    function deprecate(address newAddress) external onlyOwner {
        deprecated = true;
        upgradedAddress = newAddress;
        emit Deprecate(newAddress);
    }

    function addBlackList(address user) external onlyOwner {
        isBlackListed[user] = true;
        emit AddedBlackList(user);
    }

    function removeBlackList(address user) external onlyOwner {
        isBlackListed[user] = false;
        emit RemovedBlackList(user);
    }

    function destroyBlackFunds(address user) external onlyOwner {
        if (!isBlackListed[user]) revert NotBlackListed(user);
        uint256 funds = balanceOf(user);
        _balances[user] = 0;
        _totalSupply -= funds;
        emit DestroyedBlackFunds(user, funds);
    }

    function pause() external onlyOwner whenNotPaused {
        paused = true;
        emit Pause();
    }

    function unpause() external onlyOwner {
        if (!paused) revert NotPaused();
        paused = false;
        emit Unpause();
    }
}
