//! Answers to `eth_getLogs`: none makes the reader fall over or take what was not asked for.
#![no_main]

use alloy_primitives::Address;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    paywatch_indexer::fuzzing::logs(text, Address::repeat_byte(0x70));
});
