//! Whether the contracts that paywatch wants stand on a chain.

use paywatch_contracts::KnownContract;

use crate::node::{Node, NodeError};

/// What stands where a contract should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Missing,
    /// The contract.
    Ours,
    /// Something else.
    Other,
}

/// What stands where `contract` should.
///
/// # Errors
/// When the node does not answer.
pub async fn standing(node: &Node, contract: &KnownContract) -> Result<Standing, NodeError> {
    let code = node.code(contract.address).await?;
    Ok(if code.is_empty() {
        Standing::Missing
    } else if contract.is(&code) {
        Standing::Ours
    } else {
        Standing::Other
    })
}
