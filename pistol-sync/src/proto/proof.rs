//! Proof that one holds a document's read key, good for one connection and one role only.

use pistol_core::genesis::ReadKey;
use pistol_core::id::DocumentId;

use crate::node::NodeId;

/// Which side of the connection proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who opened the connection; proves first.
    Dialler,
    /// Who accepted it.
    Listener,
}

impl Role {
    /// The other side's role.
    pub fn other(self) -> Role {
        match self {
            Role::Dialler => Role::Listener,
            Role::Listener => Role::Dialler,
        }
    }
}

/// What a proof is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The node that opened the connection.
    pub dialler: NodeId,
    /// The node that accepted it.
    pub listener: NodeId,
    /// Keying material that both ends of this connection, and nobody else, can export.
    pub exported: [u8; 32],
}

impl Binding {
    /// The proof by the side with this role.
    pub fn prove(&self, key: &ReadKey, role: Role, document: &DocumentId) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&key.0);
        hasher.update(b"pistol/read/1");
        hasher.update(&[match role {
            Role::Dialler => 0,
            Role::Listener => 1,
        }]);
        for part in [&self.dialler.0, &self.listener.0, &self.exported, document.as_bytes()] {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }

    /// Whether a proof is right. The comparison takes the same time wherever they differ.
    pub fn is_proved(&self, key: &ReadKey, role: Role, document: &DocumentId, proof: &[u8; 32]) -> bool {
        blake3::Hash::from_bytes(self.prove(key, role, document)) == blake3::Hash::from_bytes(*proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_good_for_its_connection_role_document_and_key_only() {
        let (key, document) = (ReadKey([1; 32]), DocumentId([2; 32]));
        let binding = Binding { dialler: NodeId([3; 32]), listener: NodeId([4; 32]), exported: [5; 32] };
        let proof = binding.prove(&key, Role::Dialler, &document);
        assert!(binding.is_proved(&key, Role::Dialler, &document, &proof));
        assert!(!binding.is_proved(&key, Role::Listener, &document, &proof), "an echo of our own proof");
        assert!(!binding.is_proved(&key, Role::Dialler, &DocumentId([9; 32]), &proof));
        assert!(!binding.is_proved(&ReadKey([9; 32]), Role::Dialler, &document, &proof));
        let other = Binding { exported: [9; 32], ..binding };
        assert!(!other.is_proved(&key, Role::Dialler, &document, &proof), "replayed on another connection");
    }
}
