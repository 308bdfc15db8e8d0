//! The derivation against the vectors that Forge checks, and the types that wallets sign.

use alloy::sol;
use alloy::sol_types::SolStruct as _;
use serde_json::Value;

use super::*;

/// What a wallet makes of the Permit2 request, whose types it orders by itself.
mod wallet {
    use super::sol;

    sol! {
        struct TokenPermissions { address token; uint256 amount; }
        struct OrderPayment { address treasury; bytes32 orderRef; }
        struct PermitWitnessTransferFrom {
            TokenPermissions permitted;
            address spender;
            uint256 nonce;
            uint256 deadline;
            OrderPayment witness;
        }
    }
}

fn vectors() -> Value {
    let text = include_str!("../../../../contracts/vectors/payment-receiver.json");
    serde_json::from_str(text).unwrap()
}

fn hash_at(value: &Value) -> B256 {
    value.as_str().unwrap().parse().unwrap()
}

fn address_at(value: &Value) -> Address {
    value.as_str().unwrap().parse().unwrap()
}

fn payment() -> Payment {
    Payment {
        treasury: Address::repeat_byte(1),
        order_ref: B256::repeat_byte(2),
        token: Address::repeat_byte(3),
        amount: U256::from(4),
    }
}

fn signature() -> Signature {
    Signature::new(U256::from(5), U256::from(6), true)
}

#[test]
fn address_and_hashes_are_those_of_the_vectors_that_forge_checks() {
    let vectors = vectors();
    assert_eq!(receiver_address(), address_at(&vectors["receiver"]));
    assert_eq!(PAID_TOPIC, hash_at(&vectors["paid"]));
    let signed = vectors["signed"].as_array().unwrap();
    assert!(!signed.is_empty());
    for case in signed {
        let (treasury, order_ref) = (address_at(&case["treasury"]), hash_at(&case["orderRef"]));
        let nonce = authorization_nonce(
            case["chainId"].as_u64().unwrap(),
            receiver_address(),
            treasury,
            order_ref,
            hash_at(&case["salt"]),
        );
        assert_eq!(nonce, hash_at(&case["nonce"]), "{case}");
        let witness = permit2_witness(treasury, order_ref);
        assert_eq!(witness, hash_at(&case["witness"]), "{case}");
    }
}

#[test]
fn the_deployment_is_salt_and_init_code() {
    let (deployer, data) = receiver_deployment();
    let init_code = data.strip_prefix(DEPLOYMENT_SALT.as_slice()).unwrap();
    assert_eq!(
        deployer.create2_from_code(DEPLOYMENT_SALT, init_code),
        receiver_address()
    );
}

#[test]
fn a_wallet_signs_the_type_that_permit2_is_told() {
    let told = format!(
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,\
         uint256 deadline,{PERMIT2_WITNESS_TYPE}"
    );
    assert_eq!(
        wallet::PermitWitnessTransferFrom::eip712_encode_type(),
        told
    );
    let witness = wallet::OrderPayment {
        treasury: payment().treasury,
        orderRef: payment().order_ref,
    };
    assert_eq!(witness.eip712_type_hash(), WITNESS_TYPE_HASH);
    assert_eq!(
        witness.eip712_hash_struct(),
        permit2_witness(payment().treasury, payment().order_ref)
    );
}

#[test]
fn calls_say_what_the_contract_reads() {
    let payment = payment();
    let authorization = Authorization {
        payer: Address::repeat_byte(7),
        valid_after: 8,
        valid_before: 9,
        salt: B256::repeat_byte(10),
    };
    let (r, s) = (B256::with_last_byte(5), B256::with_last_byte(6));

    let call = payCall::abi_decode(&payment.pay()).unwrap();
    assert_eq!(call.treasury, payment.treasury);
    assert_eq!(call.orderRef, payment.order_ref);
    assert_eq!(call.token, payment.token);
    assert_eq!(call.amount, payment.amount);

    let call = payWithPermitCall::abi_decode(&payment.with_permit(11, &signature())).unwrap();
    assert_eq!(call.payment.abi_encode(), payment.terms().abi_encode());
    assert_eq!(
        (call.deadline, call.v, call.r, call.s),
        (U256::from(11), 28, r, s)
    );

    let data = payment.with_authorization(&authorization, &signature());
    let call = payWithAuthorizationCall::abi_decode(&data).unwrap();
    assert_eq!(call.payment.abi_encode(), payment.terms().abi_encode());
    assert_eq!(call.authorization.payer, authorization.payer);
    assert_eq!(call.authorization.validAfter, U256::from(8));
    assert_eq!(call.authorization.validBefore, U256::from(9));
    assert_eq!(call.authorization.salt, authorization.salt);
    assert_eq!((call.v, call.r, call.s), (28, r, s));

    let data = payment.with_wallet_authorization(&authorization, Bytes::from_static(b"any"));
    let call = payWithWalletAuthorizationCall::abi_decode(&data).unwrap();
    assert_eq!(call.signature, Bytes::from_static(b"any"));
    assert_eq!(call.authorization.payer, authorization.payer);

    let permit = Permit2 {
        payer: Address::repeat_byte(12),
        nonce: U256::from(13),
        deadline: 14,
        signature: Bytes::from_static(b"some"),
    };
    let call = payWithPermit2Call::abi_decode(&payment.with_permit2(&permit)).unwrap();
    assert_eq!(call.payer, permit.payer);
    assert_eq!(
        (call.nonce, call.deadline),
        (permit.nonce, U256::from(permit.deadline))
    );
    assert_eq!(call.signature, permit.signature);
}
