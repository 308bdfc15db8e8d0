//! A deterministic chain in memory, with every fault that real nodes have.

mod ledger;

pub use crate::ledger::{Ledger, SimBlock, SimTransaction};
