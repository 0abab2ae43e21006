//! Every hash of Pistol: BLAKE3 with a context of its own for each use, so that no hash can stand for another.

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
    /// What a genesis says of its read key.
    ReadCommit,
    /// A document's read key, drawn from its space's.
    ReadDerive,
    /// Numbers drawn from a node's seed; nothing of it travels.
    Entropy,
}

impl Context {
    fn text(self) -> &'static str {
        match self {
            Context::Genesis => "pistol genesis v1",
            Context::Change => "pistol change v1",
            Context::Link => "pistol link v1",
            Context::Root => "pistol root v1",
            Context::Actor => "pistol actor v1",
            Context::ReadCommit => "pistol read commit v1",
            Context::ReadDerive => "pistol read derive v1",
            Context::Entropy => "pistol entropy v1",
        }
    }
}

/// Hashes the concatenation of `parts`. Callers make parts of fixed or stated length, so that no two inputs collide.
pub fn hash(context: Context, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Hasher::new(context);
    for part in parts {
        hasher.0.update(part);
    }
    *hasher.0.finalize().as_bytes()
}

/// A hasher whose context is set up once, for code that hashes many small records.
#[derive(Clone)]
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// Prepares a context.
    pub fn new(context: Context) -> Self {
        Hasher(blake3::Hasher::new_derive_key(context.text()))
    }

    /// Hashes one record, leaving the prepared context as it was.
    pub fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = self.0.clone();
        for part in parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
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
    fn a_prepared_hasher_agrees_with_a_fresh_one_and_can_be_used_again() {
        let hasher = Hasher::new(Context::Link);
        for text in ["a", "b"] {
            assert_eq!(hasher.hash(&[text.as_bytes(), b"z"]), hash(Context::Link, &[text.as_bytes(), b"z"]));
        }
    }
}
