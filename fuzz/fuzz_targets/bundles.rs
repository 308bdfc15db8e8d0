//! Proof bundles: none but a true one is taken, and none makes the verifier fall over.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paywatch_proof::verify_bundle;

fuzz_target!(|bytes: &[u8]| {
    let seed = include_bytes!("../seeds/bundles/payment.json");
    if verify_bundle(bytes).is_ok() {
        assert_eq!(bytes, seed, "another bundle is taken for a proof");
    }
});
