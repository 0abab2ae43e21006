//! The key that an identity belongs to. No node keeps it, and it need not come where a node runs: what it has to sign is written
//! out there, signed where it is, and handed in.
//!
//! Architecture Invariant: a root key signs the beginning of an identity, and who its devices are; nothing else is signed for the
//! asking.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use pistol_acl::record::{AclOp, Action, Role, SignedOp, Subject};
use pistol_acl::{Access, Charter};
use pistol_core::document::EditError;
use pistol_core::genesis::{Genesis, Kind};
use pistol_core::id::DocumentId;
use pistol_core::key::{AuthorId, AuthorKey, Verifier};
use pistol_engine::OperateError;
use zeroize::Zeroizing;

use crate::error::{CreateError, IdentityError, NotOfARoot};
use crate::identity::{Words, seed_of_words, words_of_seed};
use crate::people::log_terms;

/// The key that an identity belongs to. No node keeps it: its 24 words belong on paper, and are needed to certify a device that
/// no certified one can, or after all were lost.
///
/// ```
/// let root = pistol::RootKey::new()?;
/// let words = root.words()?;
/// assert_eq!(pistol::RootKey::from_words(words.reveal())?.author(), root.author());
/// # Ok::<(), pistol::Error>(())
/// ```
pub struct RootKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey")
    }
}

/// A new identity, signed by its root: [`crate::Node::take_identity`] puts it into a store. Its text is public.
#[derive(Clone, Debug)]
pub struct NewIdentity {
    pub(crate) genesis: Genesis,
    pub(crate) certificate: SignedOp,
}

/// What a root is asked to sign, by [`crate::Identity::draft_certificate`] or [`crate::Identity::draft_revocation`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    op: AclOp,
    device: AuthorId,
    role: Option<Role>,
}

/// What a root signed, for [`crate::Identity::enter`]. Its text is public.
#[derive(Clone, Debug)]
pub struct Signed(pub(crate) SignedOp);

impl RootKey {
    /// A new one.
    ///
    /// # Errors
    /// [`CreateError`] if the system gives no random bytes.
    pub fn new() -> Result<RootKey, CreateError> {
        let mut seed = Zeroizing::new([0; 32]);
        let filled = getrandom::fill(seed.as_mut_slice());
        filled.map_err(|error| EditError::Failed(error.to_string()))?;
        Ok(RootKey(seed))
    }

    /// That of 24 words.
    ///
    /// # Errors
    /// [`IdentityError`] if they are no key.
    pub fn from_words(words: &str) -> Result<RootKey, IdentityError> {
        seed_of_words(words).map(RootKey)
    }

    /// Its 24 words, to be written down.
    ///
    /// # Errors
    /// [`IdentityError`], which no key leads to.
    pub fn words(&self) -> Result<Words, IdentityError> {
        words_of_seed(&self.0)
    }

    /// Its public part, by which an identity names its root.
    pub fn author(&self) -> AuthorId {
        self.key().id()
    }

    /// Begins an identity with its first device, which gets the role of an admin.
    ///
    /// # Errors
    /// [`CreateError`] if the system gives no random bytes.
    pub fn begin(&self, device: AuthorId) -> Result<NewIdentity, CreateError> {
        let key = self.key();
        let genesis = Genesis::sign(&key, log_terms(Kind::Identity, key.id())?)?;
        let mut access = Access::new(genesis.id());
        access.found(Charter::of(&genesis).ok_or(EditError::NoContent)?);
        access.settle();
        let action = Action::Grant { to: Subject::Key(device), role: Role::Admin };
        let signed = access.draft(key.id(), action).map_err(OperateError::from);
        let signed = signed.and_then(|draft| Ok(SignedOp::sign(&key, &draft)?));
        let certificate = signed.map_err(|error| EditError::Failed(error.to_string()))?;
        Ok(NewIdentity { genesis, certificate })
    }

    /// Signs a draft. One that came from elsewhere is to be looked at first: whoever made it may have put another device into it.
    ///
    /// # Errors
    /// [`OperateError`] if another root was asked.
    pub fn sign(&self, draft: &Draft) -> Result<Signed, OperateError> {
        Ok(Signed(SignedOp::sign(&self.key(), &draft.op)?))
    }

    pub(crate) fn key(&self) -> AuthorKey {
        AuthorKey::from_seed(&self.0)
    }
}

impl NewIdentity {
    /// Its id.
    pub fn id(&self) -> DocumentId {
        self.genesis.id()
    }
}

impl fmt::Display for NewIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", HEXLOWER.encode(self.genesis.bytes()), HEXLOWER.encode(self.certificate.bytes()))
    }
}

impl FromStr for NewIdentity {
    type Err = NotOfARoot;

    fn from_str(text: &str) -> Result<Self, NotOfARoot> {
        let (genesis, certificate) = text.split_once('.').ok_or(NotOfARoot)?;
        let mut verifier = Verifier::default();
        let genesis = Genesis::verify(&bytes(genesis)?, &mut verifier).map_err(|_| NotOfARoot)?;
        let certificate = SignedOp::verify(&bytes(certificate)?, &mut verifier).map_err(|_| NotOfARoot)?;
        let is_it = genesis.terms().kind == Kind::Identity;
        if is_it { Ok(NewIdentity { genesis, certificate }) } else { Err(NotOfARoot) }
    }
}

impl Draft {
    /// A draft; `None` if it is about something else than a device.
    pub(crate) fn of(op: AclOp) -> Option<Draft> {
        let (device, role) = match op.action {
            Action::Grant { to: Subject::Key(device), role } => (device, Some(role)),
            Action::Revoke { who: Subject::Key(device), .. } => (device, None),
            _ => return None,
        };
        Some(Draft { op, device, role })
    }

    /// The device that it is about.
    pub fn device(&self) -> AuthorId {
        self.device
    }

    /// The role that the device gets; none if its part ends.
    pub fn role(&self) -> Option<Role> {
        self.role
    }
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.op.unsigned()))
    }
}

impl FromStr for Draft {
    type Err = NotOfARoot;

    fn from_str(text: &str) -> Result<Self, NotOfARoot> {
        AclOp::read_unsigned(&bytes(text)?).ok().and_then(Draft::of).ok_or(NotOfARoot)
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(self.0.bytes()))
    }
}

impl FromStr for Signed {
    type Err = NotOfARoot;

    fn from_str(text: &str) -> Result<Self, NotOfARoot> {
        SignedOp::verify(&bytes(text)?, &mut Verifier::default()).map(Signed).map_err(|_| NotOfARoot)
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, NotOfARoot> {
    HEXLOWER.decode(text.as_bytes()).map_err(|_| NotOfARoot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_root_signs_survives_as_text_and_nothing_else_is_taken_for_it() {
        let (root, phone) = (RootKey::new().unwrap(), RootKey::new().unwrap().author());
        let new = root.begin(phone).unwrap();
        let read: NewIdentity = new.to_string().parse().unwrap();
        assert_eq!((read.id(), read.to_string()), (new.id(), new.to_string()));
        let op = |action| AclOp {
            log: new.id(),
            author: root.author(),
            proof: Vec::new(),
            prev: vec![new.certificate.id()],
            own: Some(0),
            action,
        };
        let draft = Draft::of(op(Action::Grant { to: Subject::Key(phone), role: Role::Reader })).unwrap();
        assert_eq!(draft.to_string().parse::<Draft>().unwrap(), draft);
        assert_eq!((draft.device(), draft.role()), (phone, Some(Role::Reader)));
        let signed = root.sign(&draft).unwrap();
        assert_eq!(signed.to_string().parse::<Signed>().unwrap().to_string(), signed.to_string());
        assert!(RootKey::new().unwrap().sign(&draft).is_err(), "another root");
        let given = HEXLOWER.encode(&op(Action::AddRoot { key: phone }).unsigned());
        assert!(given.parse::<Draft>().is_err(), "no root is made for the asking");
        let forged = signed.to_string().replace(&signed.to_string()[200..202], "zz");
        for wrong in ["", ".", "00", "zz", &draft.to_string(), &forged] {
            assert!(wrong.parse::<NewIdentity>().is_err() && wrong.parse::<Signed>().is_err(), "{wrong}");
        }
    }
}
