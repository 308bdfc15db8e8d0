// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {Signatures} from "./Signatures.sol";

/// @title A token that behaves as Tether's newer ones do: USDT0, Avalanche, Celo, Kaia
/// @notice For tests only. Returns true; whatever changes the supply is a Transfer from or to zero;
/// holders sign permits (EIP-2612) and authorizations (EIP-3009), and contract wallets do too.
contract MockModernToken is ERC20 {
    /// @notice Money was made, with a Transfer from zero.
    event Mint(address indexed destination, uint256 amount);
    /// @notice Money of the owner was destroyed, with a Transfer to zero.
    event Redeem(uint256 amount);
    /// @notice An account was blocked.
    event BlockPlaced(address indexed user);
    /// @notice An account was unblocked.
    event BlockReleased(address indexed user);
    /// @notice A blocked account's balance is gone, with a Transfer to zero.
    event DestroyedBlockedFunds(address indexed blockedUser, uint256 balance);
    /// @notice An authorization was used; the Transfer follows.
    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);

    error NotOwner(address caller);
    error Blocked(address user);
    error NotBlocked(address user);
    error ToTheToken(address token);
    error LengthsDiffer(uint256 recipients, uint256 values);
    error NotSigned(address signer);
    error TooLate(uint256 deadline);
    error NotNow(uint256 validAfter, uint256 validBefore);
    error AlreadyUsed(address authorizer, bytes32 nonce);
    error NotTheRecipient(address caller, address recipient);

    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant TRANSFER_TYPEHASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 private constant RECEIVE_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );

    address public immutable owner = msg.sender;
    uint8 private immutable _decimals;
    /// @dev A blocked account cannot send, nor take for others, but it still receives.
    mapping(address user => bool) public isBlocked;
    /// @dev Of permits, counting up.
    mapping(address owner => uint256) public nonces;
    /// @dev Whether an authorization of EIP-3009 was used.
    mapping(address authorizer => mapping(bytes32 nonce => bool)) public authorizationState;

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    modifier onlyNotBlocked() {
        if (isBlocked[msg.sender]) revert Blocked(msg.sender);
        _;
    }

    /// @dev Nobody holds anything at first.
    constructor(string memory name_, string memory symbol_, uint8 decimals_) ERC20(name_, symbol_) {
        _decimals = decimals_;
    }

    /// @notice 6 for USDT.
    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    /// @notice Moves what `from` allowed, unless the caller is blocked.
    function transferFrom(address from, address to, uint256 value)
        public
        override
        onlyNotBlocked
        returns (bool)
    {
        return super.transferFrom(from, to, value);
    }

    /// @notice Several transfers at once.
    function multiTransfer(address[] calldata recipients, uint256[] calldata values) external {
        if (recipients.length != values.length) {
            revert LengthsDiffer(recipients.length, values.length);
        }
        for (uint256 i = 0; i < recipients.length; ++i) {
            transfer(recipients[i], values[i]);
        }
    }

    /// @notice What permits and authorizations are signed for besides themselves (EIP-712).
    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        return keccak256(
            abi.encode(
                DOMAIN_TYPEHASH,
                keccak256(bytes(name())),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
    }

    /// @notice EIP-2612.
    function permit(
        address holder,
        address spender,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        permit(holder, spender, value, deadline, abi.encodePacked(r, s, v));
    }

    /// @notice The same with a signature of any form.
    function permit(
        address holder,
        address spender,
        uint256 value,
        uint256 deadline,
        bytes memory signature
    ) public {
        if (block.timestamp > deadline) revert TooLate(deadline);
        uint256 nonce = nonces[holder]++;
        _requireSigned(
            holder,
            keccak256(abi.encode(PERMIT_TYPEHASH, holder, spender, value, nonce, deadline)),
            signature
        );
        _approve(holder, spender, value);
    }

    /// @notice EIP-3009; anybody may hand it in.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        transferWithAuthorization(
            from, to, value, validAfter, validBefore, nonce, abi.encodePacked(r, s, v)
        );
    }

    /// @notice The same with a signature of any form.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) public onlyNotBlocked {
        _use(from, validAfter, validBefore, nonce);
        bytes memory signed =
            abi.encode(TRANSFER_TYPEHASH, from, to, value, validAfter, validBefore, nonce);
        _requireSigned(from, keccak256(signed), signature);
        _transfer(from, to, value);
    }

    /// @notice EIP-3009; only the recipient may hand it in.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        receiveWithAuthorization(
            from, to, value, validAfter, validBefore, nonce, abi.encodePacked(r, s, v)
        );
    }

    /// @notice The same with a signature of any form.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) public onlyNotBlocked {
        if (to != msg.sender) revert NotTheRecipient(msg.sender, to);
        _use(from, validAfter, validBefore, nonce);
        bytes memory signed =
            abi.encode(RECEIVE_TYPEHASH, from, to, value, validAfter, validBefore, nonce);
        _requireSigned(from, keccak256(signed), signature);
        _transfer(from, to, value);
    }

    /// @notice Creates money.
    function mint(address destination, uint256 amount) external onlyOwner {
        _mint(destination, amount);
        emit Mint(destination, amount);
    }

    /// @notice Destroys money of the owner.
    function redeem(uint256 amount) external onlyOwner {
        _burn(owner, amount);
        emit Redeem(amount);
    }

    /// @notice Blocks an account.
    function addToBlockedList(address user) external onlyOwner {
        isBlocked[user] = true;
        emit BlockPlaced(user);
    }

    /// @notice Unblocks an account.
    function removeFromBlockedList(address user) external onlyOwner {
        isBlocked[user] = false;
        emit BlockReleased(user);
    }

    /// @notice Destroys what a blocked account holds.
    function destroyBlockedFunds(address user) external onlyOwner {
        if (!isBlocked[user]) revert NotBlocked(user);
        uint256 funds = balanceOf(user);
        _burn(user, funds);
        emit DestroyedBlockedFunds(user, funds);
    }

    /// @dev The token itself is no recipient.
    function _update(address from, address to, uint256 value) internal override {
        if (isBlocked[from] && msg.sender != owner) revert Blocked(from);
        if (to == address(this)) revert ToTheToken(to);
        super._update(from, to, value);
    }

    function _use(address from, uint256 validAfter, uint256 validBefore, bytes32 nonce) private {
        if (block.timestamp <= validAfter || block.timestamp >= validBefore) {
            revert NotNow(validAfter, validBefore);
        }
        if (authorizationState[from][nonce]) revert AlreadyUsed(from, nonce);
        authorizationState[from][nonce] = true;
        emit AuthorizationUsed(from, nonce);
    }

    function _requireSigned(address signer, bytes32 hash, bytes memory signature) private view {
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", DOMAIN_SEPARATOR(), hash));
        if (!Signatures.isOf(signer, digest, signature)) revert NotSigned(signer);
    }
}
