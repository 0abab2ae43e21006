//! The author key, which is a node's identity: as 24 words on paper, and sealed with a passphrase.
//!
//! The words are those of BIP-39 in English, made of the key itself; no passphrase goes into them. Whoever has them can
//! write as this author. A passphrase seals the file `author.key` alone: documents, read keys and the node's key for the
//! network lie in the store as before.

use std::fmt;
use std::path::Path;

use bip39::{Language, Mnemonic};
use pistol_core::key::{AuthorId, AuthorKey};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{IdentityError, OpenError};
use crate::runtime::folder::{self, FolderError, Passphrase};

/// How many words an identity is.
const WORDS: usize = 24;

/// An identity as 24 words. They are wiped from memory when dropped, and shown by [`Words::reveal`] alone.
pub struct Words(Zeroizing<String>);

impl Words {
    /// The words, with spaces between.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words")
    }
}

/// The identity of a store's folder as 24 words.
///
/// # Errors
/// [`IdentityError`] if there is no key, or its passphrase is needed or wrong.
///
/// ```no_run
/// # fn example() -> Result<(), pistol::IdentityError> {
/// let words = pistol::identity::backup("notes.pistol", None)?;
/// pistol::identity::restore("elsewhere.pistol", words.reveal(), None)?;
/// # Ok(())
/// # }
/// ```
pub fn backup(folder: impl AsRef<Path>, passphrase: Option<&str>) -> Result<Words, IdentityError> {
    let seed = seed_of(folder.as_ref(), passphrase)?;
    words_of_seed(&seed)
}

pub(crate) fn words_of_seed(seed: &[u8; 32]) -> Result<Words, IdentityError> {
    let mnemonic =
        Mnemonic::from_entropy_in(Language::English, seed.as_slice()).map_err(|_| IdentityError::Checksum)?;
    // With room for all words, so that no copy is left where the text grew.
    let mut words = Zeroizing::new(String::with_capacity(WORDS * 9));
    for word in mnemonic.words() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    Ok(Words(words))
}

/// Puts the identity of 24 words into a folder, which is made if there is none, and seals it if there is a passphrase. The
/// key of another identity is never replaced.
///
/// # Errors
/// [`IdentityError`] if the words are no identity, or the folder holds another one or is in use.
pub fn restore(folder: impl AsRef<Path>, words: &str, passphrase: Option<&str>) -> Result<AuthorId, IdentityError> {
    let seed = seed_of_words(words)?;
    let passphrase = passphrase.map(|passphrase| Passphrase::new(passphrase.to_owned()));
    let written = folder::write_author_seed(folder.as_ref(), &seed, passphrase.as_ref(), passphrase.as_ref());
    written.map_err(OpenError::from)?;
    Ok(AuthorKey::from_seed(&seed).id())
}

/// Seals the author key of a folder with a passphrase. What the disk held before may still be found on it.
///
/// # Errors
/// [`IdentityError`] if there is no key, it is sealed already, or a node has the folder.
pub fn seal(folder: impl AsRef<Path>, passphrase: &str) -> Result<(), IdentityError> {
    let seed = seed_of(folder.as_ref(), None)?;
    let passphrase = Passphrase::new(passphrase.to_owned());
    Ok(folder::write_author_seed(folder.as_ref(), &seed, None, Some(&passphrase)).map_err(OpenError::from)?)
}

/// Writes the author key of a folder without a passphrase again.
///
/// # Errors
/// [`IdentityError`] if the passphrase is wrong, or a node has the folder.
pub fn unseal(folder: impl AsRef<Path>, passphrase: &str) -> Result<(), IdentityError> {
    let seed = seed_of(folder.as_ref(), Some(passphrase))?;
    let passphrase = Passphrase::new(passphrase.to_owned());
    Ok(folder::write_author_seed(folder.as_ref(), &seed, Some(&passphrase), None).map_err(OpenError::from)?)
}

fn seed_of(folder: &Path, passphrase: Option<&str>) -> Result<Zeroizing<[u8; 32]>, IdentityError> {
    let passphrase = passphrase.map(|passphrase| Passphrase::new(passphrase.to_owned()));
    let read: Result<_, FolderError> = folder::author_seed(folder, passphrase.as_ref());
    Ok(read.map_err(OpenError::from)?)
}

pub(crate) fn seed_of_words(words: &str) -> Result<Zeroizing<[u8; 32]>, IdentityError> {
    let count = words.split_whitespace().count();
    if count != WORDS {
        return Err(IdentityError::Count(count));
    }
    let mut normal = Zeroizing::new(String::with_capacity(words.len() + 1));
    for word in words.split_whitespace() {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
    }
    let mnemonic = Mnemonic::parse_in_normalized(Language::English, &normal).map_err(|error| match error {
        bip39::Error::UnknownWord(at) => IdentityError::Word(at + 1),
        _ => IdentityError::Checksum,
    })?;
    let (mut entropy, length) = mnemonic.to_entropy_array();
    let seed = entropy.get(..length).and_then(|entropy| entropy.try_into().ok()).map(Zeroizing::new);
    entropy.zeroize();
    seed.ok_or(IdentityError::Checksum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_as_words_however_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let seed: [u8; 32] = std::array::from_fn(|index| u8::try_from(index * 7).unwrap());
        folder::write_author_seed(folder.path(), &seed, None, None).unwrap();
        let words = backup(folder.path(), None).unwrap();
        assert_eq!(words.reveal().split(' ').count(), WORDS);
        for written in [words.reveal().to_owned(), words.reveal().to_uppercase(), words.reveal().replace(' ', "\n ")] {
            assert_eq!(*seed_of_words(&written).unwrap(), seed);
        }
    }

    #[test]
    fn the_words_are_those_of_bip_39() {
        // The first and last vectors of 32 bytes in the reference list of BIP-39.
        let abandon = format!("{}art", "abandon ".repeat(23));
        assert_eq!(*seed_of_words(&abandon).unwrap(), [0; 32]);
        assert_eq!(*seed_of_words(&format!("{}vote", "zoo ".repeat(23))).unwrap(), [0xff; 32]);
    }

    #[test]
    fn wrong_words_are_told_of_by_their_place_and_never_shown() {
        let abandon = format!("{}art", "abandon ".repeat(23));
        let shown = |words: &str| seed_of_words(words).unwrap_err().to_string();
        assert!(shown("abandon art").contains("these are 2"));
        let misspelt = abandon.replacen("abandon", "hunter2", 1);
        assert!(shown(&misspelt).contains("word 1") && !shown(&misspelt).contains("hunter2"));
        assert!(shown(&"abandon ".repeat(24)).contains("do not belong together"));
    }

    #[test]
    fn another_identity_is_never_replaced_and_a_damaged_key_is_made_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (abandon, zoo) = (format!("{}art", "abandon ".repeat(23)), format!("{}vote", "zoo ".repeat(23)));
        let author = restore(folder.path(), &abandon, None).unwrap();
        assert_eq!(restore(folder.path(), &abandon, None).unwrap(), author);
        assert!(restore(folder.path(), &zoo, None).unwrap_err().to_string().contains("another identity"));
        let key = folder.path().join("author.key");
        let whole = std::fs::read(&key).unwrap();
        std::fs::write(&key, &whole[..30]).unwrap();
        restore(folder.path(), &abandon, None).unwrap();
        assert_eq!(std::fs::read(&key).unwrap(), whole);
    }

    #[test]
    fn a_sealed_key_is_unsealed_with_its_passphrase_alone() {
        let folder = tempfile::tempdir().unwrap();
        restore(folder.path(), &format!("{}art", "abandon ".repeat(23)), None).unwrap();
        seal(folder.path(), "a passphrase").unwrap();
        assert!(backup(folder.path(), None).unwrap_err().to_string().contains("sealed"));
        assert!(unseal(folder.path(), "another").is_err());
        let words = backup(folder.path(), Some("a passphrase")).unwrap();
        unseal(folder.path(), "a passphrase").unwrap();
        assert_eq!(backup(folder.path(), None).unwrap().reveal(), words.reveal());
    }
}
