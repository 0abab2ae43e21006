//! Names of things: 32 bytes each, a type each.

use std::fmt;
use std::str::FromStr;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    };
}

name! {
    /// A document: the hash of its signed genesis. Shown as base58check, which is also a valid automerge-repo id.
    DocumentId
}
name! {
    /// A change: the hash of its canonical bytes.
    ChangeId
}
name! {
    /// A place in a chain: the hash of everything before it and of the change there.
    Link
}
name! {
    /// An operation of an access log: the hash of its canonical bytes. Changes and operations cite it as authority.
    AuthorityId
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bs58::encode(self.0).with_check().into_string())
    }
}

/// A text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a document id: check that all of it was copied")]
pub struct NotAnId;

impl FromStr for DocumentId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if text.len() > 64 {
            return Err(NotAnId);
        }
        let bytes = bs58::decode(text).with_check(None).into_vec().map_err(|_| NotAnId)?;
        bytes.try_into().map(DocumentId).map_err(|_| NotAnId)
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for ChangeId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| NotAnId)?;
        bytes.try_into().map(ChangeId).map_err(|_| NotAnId)
    }
}

/// One author's writing session in one document; with the author it names a chain. Random, so that a restored backup
/// starts another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session(pub u64);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_id_survives_being_shown_and_read() {
        let id = DocumentId([7; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn a_document_id_with_one_wrong_letter_is_refused() {
        let text = DocumentId([7; 32]).to_string();
        let wrong = format!("{}{}", if text.starts_with('1') { '2' } else { '1' }, &text[1..]);
        assert_eq!(wrong.parse::<DocumentId>(), Err(NotAnId));
    }
}
