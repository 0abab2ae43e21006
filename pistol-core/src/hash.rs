//! Every hash of Pistol: BLAKE3 with a context of its own for each use, so that no hash can stand for another.

use std::sync::LazyLock;

use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};

/// What a hash is for. The text is part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Context {
    /// The id of a document.
    Genesis,
    /// The id of a change.
    Change,
    /// The next link of a chain.
    Link,
    /// The first link of a chain.
    Root,
    /// The Automerge actor of a chain.
    Actor,
    /// The id of an operation of an access log.
    Acl,
    /// What a genesis says of its read key.
    ReadCommit,
    /// A document's read key, drawn from its space's.
    ReadDerive,
    /// Which documents of a space a node holds.
    Catalogue,
    /// The secret of an invitation, as the inviting node keeps it.
    Invite,
    /// Numbers drawn from a node's seed; nothing of it travels.
    Entropy,
    /// The key of a node's stamps, made of its author's secret.
    Stamp,
    /// A row of a store, to know it again; nothing of it travels.
    Row,
    /// A row of a store with its key, to notice damage; nothing of it travels.
    RowCheck,
    /// A file of a document, to notice damage.
    Export,
    /// A record as it was received, to know it again; nothing of it travels.
    Record,
}

impl Context {
    fn text(self) -> &'static str {
        match self {
            Context::Genesis => "pistol genesis v1",
            Context::Change => "pistol change v1",
            Context::Link => "pistol link v1",
            Context::Root => "pistol root v1",
            Context::Actor => "pistol actor v1",
            Context::Acl => "pistol acl v1",
            Context::ReadCommit => "pistol read commit v1",
            Context::ReadDerive => "pistol read derive v1",
            Context::Catalogue => "pistol catalogue v1",
            Context::Invite => "pistol invite v1",
            Context::Entropy => "pistol entropy v1",
            Context::Stamp => "pistol stamp v1",
            Context::Row => "pistol row v1",
            Context::RowCheck => "pistol row check v1",
            Context::Export => "pistol export v1",
            Context::Record => "pistol record v1",
        }
    }

    /// The key that BLAKE3 derives from the text. What is hashed for each change or row has it made once.
    fn key(self) -> ContextKey {
        static CHANGE: LazyLock<ContextKey> = LazyLock::new(|| hash_derive_key_context(Context::Change.text()));
        static LINK: LazyLock<ContextKey> = LazyLock::new(|| hash_derive_key_context(Context::Link.text()));
        static ROW_CHECK: LazyLock<ContextKey> = LazyLock::new(|| hash_derive_key_context(Context::RowCheck.text()));
        match self {
            Context::Change => *CHANGE,
            Context::Link => *LINK,
            Context::RowCheck => *ROW_CHECK,
            other => hash_derive_key_context(other.text()),
        }
    }
}

/// Hashes the concatenation of `parts`. Callers make parts of fixed or stated length, so that no two inputs collide.
pub fn hash(context: Context, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Hasher::new(context);
    parts.iter().for_each(|part| hasher.add(part));
    hasher.finish()
}

/// Hashes bytes that come in parts.
pub(crate) struct Hasher(blake3::Hasher);

impl Hasher {
    pub(crate) fn new(context: Context) -> Self {
        Hasher(blake3::Hasher::new_from_context_key(&context.key()))
    }

    pub(crate) fn add(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    pub(crate) fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_hash_differently_for_each_use() {
        assert_ne!(hash(Context::Change, &[b"x"]), hash(Context::Genesis, &[b"x"]));
    }

    #[test]
    fn the_context_is_that_of_blake3_itself() {
        for context in [Context::Change, Context::Link, Context::Root] {
            assert_eq!(hash(context, &[b"a", b"z"]), blake3::derive_key(context.text(), b"az"));
        }
    }
}
