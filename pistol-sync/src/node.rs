//! The name of a node on the network.

use std::fmt;

/// A node's public key on the network. It is not an author: one person may have many nodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct NodeId(pub [u8; 32]);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(5).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Whether a connection stays when two nodes have dialled each other at the same time: the one that the lower id dialled
/// does. Both sides come to the same answer, whichever connection each saw first. A connection alone always stays.
pub fn keeps(own: NodeId, peer: NodeId, dialled_by_us: bool) -> bool {
    dialled_by_us == (own < peer)
}

#[cfg(test)]
mod tests {
    use super::{NodeId, keeps};

    #[test]
    fn both_sides_of_two_simultaneous_dials_keep_the_one_that_the_lower_id_dialled() {
        let (low, high) = (NodeId([1; 32]), NodeId([2; 32]));
        for (dialler, other, stays) in [(low, high, true), (high, low, false)] {
            assert_eq!(keeps(dialler, other, true), stays);
            assert_eq!(keeps(other, dialler, false), stays);
        }
    }
}
