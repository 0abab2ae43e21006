//! Spaces: one application's documents, with their members and names.

mod names;
mod path;
mod watch;

use std::fmt;
use std::time::Duration;

use pistol_acl::record::{Action, Keep, Mode, Role, Subject};
use pistol_acl::{Access, Member, Place};
use pistol_core::document::{self, Edit, EditError};
use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, ReadKey, Terms};
use pistol_core::id::{AuthorityId, DocumentId};
use pistol_core::key::AuthorId;
use pistol_engine::{Insight, OperateError, places};
use pistol_sync::ticket::Ticket;

pub use names::NameError as SpaceNameError;
pub use path::PathError;
pub use watch::{SpaceChanges, Watch};

use crate::doc::Doc;
use crate::error::{CreateError, FindError, FlushError, JoinError, SyncError};
use crate::node::Node;
use crate::people::kept;
use crate::preset::Preset;

/// One application's shared data: documents, who may add more, and what they are called. Whoever joins a space gets its
/// documents, those made later too. A handle keeps the space's log in memory and its node running.
#[derive(Clone)]
pub struct Space {
    log: Doc,
    node: Node,
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Space({:?})", self.id())
    }
}

/// A document that says it belongs to a space.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpaceDocument {
    /// Its id.
    pub id: DocumentId,
    /// What it is called in this store.
    pub name: Option<String>,
    /// Who may change it.
    pub policy: Policy,
    /// Whether it has its place there as things stand: only then are others told of it.
    pub place: Place,
    /// Why it has, or has not, in words.
    pub why: String,
}

impl Node {
    /// Makes a space, whose root is this node's author. The preset says who may add documents: with [`Preset::Team`] whoever is
    /// granted a part in the space, with [`Preset::Wall`] and [`Preset::Open`] anybody, with [`Preset::Private`] and
    /// [`Preset::Published`] its root alone. Who holds a ticket reads what is in it; what is [`Preset::Published`] anybody
    /// reads who knows its id.
    ///
    /// ```no_run
    /// # async fn example(node: pistol::Node, friend: pistol::Author) -> pistol::Result<()> {
    /// let space = node.create_space(pistol::Preset::Team).await?;
    /// space.grant(friend, pistol::Role::Writer)?;
    /// println!("invite: {}", space.ticket());
    /// let notes = space.create(pistol::Preset::Team, |doc| doc.text("notes")).await?;
    /// notes.edit(|doc| doc.text("notes").push("Everybody in the space writes here."))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CreateError`] if the store does not take it.
    pub async fn create_space(&self, preset: Preset) -> Result<Space, CreateError> {
        let policy = match preset.policy() {
            Policy::FirstWriter { .. } => Policy::WorldWritable,
            policy => policy,
        };
        let mut read_key = ReadKey([0; 32]);
        getrandom::fill(&mut read_key.0).map_err(|error| EditError::Failed(error.to_string()))?;
        let read_key = (!preset.is_public()).then_some(read_key);
        let terms = Terms { kind: Kind::Space, ..self.terms(policy, read_key.as_ref())? };
        let log = self.found_from(Genesis::sign(self.runtime().key(), terms)?, read_key).await?;
        Ok(Space { log, node: self.clone() })
    }

    /// Joins a space by invitation. Its documents come by and by; [`Space::synced`] waits for them.
    ///
    /// # Errors
    /// As [`Node::join`]; also if the ticket is no space's.
    pub async fn join_space(&self, ticket: &Ticket) -> Result<Space, JoinError> {
        let log = self.join(ticket).await?;
        match self.runtime().catalog.entry(&ticket.document).map(|entry| entry.kind) {
            Some(Kind::Space) => Ok(Space { log, node: self.clone() }),
            _ => Err(pistol_engine::ReplyError::BadTicket("it is no space's".to_owned()).into()),
        }
    }

    /// Opens a space that the store holds.
    ///
    /// # Errors
    /// [`FindError`] if the store does not hold it, or it is something else.
    pub async fn space(&self, id: DocumentId) -> Result<Space, FindError> {
        let log = self.log(id, Kind::Space).await?;
        Ok(Space { log, node: self.clone() })
    }

    /// The terms of something new, with nothing in it, whose root is this node's author.
    fn terms(&self, policy: Policy, read_key: Option<&ReadKey>) -> Result<Terms, CreateError> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| EditError::Failed(error.to_string()))?;
        Ok(Terms {
            kind: Kind::Document,
            roots: vec![self.author()],
            creator: 0,
            policy,
            limits: Limits::default(),
            read: read_key.map_or(Read::Public, |key| Read::Key(key.commitment())),
            skeleton: Vec::new(),
            space: None,
            authority: Vec::new(),
            app: uuid::Uuid::nil(),
            predecessor: None,
            nonce,
        })
    }
}

impl Space {
    /// Its id.
    pub fn id(&self) -> DocumentId {
        self.log.id()
    }

    /// Invites somebody to the space through this node, to read all that is in it. A part in it is granted apart.
    pub fn ticket(&self) -> Ticket {
        self.log.ticket()
    }

    /// Makes a document in the space. Who reads the space reads it, but for [`Preset::Private`], which only tickets of its own
    /// open. With [`Preset::Team`] those write who are writers of the space.
    ///
    /// # Errors
    /// [`CreateError::NoPart`] if this node's author may not add documents; else as [`Node::create_for`].
    pub async fn create<T>(&self, preset: Preset, content: impl FnOnce(&mut Edit) -> T) -> Result<Doc, CreateError> {
        let doc = self.create_of(preset.policy(), preset == Preset::Private, content).await?;
        if preset == Preset::Team {
            let granted = doc.grant(self, Role::Writer);
            granted.map_err(|error| EditError::Failed(error.to_string()))?;
        }
        Ok(doc)
    }

    pub(super) async fn create_of<T>(
        &self,
        policy: Policy,
        is_private: bool,
        content: impl FnOnce(&mut Edit) -> T,
    ) -> Result<Doc, CreateError> {
        let author = self.node.author();
        let path = self.access(|access| access.path_to_add(&author)).flatten();
        let authority = path.ok_or(CreateError::NoPart)?;
        let (_, skeleton) = document::skeleton(content)?;
        let terms = self.node.terms(policy, None)?;
        let of_space = self.node.runtime().catalog.entry(&self.id()).and_then(|entry| entry.read_key);
        let read_key = if is_private {
            let mut own = ReadKey([0; 32]);
            getrandom::fill(&mut own.0).map_err(|error| EditError::Failed(error.to_string()))?;
            Some(own)
        } else {
            of_space.map(|key| key.of_document(&terms.nonce))
        };
        let read = read_key.as_ref().map_or(Read::Public, |key| Read::Key(key.commitment()));
        let terms = Terms { read, skeleton, space: Some(self.id()), authority, ..terms };
        self.node.found_from(Genesis::sign(self.node.runtime().key(), terms)?, read_key).await
    }

    /// The documents in this store that say they belong to the space, and whether they do. None is opened for it.
    pub fn documents(&self) -> Vec<SpaceDocument> {
        let catalog = &self.node.runtime().catalog;
        let explained = |access: &Access| {
            let places = places(catalog, access, &self.id()).into_iter();
            places.map(|(id, place)| (id, access.explain_place(&place), place)).collect::<Vec<_>>()
        };
        let judged = self.access(explained).unwrap_or_default();
        let document = |(id, why, place)| {
            let entry = catalog.entry(&id)?;
            Some(SpaceDocument { id, name: entry.name, policy: entry.policy, place, why })
        };
        judged.into_iter().filter_map(document).collect()
    }

    /// Whether this node's author may add documents, and so claim names, as things stand.
    pub fn may_add(&self) -> bool {
        let author = self.node.author();
        self.access(|access| access.path_to_add(&author).is_some()).unwrap_or_default()
    }

    /// Gives somebody a part in the space: writers add documents and write where a document's members are the space's; admins
    /// grant, revoke and confirm names.
    ///
    /// # Errors
    /// [`OperateError`] if this node's author is no admin of the space.
    pub fn grant(&self, who: impl Into<Subject>, role: Role) -> Result<(), OperateError> {
        self.log.grant(who, role)
    }

    /// Ends somebody's part in the space. Their documents leave it, unless somebody else has edited them, and what they wrote
    /// into documents of its members is masked, unless others have built on it; what `keep` names stays as this node shows it.
    ///
    /// # Errors
    /// As [`Space::grant`]; also if a document has more ends than one operation can name, until it is edited.
    pub fn revoke(&self, who: impl Into<Subject>, keep: &[&Doc]) -> Result<(), OperateError> {
        self.end(who.into(), Mode::Endorsed, keep)
    }

    /// Takes an author's documents out of the space, whoever has edited them, but for those in `keep`. In a space where anybody
    /// may add documents this is the only way, and it does not hold against new keys.
    ///
    /// # Errors
    /// As [`Space::revoke`].
    pub fn ban(&self, who: impl Into<Subject>, keep: &[&Doc]) -> Result<(), OperateError> {
        self.end(who.into(), Mode::Exact, keep)
    }

    fn end(&self, who: Subject, mode: Mode, keep: &[&Doc]) -> Result<(), OperateError> {
        let keep = Keep { changes: kept(keep)?, operations: Vec::new() };
        self.log.operate_as(None, |_| Ok(Action::Revoke { who, mode, cascade: false, keep }))
    }

    /// Those who have a part by a grant that counts.
    pub fn members(&self) -> Vec<Member> {
        self.log.members()
    }

    /// The authors whom the space belongs to, as things stand.
    pub fn roots(&self) -> Vec<AuthorId> {
        self.log.roots()
    }

    /// Takes a document out of the space, until that is released: nobody is told of it any more for the space's sake.
    ///
    /// # Errors
    /// [`OperateError`] if this node's author is no root of the space.
    pub fn remove(&self, document: DocumentId) -> Result<(), OperateError> {
        self.log.operate_as(None, |_| Ok(Action::RemoveDocument { document }))
    }

    /// Opens the space for ever: revocations, bans and removals count no more. Nothing can take it back.
    ///
    /// # Errors
    /// As [`Space::remove`].
    pub fn release(&self) -> Result<(), OperateError> {
        self.log.release()
    }

    /// Whether it was opened for ever.
    pub fn is_released(&self) -> bool {
        self.log.is_released()
    }

    /// What proves that it was released, if it was; it can be checked without the space.
    pub fn release_proof(&self) -> Option<crate::ReleaseProof> {
        self.log.release_proof()
    }

    /// Tells that something of the space changed: its members, its documents, or their names.
    pub fn changes(&self) -> SpaceChanges {
        SpaceChanges::of(self.node.runtime().subscribers.add(self.id()))
    }

    /// Waits until everything of the space's log and its documents made so far is durable here.
    ///
    /// # Errors
    /// [`FlushError`] if the disk did not take it; it is tried again by itself.
    pub async fn flush(&self) -> Result<(), FlushError> {
        self.log.flush().await
    }

    /// Waits until a peer and this node hold the same of the space's log and the same documents; what is in these,
    /// [`Doc::synced`] waits for.
    ///
    /// # Errors
    /// [`SyncError`] if that does not come to pass in time.
    pub async fn synced(&self, within: Duration) -> Result<(), SyncError> {
        self.log.synced(within).await
    }

    pub(crate) fn log(&self) -> &Doc {
        &self.log
    }

    fn access<T>(&self, look: impl FnOnce(&Access) -> T) -> Option<T> {
        let look = |insight: Insight<'_>| insight.access.map(look);
        self.node.runtime().documents.look(&self.id(), look).ok().flatten()
    }

    fn operate(&self, action: Action) -> Result<AuthorityId, OperateError> {
        if self.log.is_stopped() {
            return Err(EditError::Closed.into());
        }
        let operation = self.node.runtime().documents.operate(&self.id(), |_| Ok(action))?;
        self.log.edited();
        Ok(operation)
    }
}

impl From<&Space> for Subject {
    fn from(space: &Space) -> Subject {
        Subject::Space(space.id())
    }
}
