//! Messages of a node: none makes the reader fall over.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| paywatch_indexer::fuzzing::answers(text));
