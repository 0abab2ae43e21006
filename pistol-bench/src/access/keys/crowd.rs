//! People who write, and what they have signed.

use std::sync::Arc;

use pistol_core::chain::ChainId;
use pistol_core::document::{Document, Edit, EditAs};
use pistol_core::envelope::{Verified, VerifiedChange};
use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use pistol_core::id::{DocumentId, Session};
use pistol_core::key::AuthorKey;
use pistol_oracle::Chance;

use crate::Outcome;

/// Changes of its owner's in a small document.
const OWN: usize = 4;

/// People with keys of their own.
pub(super) struct Crowd {
    keys: Vec<AuthorKey>,
    chance: Chance,
    time_ms: u64,
}

/// A document that they write in.
pub(super) struct Written {
    pub(super) genesis: Arc<Genesis>,
    document: Document,
}

/// Signed changes in one envelope.
pub(super) struct Enveloped {
    pub(super) bytes: Vec<u8>,
    pub(super) changes: usize,
}

impl Written {
    pub(super) fn id(&self) -> DocumentId {
        self.genesis.id()
    }
}

impl Crowd {
    pub(super) fn new(authors: usize) -> Outcome<Crowd> {
        let key = |number: usize| {
            let mut seed = [7; 32];
            seed.iter_mut().zip(number.to_le_bytes()).for_each(|(byte, of)| *byte = of);
            AuthorKey::from_seed(&seed)
        };
        let keys: Vec<AuthorKey> = (0..authors).map(key).collect();
        if keys.is_empty() {
            return Err("nobody writes".into());
        }
        Ok(Crowd { keys, chance: Chance::new(1), time_ms: 1_700_000_000_000 })
    }

    /// A new document, open to all, of the person whose turn it is by its number.
    pub(super) fn document(&self, number: usize) -> Outcome<Written> {
        let owner = self.keys.get(number % self.keys.len()).ok_or("nobody writes")?;
        let mut nonce = [0; 16];
        nonce.iter_mut().zip(number.to_le_bytes()).for_each(|(byte, of)| *byte = of);
        let (_, skeleton) = pistol_core::document::skeleton(|doc| doc.list("messages"))?;
        let terms = Terms {
            kind: Kind::Document,
            roots: vec![owner.id()],
            creator: 0,
            policy: Policy::WorldWritable,
            limits: Limits::default(),
            read: Read::Public,
            skeleton,
            space: None,
            authority: vec![],
            app: uuid::Uuid::nil(),
            predecessor: None,
            nonce,
        };
        let genesis = Arc::new(Genesis::sign(owner, terms)?);
        Ok(Written { document: Document::new(Arc::clone(&genesis))?, genesis })
    }

    /// Messages of people whom chance picks, which become durable together.
    pub(super) fn say(&mut self, room: &mut Written, count: usize) -> Outcome<Enveloped> {
        let mut said = Vec::new();
        for _ in 0..count {
            let who = self.chance.below(self.keys.len());
            said.extend(self.change(room, who, |doc| doc.list("messages").push("a message of some words"))?);
        }
        Ok(sealed(room, &said))
    }

    /// What its owner writes in a small document, and then somebody else.
    pub(super) fn write(&mut self, document: &mut Written, number: usize) -> Outcome<[Enveloped; 2]> {
        let mut own = Vec::new();
        for line in 0..OWN {
            own.extend(self.change(document, number, |doc| {
                doc.put(&format!("line {line}"), "some words in a small document");
            })?);
        }
        let own = sealed(document, &own);
        let other = self.chance.below(self.keys.len());
        let last = self.change(document, other, |doc| doc.put("seen", true))?;
        Ok([own, sealed(document, &last)])
    }

    fn change<T>(
        &mut self,
        to: &mut Written,
        who: usize,
        edit: impl FnOnce(&mut Edit) -> T,
    ) -> Outcome<Vec<VerifiedChange>> {
        let key = self.keys.get(who % self.keys.len()).ok_or("nobody writes")?;
        self.time_ms += 1000;
        let chain = ChainId { author: key.id(), session: session(who) };
        let by = EditAs { chain, time_ms: self.time_ms, message: None, authority: &[], judge: pistol_acl::allow };
        let made = to.document.edit(&by, edit)?;
        let linked: Vec<_> = made.changes.into_iter().map(|accepted| accepted.change).collect();
        Ok(Verified::sign(key, to.id(), &linked)?.into_changes())
    }
}

/// A session is a random number.
fn session(who: usize) -> Session {
    Session((who as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn sealed(document: &Written, changes: &[VerifiedChange]) -> Enveloped {
    Enveloped { bytes: Verified::seal(document.id(), changes).to_bytes(), changes: changes.len() }
}
