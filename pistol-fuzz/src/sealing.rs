//! Making the outside right again after the inside was mutated: hashes, links and signatures as the author would.

use std::sync::Arc;

use pistol_core::chain::{ChainId, Tip};
use pistol_core::change::Change;
use pistol_core::codec::Reader;
use pistol_core::envelope::{Envelope, Run, VerifiedChange};
use pistol_core::hash::{Context, hash};
use pistol_core::id::{DocumentId, Link};
use pistol_core::key::{AuthorId, AuthorKey, Verifier};

/// The authors of every history here have numbers.
pub fn author(number: u8) -> AuthorKey {
    AuthorKey::from_seed(&[number; 32])
}

/// Bytes of a signature.
const SIGNATURE: usize = 64;

/// How many authors there are.
pub const AUTHORS: u8 = 10;

/// The key of an author, if it is one of ours.
pub fn key_of(author_id: &AuthorId) -> Option<AuthorKey> {
    static IDS: std::sync::LazyLock<Vec<(AuthorId, u8)>> =
        std::sync::LazyLock::new(|| (0..AUTHORS).map(|number| (author(number).id(), number)).collect());
    IDS.iter().find(|(id, _)| id == author_id).map(|(_, number)| author(*number))
}

/// Puts a change after a link under its author's signature; `None` if no envelope can hold it.
pub fn envelope(document: DocumentId, base: Link, change: Change) -> Option<Envelope> {
    let key = key_of(&change.author)?;
    let tip = Tip::sign(&key, &document, change.session, change.seq, base.then(&change.id()));
    let chain = ChainId { author: change.author, session: change.session };
    let run = Run { chain, first_seq: change.seq, base, withheld: Vec::new(), tip };
    Envelope::new(document, vec![run], vec![(0, Arc::new(change))]).ok()
}

/// Signs a change; `None` if it cannot be told from somebody else's.
pub fn sign(document: DocumentId, base: Link, change: Change) -> Option<VerifiedChange> {
    let verified = envelope(document, base, change)?.verify(&mut Verifier::default()).ok()?;
    verified.into_changes().pop()
}

/// The signature of a genesis: the last 64 bytes.
pub fn seal_genesis(bytes: &mut Vec<u8>, key: &AuthorKey) {
    bytes.truncate(bytes.len().saturating_sub(64));
    let id = hash(Context::Genesis, &[bytes]);
    let signature = key.sign(&[b"pistol/genesis/1\0".as_slice(), &id].concat());
    bytes.extend_from_slice(&signature.0);
}

/// An envelope of one run, and where in its bytes the tip's signature lies.
#[derive(Clone, Debug)]
pub struct OneRun {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The document.
    pub document: DocumentId,
    /// The chain.
    pub chain: ChainId,
    /// Place of the first change.
    pub first_seq: u64,
    /// The link before it.
    pub base: Link,
    signature_at: usize,
}

impl OneRun {
    /// Of changes of one chain that are sealed together.
    pub fn new(document: DocumentId, changes: &[VerifiedChange]) -> Option<OneRun> {
        let first = changes.first()?;
        let sealed = pistol_core::envelope::Verified::seal(document, changes);
        let (signatures, bytes) = (sealed.signatures(), sealed.to_bytes());
        let last = changes.last()?;
        let key = key_of(&first.change().author)?;
        let tip = Tip::sign(&key, &document, first.change().session, last.change().seq, last.link());
        let at = bytes.windows(SIGNATURE).position(|window| window == tip.signature.0);
        let signature_at = at.filter(|_| signatures == 1)?;
        let bytes = inflated(&bytes, signature_at + SIGNATURE)?;
        let (chain, first_seq, base) = (first.chain(), first.change().seq, first.base());
        Some(OneRun { bytes, document, chain, first_seq, base, signature_at })
    }

    /// The bytes after the signature: what may be mutated and sealed again.
    pub fn inside(&self) -> &[u8] {
        self.bytes.get(self.signature_at + SIGNATURE..).unwrap_or_default()
    }

    /// The envelope with another inside, signed by the author if it can be read at all.
    pub fn seal(&self, inside: &[u8]) -> Vec<u8> {
        let mut bytes = [self.bytes.get(..self.signature_at + SIGNATURE).unwrap_or_default(), inside].concat();
        let (Ok(envelope), Some(key)) = (Envelope::from_bytes(self.document, &bytes), key_of(&self.chain.author))
        else {
            return bytes;
        };
        let ids = envelope.ids();
        let link = ids.iter().fold(self.base, |link, id| link.then(id));
        let seq = self.first_seq.saturating_add(ids.len() as u64).saturating_sub(1);
        let tip = Tip::sign(&key, &self.document, self.chain.session, seq, link);
        if let Some(place) = bytes.get_mut(self.signature_at..self.signature_at + SIGNATURE) {
            place.copy_from_slice(&tip.signature.0);
        }
        bytes
    }
}

/// An envelope whose columns are not deflated, so that a mutation hits a column and not what packs it. `at` is where
/// its signature ends.
fn inflated(bytes: &[u8], at: usize) -> Option<Vec<u8>> {
    let (before, inside) = bytes.split_at_checked(at)?;
    let mut reader = Reader::new(inside);
    reader.number().ok()?;
    reader.number().ok()?;
    for _ in 0..reader.number().ok()? {
        reader.raw(32).ok()?;
    }
    reader.bytes(usize::MAX).ok()?;
    let length_at = inside.len() - reader.remaining();
    let length = usize::try_from(reader.number().ok()?).ok()?;
    if length == 0 {
        return Some(bytes.to_vec());
    }
    let packed = reader.raw(reader.remaining()).ok()?;
    let columns = miniz_oxide::inflate::decompress_to_vec_with_limit(packed, length).ok()?;
    Some([before, inside.get(..length_at)?, &[0], &columns].concat())
}
