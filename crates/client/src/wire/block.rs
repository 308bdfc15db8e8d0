//! Who is blocked.

use serde::{Deserialize, Serialize};

/// Somebody who is blocked for a while.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Block {
    /// Its id, `blk_…`.
    pub id: String,
    /// `key` or `address`.
    pub kind: String,
    /// The key's id, or the address.
    pub subject: String,
    /// When it began.
    pub since: String,
    /// When it ends by itself.
    pub until: String,
}

/// All that are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Blocks {
    pub(crate) data: Vec<Block>,
}
