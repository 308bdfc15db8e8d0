//! Proves that a block holds a payment, and checks such proofs with no node and no database.
