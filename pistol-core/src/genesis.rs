//! The genesis of a document, or of a log of its own: what it is, whose it is, and what two peers share from the start. Its hash
//! is the id, so nothing in it can be contested, changed or backdated. `docs/protocol.md` gives the bytes.

mod encoding;

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::change::Op;
use crate::codec::{Malformed, Reader};
use crate::hash::{Context, hash};
use crate::id::{AuthorityId, DocumentId};
use crate::key::{AuthorId, AuthorKey, Signature, Verifier};
use crate::limits;

/// What a genesis begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A document.
    Document,
    /// A person or organisation: a log that certifies devices.
    Identity,
    /// Somebody's list of people: a log of who is in it.
    Group,
    /// One application's shared data: a log of who may add documents, which are gone again, and what they are called.
    Space,
}

impl Kind {
    /// Whether it begins a document; else a log of operations and nothing more.
    pub fn is_document(self) -> bool {
        self == Kind::Document
    }
}

/// Who may change a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// The roots.
    Owned,
    /// Anyone.
    WorldWritable,
    /// Anyone, and what somebody wrote is theirs for ever.
    FirstWriter {
        /// Where one may insert into lists and texts.
        insert: Insert,
        /// Whether anybody may increment anybody's counters.
        shared_counters: bool,
        /// Whether anybody may put a value at any key; who is read there, `Slot` says.
        shared_slots: bool,
    },
    /// Whoever was granted a role, and was not revoked: the document's log of operations says who.
    Members,
}

/// Where an author may insert into lists and texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insert {
    /// Into everybody's.
    Anywhere,
    /// Into those that the author made.
    OwnObject,
}

/// Who may read a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Anyone.
    Public,
    /// Who holds the key with this commitment.
    Key([u8; 32]),
}

/// Limits that decide validity; they are the document's own, fixed for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Canonical bytes of one change at most.
    pub change_bytes: u32,
    /// Operations in one change at most.
    pub ops_per_change: u32,
    /// Direct dependencies of a change at most.
    pub deps: u32,
    /// Operations of one chain at most.
    pub ops_per_chain: u32,
    /// Canonical bytes of one chain at most.
    pub bytes_per_chain: u64,
    /// Whether the roots may release the document for ever.
    pub is_releasable: bool,
}

impl Default for Limits {
    fn default() -> Self {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Limits {
            change_bytes: small(limits::CHANGE_BYTES_MAX),
            ops_per_change: small(limits::OPERATIONS_PER_CHANGE_MAX),
            deps: small(limits::DEPENDENCIES_MAX),
            ops_per_chain: limits::OPERATIONS_PER_CHAIN_MAX,
            bytes_per_chain: limits::BYTES_PER_CHAIN_MAX,
            is_releasable: true,
        }
    }
}

/// The terms that a genesis fixes.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// What it begins.
    pub kind: Kind,
    /// The keys it belongs to, sorted, at least one.
    pub roots: Vec<AuthorId>,
    /// Which of the roots signs.
    pub creator: u32,
    /// Who may change it.
    pub policy: Policy,
    /// Limits that decide validity.
    pub limits: Limits,
    /// Who may read it.
    pub read: Read,
    /// Operations that every replica starts with: the objects that peers share.
    pub skeleton: Vec<Op>,
    /// The space it belongs to.
    pub space: Option<DocumentId>,
    /// What lets the creator add documents to the space: a path in the space's log, empty for its roots and where anyone may.
    pub authority: Vec<AuthorityId>,
    /// The application that made it.
    pub app: uuid::Uuid,
    /// The document that it continues.
    pub predecessor: Option<DocumentId>,
    /// Random, so that no two documents are one.
    pub nonce: [u8; 16],
}

/// What a genesis says, as far as lists need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// What it begins.
    pub kind: Kind,
    /// Who may change it.
    pub policy: Policy,
    /// Who may read it.
    pub read: Read,
    /// The space it belongs to, and how it came there.
    pub addition: Option<Addition>,
}

/// How a document came into a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// Which space.
    pub space: DocumentId,
    /// The key that signed the document's genesis, not looked at.
    pub creator: [u8; 32],
    /// What it cites in the space.
    pub authority: Vec<AuthorityId>,
    /// The document's nonce, with which its key is drawn from the space's.
    pub nonce: [u8; 16],
}

/// A genesis that its creator provably signed.
#[derive(Clone, Debug)]
pub struct Genesis {
    terms: Terms,
    creator: AuthorId,
    id: DocumentId,
    bytes: Vec<u8>,
}

/// A genesis was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenesisError {
    /// The bytes are no genesis of this version.
    #[error("this is not a document that this Pistol can read ({0}); ask for it again, or install a newer Pistol")]
    Malformed(#[from] Malformed),
    /// The creator did not sign it.
    #[error("the document's creator did not sign it; ask for it from somebody else")]
    Signature,
    /// It is another document's.
    #[error("this is another document than the one asked for; ask for it from somebody else")]
    WrongId,
}

impl Genesis {
    /// The keys of the roots that these bytes name, in their order. Nothing is checked: there may be none, and none need be a key that
    /// anybody could use.
    pub fn root_keys(bytes: &[u8]) -> Vec<[u8; 32]> {
        let mut reader = Reader::new(bytes);
        let mut roots = || -> Result<Vec<_>, Malformed> {
            // Version and kind come first.
            reader.raw(2)?;
            let count = reader.count(limits::ROOTS_MAX, 32)?;
            (0..count).map(|_| reader.array()).collect()
        };
        roots().unwrap_or_default()
    }

    /// Signs terms, and so makes a document.
    ///
    /// # Errors
    /// [`GenesisError::Malformed`] if the terms are past a limit or the key is not the creator's.
    pub fn sign(key: &AuthorKey, terms: Terms) -> Result<Self, GenesisError> {
        if creator(&terms) != Some(key.id()) {
            return Err(Malformed::Key.into());
        }
        let mut bytes = encoding::to_bytes(&terms);
        let id = id(&bytes);
        bytes.extend_from_slice(&key.sign(&message(&id)).0);
        Genesis::verify(&bytes, &mut Verifier::default())
    }

    /// Reads and checks a genesis.
    ///
    /// # Errors
    /// [`GenesisError`].
    pub fn verify(bytes: &[u8], verifier: &mut Verifier) -> Result<Self, GenesisError> {
        if bytes.len() > limits::GENESIS_BYTES_MAX {
            return Err(Malformed::Limit.into());
        }
        let (body, signature) = bytes.split_last_chunk::<64>().ok_or(Malformed::Short)?;
        let terms = encoding::from_bytes(body)?;
        let creator = creator(&terms).ok_or(Malformed::Order)?;
        let id = id(body);
        if !verifier.is_signed(&creator, &message(&id), &Signature(*signature)) {
            return Err(GenesisError::Signature);
        }
        Ok(Genesis { terms, creator, id, bytes: bytes.to_vec() })
    }

    /// Reads and checks the genesis of a known id.
    ///
    /// # Errors
    /// [`GenesisError`].
    pub fn verify_for(id: DocumentId, bytes: &[u8], verifier: &mut Verifier) -> Result<Self, GenesisError> {
        let genesis = Genesis::verify(bytes, verifier)?;
        if genesis.id == id { Ok(genesis) } else { Err(GenesisError::WrongId) }
    }

    /// What lists need to know, as the bytes say: nothing is checked beyond that.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn glance(bytes: &[u8]) -> Result<Glance, Malformed> {
        encoding::glance(bytes)
    }

    /// The terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The document's id.
    pub fn id(&self) -> DocumentId {
        self.id
    }

    /// Who signed it: what is in the skeleton is theirs.
    pub fn creator(&self) -> AuthorId {
        self.creator
    }

    /// The signed bytes, as they travel and rest.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether somebody who holds `key` may read the document.
    pub fn is_readable_with(&self, key: Option<&ReadKey>) -> bool {
        match self.terms.read {
            Read::Public => true,
            Read::Key(commitment) => key.is_some_and(|key| key.commitment() == commitment),
        }
    }
}

fn creator(terms: &Terms) -> Option<AuthorId> {
    terms.roots.get(usize::try_from(terms.creator).ok()?).copied()
}

fn id(body: &[u8]) -> DocumentId {
    DocumentId(hash(Context::Genesis, &[body]))
}

fn message(id: &DocumentId) -> Vec<u8> {
    [b"pistol/genesis/1\0".as_slice(), id.as_bytes()].concat()
}

/// The key that opens a document to its readers. It is wiped from memory when dropped and never shown.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ReadKey(pub [u8; 32]);

impl ReadKey {
    /// The key of a document in the space whose key this is, drawn with the nonce of the document's genesis.
    pub fn of_document(&self, nonce: &[u8; 16]) -> ReadKey {
        ReadKey(hash(Context::ReadDerive, &[&self.0, nonce]))
    }

    /// What a genesis says of this key.
    pub fn commitment(&self) -> [u8; 32] {
        hash(Context::ReadCommit, &[&self.0])
    }
}

impl fmt::Debug for ReadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadKey")
    }
}
