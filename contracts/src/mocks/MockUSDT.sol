// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title What a token has that MockUSDT was upgraded to
interface IUpgradedToken {
    /// @notice A transfer that `from` asked the old contract for.
    function transferByLegacy(address from, address to, uint256 value) external;
    /// @notice A transfer that `sender` asked the old contract for, by `from`'s allowance.
    function transferFromByLegacy(address sender, address from, address to, uint256 value) external;
    /// @notice An allowance that `from` asked the old contract for.
    function approveByLegacy(address from, address spender, uint256 value) external;
    /// @notice Read through by the old contract, as the next two are.
    function balanceOf(address who) external view returns (uint256);
    function allowance(address owner, address spender) external view returns (uint256);
    function totalSupply() external view returns (uint256);
}

/// @title A token that behaves as Tether's USDT on Ethereum does, oddities included
/// @notice For tests only. No function that moves money returns anything; a fee may be taken;
/// supply changes emit no Transfer; a frozen account still receives.
contract MockUSDT {
    /// @notice `value` arrived at `to`; a fee is a Transfer of its own, before it.
    event Transfer(address indexed from, address indexed to, uint256 value);
    /// @notice `spender` may take `value` from `owner`.
    event Approval(address indexed owner, address indexed spender, uint256 value);
    /// @notice The owner's balance and the supply grew, without a Transfer.
    event Issue(uint256 amount);
    /// @notice The owner's balance and the supply shrank, without a Transfer.
    event Redeem(uint256 amount);
    /// @notice From now on everything is forwarded to `newAddress`, which also logs it.
    event Deprecate(address newAddress);
    /// @notice The fee changed; `maxFee` is in base units.
    event Params(uint256 feeBasisPoints, uint256 maxFee);
    /// @notice A frozen account's balance is gone, without a Transfer.
    event DestroyedBlackFunds(address blackListedUser, uint256 balance);
    /// @notice An account was frozen. Not indexed, as on Ethereum; Tron's is.
    event AddedBlackList(address user);
    /// @notice An account was thawed.
    event RemovedBlackList(address user);
    /// @notice Transfers were stopped.
    event Pause();
    /// @notice Transfers were allowed again.
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

    /// @notice Returns nothing.
    function transfer(address to, uint256 value) external whenNotPaused {
        if (isBlackListed[msg.sender]) revert BlackListed(msg.sender);
        if (deprecated) {
            IUpgradedToken(upgradedAddress).transferByLegacy(msg.sender, to, value);
        } else {
            _move(msg.sender, to, value);
        }
    }

    /// @notice Returns nothing, and works for `from` who never allowed anything if `value` is 0.
    /// @dev Address poisoning lives from it.
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

    /// @notice Allows `spender` to take `value`; returns nothing.
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

    /// @notice The balance, as the successor tells it once there is one.
    function balanceOf(address who) public view returns (uint256) {
        return deprecated ? IUpgradedToken(upgradedAddress).balanceOf(who) : _balances[who];
    }

    /// @notice What `spender` may still take.
    function allowance(address holder, address spender) external view returns (uint256) {
        return deprecated
            ? IUpgradedToken(upgradedAddress).allowance(holder, spender)
            : _allowed[holder][spender];
    }

    /// @notice What all balances sum up to.
    function totalSupply() external view returns (uint256) {
        return deprecated ? IUpgradedToken(upgradedAddress).totalSupply() : _totalSupply;
    }

    /// @notice The same as `owner`.
    function getOwner() external view returns (address) {
        return owner;
    }

    /// @notice The same as `isBlackListed`.
    function getBlackListStatus(address user) external view returns (bool) {
        return isBlackListed[user];
    }

    /// @notice Does nothing if `newOwner` is zero.
    function transferOwnership(address newOwner) external onlyOwner {
        if (newOwner != address(0)) owner = newOwner;
    }

    /// @notice Creates money for the owner.
    function issue(uint256 amount) external onlyOwner {
        _balances[owner] += amount;
        _totalSupply += amount;
        emit Issue(amount);
    }

    /// @notice Destroys money of the owner.
    function redeem(uint256 amount) external onlyOwner {
        _totalSupply -= amount;
        _balances[owner] -= amount;
        emit Redeem(amount);
    }

    /// @notice Sets the fee of every transfer.
    /// @param basisPoints Below 20.
    /// @param maxFee Below 50, in whole units.
    function setParams(uint256 basisPoints, uint256 maxFee) external onlyOwner {
        if (basisPoints >= 20 || maxFee >= 50) revert FeeTooHigh(basisPoints, maxFee);
        basisPointsRate = basisPoints;
        maximumFee = maxFee * 10 ** decimals;
        emit Params(basisPointsRate, maximumFee);
    }

    /// @notice Hands everything over to `newAddress`, even if nothing is there.
    function deprecate(address newAddress) external onlyOwner {
        deprecated = true;
        upgradedAddress = newAddress;
        emit Deprecate(newAddress);
    }

    /// @notice Freezes an account: it cannot send, but it still receives.
    function addBlackList(address user) external onlyOwner {
        isBlackListed[user] = true;
        emit AddedBlackList(user);
    }

    /// @notice Thaws an account.
    function removeBlackList(address user) external onlyOwner {
        isBlackListed[user] = false;
        emit RemovedBlackList(user);
    }

    /// @notice Destroys what a frozen account holds.
    function destroyBlackFunds(address user) external onlyOwner {
        if (!isBlackListed[user]) revert NotBlackListed(user);
        uint256 funds = balanceOf(user);
        _balances[user] = 0;
        _totalSupply -= funds;
        emit DestroyedBlackFunds(user, funds);
    }

    /// @notice Stops transfers, but not approvals.
    function pause() external onlyOwner whenNotPaused {
        paused = true;
        emit Pause();
    }

    /// @notice Allows transfers again.
    function unpause() external onlyOwner {
        if (!paused) revert NotPaused();
        paused = false;
        emit Unpause();
    }
}
