//! Chains: one author's session in one document, linked by hashes, vouched for by one signature at its tip.

use crate::hash::{Context, hash};
use crate::id::{ChangeId, DocumentId, Link, Session};
use crate::key::{AuthorId, AuthorKey, Signature, Verifier};

/// The name of a chain within a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId {
    /// Whose it is.
    pub author: AuthorId,
    /// Which of the author's.
    pub session: Session,
}

impl ChainId {
    /// The link before the first change.
    pub fn root(&self, document: &DocumentId) -> Link {
        let session = self.session.0.to_le_bytes();
        Link(hash(Context::Root, &[document.as_bytes(), self.author.as_bytes(), &session]))
    }
}

impl Link {
    /// The link after one more change.
    #[must_use]
    pub fn then(&self, change: &ChangeId) -> Link {
        Link(hash(Context::Link, &[self.as_bytes(), change.as_bytes()]))
    }
}

/// An author's signature under a chain up to a place. It vouches for that prefix, in this document, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The last place it vouches for, from 1.
    pub seq: u64,
    /// The link there.
    pub link: Link,
    /// The author's signature.
    pub signature: Signature,
}

impl Tip {
    /// Signs a chain at a place.
    pub fn sign(key: &AuthorKey, document: &DocumentId, session: Session, seq: u64, link: Link) -> Tip {
        let chain = ChainId { author: key.id(), session };
        Tip { seq, link, signature: key.sign(&message(document, &chain, seq, &link)) }
    }

    /// Whether the chain's author signed this.
    pub fn is_signed(&self, verifier: &mut Verifier, document: &DocumentId, chain: &ChainId) -> bool {
        verifier.is_signed(&chain.author, &message(document, chain, self.seq, &self.link), &self.signature)
    }
}

fn message(document: &DocumentId, chain: &ChainId, seq: u64, link: &Link) -> Vec<u8> {
    let mut message = Vec::with_capacity(128);
    message.extend_from_slice(b"pistol/tip/1\0");
    message.extend_from_slice(document.as_bytes());
    message.extend_from_slice(chain.author.as_bytes());
    message.extend_from_slice(&chain.session.0.to_le_bytes());
    message.extend_from_slice(&seq.to_le_bytes());
    message.extend_from_slice(link.as_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tip_is_good_for_its_own_document_chain_place_and_link_only() {
        let key = AuthorKey::from_seed(&[1; 32]);
        let (document, session, link) = (DocumentId([2; 32]), Session(3), Link([4; 32]));
        let tip = Tip::sign(&key, &document, session, 5, link);
        let chain = ChainId { author: key.id(), session };
        let other = ChainId { session: Session(9), ..chain };
        let mut verifier = Verifier::default();
        assert!(tip.is_signed(&mut verifier, &document, &chain));
        assert!(!tip.is_signed(&mut verifier, &DocumentId([9; 32]), &chain));
        assert!(!tip.is_signed(&mut verifier, &document, &other));
        assert!(!Tip { seq: 6, ..tip }.is_signed(&mut verifier, &document, &chain));
        assert!(!Tip { link: Link([9; 32]), ..tip }.is_signed(&mut verifier, &document, &chain));
    }
}
