//! Identities and groups: lists of keys that have a log of their own. Documents with members grant parts to them as to a key.

use std::sync::Arc;

use pistol_acl::Member;
use pistol_acl::record::{Action, Heads, Keep, Mode, Role, Subject};
use pistol_core::document::EditError;
use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use pistol_core::id::DocumentId;
use pistol_core::key::AuthorId;
use pistol_engine::export::Exported;
use pistol_engine::{Command, OperateError};
use pistol_sync::ticket::Ticket;

use crate::doc::Doc;
use crate::error::{CreateError, FindError, FlushError};
use crate::node::Node;
use crate::root_key::{Draft, NewIdentity, RootKey, Signed};

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

    /// The keys whom it belongs to: [`RootKey::author`] of its root.
    pub fn roots(&self) -> Vec<AuthorId> {
        self.0.roots()
    }

    /// Certifies a device: by the root key, or by this device if it is one with the role of an admin. The role bounds what the
    /// device may do wherever the identity may do more.
    ///
    /// ```no_run
    /// # async fn example(ann: pistol::Identity, tablet: pistol::Author, phone: pistol::Author) -> pistol::Result<()> {
    /// ann.certify(None, tablet, pistol::Role::Admin)?;
    /// // No certified device is at hand, but the paper is.
    /// let root = pistol::RootKey::from_words("abandon abandon ...")?;
    /// ann.certify(Some(&root), phone, pistol::Role::Writer)?;
    /// ann.flush().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OperateError`] if whoever signs may not.
    pub fn certify(&self, root: Option<&RootKey>, device: AuthorId, role: Role) -> Result<(), OperateError> {
        self.0.operate_as(root.map(RootKey::key).as_ref(), |_| Ok(certificate(device, role)))
    }

    /// Ends a device's part in everything, wherever this log comes. What it wrote as this identity stays where others have built
    /// on it, and in the documents to be kept as far as this node shows it; the rest is masked.
    ///
    /// ```no_run
    /// # async fn example(ann: pistol::Identity, doc: pistol::Doc, lost: pistol::Author) -> pistol::Result<()> {
    /// ann.revoke(None, lost, &[&doc])?;
    /// ann.flush().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Identity::certify`]; devices that were certified by equals cannot revoke each other. Also if a document to be kept has
    /// more ends than one operation can name, until it is edited.
    pub fn revoke(&self, root: Option<&RootKey>, device: AuthorId, kept: &[&Doc]) -> Result<(), OperateError> {
        let action = revocation(Subject::Key(device), kept)?;
        self.0.operate_as(root.map(RootKey::key).as_ref(), |_| Ok(action))
    }

    /// What the root has to sign to certify a device, if its key is somewhere else.
    ///
    /// ```no_run
    /// # async fn example(ann: pistol::Identity, root: pistol::RootKey, phone: pistol::Author) -> pistol::Result<()> {
    /// let draft = ann.draft_certificate(root.author(), phone, pistol::Role::Writer)?.to_string();
    /// // Where the key is:
    /// let signed = root.sign(&draft.parse()?)?.to_string();
    /// // And here again:
    /// ann.enter(&signed.parse()?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OperateError`] if that is no root of it.
    pub fn draft_certificate(&self, root: AuthorId, device: AuthorId, role: Role) -> Result<Draft, OperateError> {
        self.draft(root, certificate(device, role))
    }

    /// What the root has to sign to end a device's part.
    ///
    /// # Errors
    /// As [`Identity::draft_certificate`] and [`Identity::revoke`].
    pub fn draft_revocation(&self, root: AuthorId, device: AuthorId, kept: &[&Doc]) -> Result<Draft, OperateError> {
        self.draft(root, revocation(Subject::Key(device), kept)?)
    }

    fn draft(&self, root: AuthorId, action: Action) -> Result<Draft, OperateError> {
        let op = self.0.runtime().documents.draft(&self.id(), root, action)?;
        Draft::of(op).ok_or(EditError::NoContent.into())
    }

    /// Takes in what the root signed of a draft.
    ///
    /// # Errors
    /// As [`Identity::certify`]; also if it was signed for another identity.
    pub fn enter(&self, signed: &Signed) -> Result<(), OperateError> {
        if self.0.is_stopped() {
            return Err(EditError::Closed.into());
        }
        if signed.0.op().log != self.id() {
            return Err(pistol_acl::NoPower::Unknown.into());
        }
        self.0.runtime().documents.enter(&signed.0)?;
        self.0.edited();
        Ok(())
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
    pub(crate) fn log(&self) -> &Doc {
        &self.0
    }

    /// Its id, which a grant in a document names.
    pub fn id(&self) -> DocumentId {
        self.0.id()
    }

    /// What lets another node follow it, by [`Node::join`].
    pub fn ticket(&self) -> Ticket {
        self.0.ticket()
    }

    /// The keys whom it belongs to.
    pub fn roots(&self) -> Vec<AuthorId> {
        self.0.roots()
    }

    /// Takes somebody into the group. The role bounds what they may do wherever the group may do more; an admin of the group takes
    /// in others.
    ///
    /// ```no_run
    /// # async fn example(node: pistol::Node, doc: pistol::Doc, ann: pistol::Identity) -> pistol::Result<()> {
    /// let friends = node.create_group().await?;
    /// friends.add(&ann, pistol::Role::Writer)?;
    /// doc.grant(&friends, pistol::Role::Writer)?;
    /// // Later, without touching the document:
    /// friends.remove(&ann, &[&doc])?;
    /// # Ok(())
    /// # }
    /// ```
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

fn certificate(device: AuthorId, role: Role) -> Action {
    Action::Grant { to: Subject::Key(device), role }
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
    /// [`CreateError`] if the store does not take it: then there is none, or, if a disk was full, all of it when there is room.
    pub async fn create_identity(&self, root: &RootKey) -> Result<Identity, CreateError> {
        self.take_identity(&root.begin(self.author())?).await
    }

    /// Takes in an identity that its root began elsewhere, with [`RootKey::begin`].
    ///
    /// # Errors
    /// As [`Node::create_identity`].
    pub async fn take_identity(&self, new: &NewIdentity) -> Result<Identity, CreateError> {
        if let Ok(known) = self.identity(new.id()).await {
            return Ok(known);
        }
        let exported = Exported::of_new_log(new.genesis.clone(), vec![new.certificate.clone()]);
        let exported = exported.map_err(|error| EditError::Failed(error.to_string()))?;
        let pin = self.runtime().documents.pin(new.id());
        self.runtime().ask(Command::Import(exported)).await??;
        Ok(Identity(Doc::new(Arc::clone(self.runtime()), pin, Policy::Members, None)))
    }

    /// Makes a group, of which this node's author is the root; [`Group::add`] takes people in.
    ///
    /// # Errors
    /// [`CreateError`] if the store does not take it.
    pub async fn create_group(&self) -> Result<Group, CreateError> {
        let key = self.runtime().key();
        self.found_from(Genesis::sign(key, log_terms(Kind::Group, key.id())?)?, None).await.map(Group)
    }

    /// Opens an identity that the store holds.
    ///
    /// # Errors
    /// [`FindError`] if the store does not hold it, or it is something else, which the error says.
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
        match self.document_info(id).map(|info| info.kind) {
            Some(is) if is == kind => self.held(id).await,
            Some(is) => Err(FindError::OtherKind { name: id.to_string(), kind: is }),
            None => Err(FindError::NoLog(id.to_string())),
        }
    }
}

/// What the genesis of a log without content says.
pub(crate) fn log_terms(kind: Kind, root: AuthorId) -> Result<Terms, EditError> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|error| EditError::Failed(error.to_string()))?;
    Ok(Terms {
        kind,
        roots: vec![root],
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
    })
}
