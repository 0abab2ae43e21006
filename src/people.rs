//! Identities and groups: lists of keys that have a log of their own. Documents with members grant parts to them as to a key.

use std::fmt;

use pistol_acl::Member;
use pistol_acl::record::{Action, Heads, Keep, Mode, Role, Subject};
use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use pistol_core::id::DocumentId;
use pistol_core::key::{AuthorId, AuthorKey};
use pistol_engine::{Insight, OperateError};
use pistol_sync::ticket::Ticket;
use zeroize::Zeroizing;

use crate::doc::Doc;
use crate::error::{CreateError, FindError, FlushError, IdentityError};
use crate::identity::{Words, seed_of_words, words_of_seed};
use crate::node::Node;

/// The key that an identity belongs to. No node keeps it: its 24 words belong on paper, and are needed to certify a device that
/// no certified one can, or after all were lost.
pub struct RootKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey")
    }
}

impl RootKey {
    /// A new one.
    ///
    /// # Errors
    /// [`CreateError`] if the system gives no random bytes.
    pub fn new() -> Result<RootKey, CreateError> {
        let mut seed = Zeroizing::new([0; 32]);
        let filled = getrandom::fill(seed.as_mut_slice());
        filled.map_err(|error| pistol_core::document::EditError::Failed(error.to_string()))?;
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

    fn key(&self) -> AuthorKey {
        AuthorKey::from_seed(&self.0)
    }
}

/// A person or organisation: the devices that its root, or another device of it with the role of an admin, certifies. Whatever is
/// granted to it is granted to them, and a device that is revoked here has no part in any document by it.
#[derive(Clone, Debug)]
pub struct Identity(Doc);

/// A list of keys, identities and groups, which may change while grants to it stay.
#[derive(Clone, Debug)]
pub struct Group(Doc);

impl Identity {
    /// Its id, which a grant in a document names.
    pub fn id(&self) -> DocumentId {
        self.0.id()
    }

    /// What lets another device of the same person follow it, by [`Node::join`].
    pub fn ticket(&self) -> Ticket {
        self.0.ticket()
    }

    /// Certifies a device: by the root key, or by this device if it is one with the role of an admin. The role bounds what the
    /// device may do wherever the identity may do more.
    ///
    /// # Errors
    /// [`OperateError`] if whoever signs may not.
    pub fn certify(&self, root: Option<&RootKey>, device: AuthorId, role: Role) -> Result<(), OperateError> {
        self.0.operate_as(root.map(RootKey::key).as_ref(), |_| Ok(Action::Grant { to: Subject::Key(device), role }))
    }

    /// Ends a device's part in everything, wherever this log comes. What it wrote as this identity stays where others have built
    /// on it, and in the documents to be kept as far as this node shows it; the rest is masked.
    ///
    /// # Errors
    /// As [`Identity::certify`]; devices that were certified by equals cannot revoke each other. Also if a document to be kept has
    /// more ends than one operation can name, until it is edited.
    pub fn revoke(&self, root: Option<&RootKey>, device: AuthorId, kept: &[&Doc]) -> Result<(), OperateError> {
        let action = revocation(Subject::Key(device), kept)?;
        self.0.operate_as(root.map(RootKey::key).as_ref(), |_| Ok(action))
    }

    /// Its devices, as things stand here.
    pub fn devices(&self) -> Vec<Member> {
        self.0.members()
    }

    /// Waits until all of it is durable here.
    ///
    /// # Errors
    /// [`FlushError`].
    pub async fn flush(&self) -> Result<(), FlushError> {
        self.0.flush().await
    }
}

impl Group {
    /// Its id, which a grant in a document names.
    pub fn id(&self) -> DocumentId {
        self.0.id()
    }

    /// What lets another node follow it, by [`Node::join`].
    pub fn ticket(&self) -> Ticket {
        self.0.ticket()
    }

    /// Takes somebody into the group. The role bounds what they may do wherever the group may do more; an admin of the group takes
    /// in others.
    ///
    /// # Errors
    /// [`OperateError`] if this node's author is no admin of the group.
    pub fn add(&self, who: impl Into<Subject>, role: Role) -> Result<(), OperateError> {
        self.0.grant(who, role)
    }

    /// Takes somebody out. What becomes of their work is as for [`Identity::revoke`].
    ///
    /// # Errors
    /// As [`Group::add`]; equals cannot take out each other. Also as [`Identity::revoke`].
    pub fn remove(&self, who: impl Into<Subject>, kept: &[&Doc]) -> Result<(), OperateError> {
        let action = revocation(who.into(), kept)?;
        self.0.operate_as(None, |_| Ok(action))
    }

    /// Who is in it, as things stand here.
    pub fn members(&self) -> Vec<Member> {
        self.0.members()
    }

    /// Waits until all of it is durable here.
    ///
    /// # Errors
    /// [`FlushError`].
    pub async fn flush(&self) -> Result<(), FlushError> {
        self.0.flush().await
    }
}

/// What documents show now, for a revocation to keep.
pub(crate) fn kept(docs: &[&Doc]) -> Result<Vec<Heads>, OperateError> {
    let mut changes = Vec::new();
    for doc in docs {
        changes.extend(doc.shown()?);
    }
    changes.sort_unstable_by_key(|heads| heads.document);
    changes.dedup_by_key(|heads| heads.document);
    Ok(changes)
}

fn revocation(who: Subject, docs: &[&Doc]) -> Result<Action, OperateError> {
    let keep = Keep { changes: kept(docs)?, operations: Vec::new() };
    Ok(Action::Revoke { who, mode: Mode::Endorsed, cascade: false, keep })
}

impl From<&Identity> for Subject {
    fn from(identity: &Identity) -> Subject {
        Subject::Identity(identity.id())
    }
}

impl From<&Group> for Subject {
    fn from(group: &Group) -> Subject {
        Subject::Group(group.id())
    }
}

impl Node {
    /// Makes an identity of a root key, and certifies this node's author as its first device, with the role of an admin.
    ///
    /// ```no_run
    /// # async fn example(node: pistol::Node, doc: pistol::Doc, phone: pistol::Author) -> pistol::Result<()> {
    /// let root = pistol::RootKey::new()?;
    /// println!("write these down: {}", root.words()?.reveal());
    /// let ann = node.create_identity(&root).await?;
    /// ann.certify(None, phone, pistol::Role::Writer)?;
    /// doc.grant(&ann, pistol::Role::Writer)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CreateError`] if the store does not take it.
    pub async fn create_identity(&self, root: &RootKey) -> Result<Identity, CreateError> {
        let identity = Identity(self.create_log(Kind::Identity, &root.key()).await?);
        let certified = identity.certify(Some(root), self.author(), Role::Admin);
        certified.map_err(|error| pistol_core::document::EditError::Failed(error.to_string()))?;
        identity.flush().await.map_err(|_| CreateError::Stopped)?;
        Ok(identity)
    }

    /// Makes a group, of which this node's author is the root.
    ///
    /// # Errors
    /// [`CreateError`] if the store does not take it.
    pub async fn create_group(&self) -> Result<Group, CreateError> {
        self.create_log(Kind::Group, self.runtime().key()).await.map(Group)
    }

    /// Opens an identity that the store holds.
    ///
    /// # Errors
    /// [`FindError`] if the store does not hold it, or it is something else.
    pub async fn identity(&self, id: DocumentId) -> Result<Identity, FindError> {
        self.log(id, Kind::Identity).await.map(Identity)
    }

    /// Opens a group that the store holds.
    ///
    /// # Errors
    /// As [`Node::identity`].
    pub async fn group(&self, id: DocumentId) -> Result<Group, FindError> {
        self.log(id, Kind::Group).await.map(Group)
    }

    pub(crate) async fn log(&self, id: DocumentId, kind: Kind) -> Result<Doc, FindError> {
        let doc = self.document(id).await?;
        let is_it = |insight: Insight<'_>| insight.held.genesis().terms().kind == kind;
        let is_it = self.runtime().documents.look(&id, is_it).unwrap_or(false);
        if is_it { Ok(doc) } else { Err(FindError::NotFound(id.to_string())) }
    }

    async fn create_log(&self, kind: Kind, root: &AuthorKey) -> Result<Doc, CreateError> {
        let mut nonce = [0; 16];
        let filled = getrandom::fill(&mut nonce);
        filled.map_err(|error| pistol_core::document::EditError::Failed(error.to_string()))?;
        let terms = Terms {
            kind,
            roots: vec![root.id()],
            creator: 0,
            policy: Policy::Members,
            limits: Limits { is_releasable: false, ..Limits::default() },
            read: Read::Public,
            skeleton: Vec::new(),
            space: None,
            authority: Vec::new(),
            app: uuid::Uuid::nil(),
            predecessor: None,
            nonce,
        };
        self.found_from(Genesis::sign(root, terms)?, None).await
    }
}
