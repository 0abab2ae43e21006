//! Values by path: `scores.alice` is the key `alice` in the document that the space calls `scores`. Who puts a value first at a path
//! owns it, and who uses a name first owns that.

use pistol_acl::record::Role;
use pistol_acl::{Naming, NotAName, SpaceName};
use pistol_core::document::{EditError, Slot, Value};
use pistol_core::genesis::{Insert, Policy};
use pistol_core::id::DocumentId;

use super::{Space, SpaceNameError, Watch};
use crate::doc::Doc;
use crate::error::{CreateError, FindError};

/// A path could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// There is no key in it.
    #[error("`{0}` is no path; write a name of the space, a dot, and a key")]
    NotAPath(String),
    /// It begins with no name.
    #[error(transparent)]
    NotAName(#[from] NotAName),
    /// Several claim the name.
    #[error(
        "{claims} claim `{name}` and nothing tells who was first; ask an admin of the space to confirm one, or write {form}"
    )]
    Contested {
        /// The name.
        name: String,
        /// How many.
        claims: usize,
        /// One of the forms that nobody contests.
        form: String,
    },
    /// What it names is not in this store.
    #[error("what `{0}` names is not here yet; wait for it with `synced`")]
    NotHere(String),
    /// The name cannot be claimed.
    #[error(transparent)]
    Name(#[from] SpaceNameError),
    /// The document cannot be made.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The document cannot be opened.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The value cannot be put; [`EditError::NotYours`] says whose it is.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// What a name that nobody claims comes to name: anybody puts values, and nobody changes another's.
const ENTRIES: Policy = Policy::FirstWriter { insert: Insert::Anywhere, shared_counters: false, shared_slots: true };

impl Space {
    /// Puts a value at a path. The name before the first dot is claimed if nobody claims it; an admin of the space who puts a value
    /// confirms it too. It is durable when [`Space::flush`] says so.
    ///
    /// ```no_run
    /// # async fn example(space: pistol::Space) -> pistol::Result<()> {
    /// space.put("scores.alice", 7).await?;
    /// if let pistol::Slot::Of(score) = space.read("scores.alice").await? {
    ///     println!("{} by {}", score.value, score.author);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`PathError`]; of a value that is somebody else's it says whose.
    pub async fn put(&self, path: &str, value: impl Into<Value>) -> Result<(), PathError> {
        let (name, key) = split(path)?;
        let doc = self.entries(&name).await?;
        Ok(doc.edit(|edit| edit.put(key, value))?)
    }

    /// Takes one's own value away from a path.
    ///
    /// # Errors
    /// As [`Space::put`].
    pub async fn delete(&self, path: &str) -> Result<(), PathError> {
        let (name, key) = split(path)?;
        match self.named(&name).await? {
            Some(doc) => Ok(doc.edit(|edit| edit.delete(key))?),
            None => Ok(()),
        }
    }

    /// The value at a path, and whose it is.
    ///
    /// # Errors
    /// [`PathError`].
    pub async fn read(&self, path: &str) -> Result<Slot, PathError> {
        let (name, key) = split(path)?;
        let doc = self.named(&name).await?;
        Ok(doc.map_or(Slot::Empty, |doc| doc.read(|content| content.slot(key))))
    }

    /// The keys under a name, in order; under the empty name the names of the space that are not contested.
    ///
    /// # Errors
    /// [`PathError`].
    pub async fn keys(&self, name: &str) -> Result<Vec<String>, PathError> {
        if name.is_empty() {
            let is_decided = |naming: &Naming| !matches!(naming, Naming::Contested { .. });
            return Ok(self
                .names()
                .into_iter()
                .filter(|(_, naming)| is_decided(naming))
                .map(|(name, _)| name)
                .collect());
        }
        let doc = self.named(&name.parse()?).await?;
        Ok(doc.map(|doc| doc.read(|content| content.keys())).unwrap_or_default())
    }

    /// What is at a path, or at all paths under a name, now and whenever it becomes another value.
    ///
    /// ```no_run
    /// # async fn example(space: pistol::Space) -> pistol::Result<()> {
    /// let mut scores = space.watch("scores")?;
    /// while let Some((path, slot)) = scores.next().await {
    ///     println!("{path}: {slot:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`PathError::NotAName`].
    pub fn watch(&self, path: &str) -> Result<Watch, PathError> {
        let (name, key) = match path.split_once('.') {
            Some((name, key)) => (name, Some(key.to_owned())),
            None => (path, None),
        };
        Ok(Watch::of(self.clone(), name.parse()?, key))
    }

    /// The document that a name names, which is claimed if nobody claims it.
    async fn entries(&self, name: &SpaceName) -> Result<Doc, PathError> {
        if let Some(doc) = self.named(name).await? {
            if self.is_admin() && matches!(self.naming(name), Naming::Unconfirmed(_)) {
                self.confirm(&name.to_string())?;
            }
            return Ok(doc);
        }
        let doc = self.create_of(ENTRIES, false, |_| ()).await?;
        self.claim(name.label(), doc.id())?;
        if self.is_admin() {
            self.confirm(name.label())?;
        }
        Ok(doc)
    }

    pub(super) async fn named(&self, name: &SpaceName) -> Result<Option<Doc>, PathError> {
        let Some(target) = self.target(name)? else { return Ok(None) };
        if self.node.document_info(target).is_none() {
            return Err(PathError::NotHere(name.to_string()));
        }
        Ok(Some(self.node.document(target).await?))
    }

    fn target(&self, name: &SpaceName) -> Result<Option<DocumentId>, PathError> {
        match self.naming(name) {
            Naming::Unconfirmed(claim) | Naming::Confirmed(claim) | Naming::ByClaimant(claim) => Ok(Some(claim.target)),
            Naming::Contested { claims, count } => {
                let form = claims.first().map(|claim| name.of_claimant(&claim.claimant).to_string());
                let (name, claims, form) = (name.to_string(), count, form.unwrap_or_default());
                Err(PathError::Contested { name, claims, form })
            }
            _ => Ok(None),
        }
    }

    fn is_admin(&self) -> bool {
        let author = self.node.author();
        self.access(|access| access.path(&author, Role::Admin).is_some()).unwrap_or_default()
    }
}

/// The name and the key of a path.
fn split(path: &str) -> Result<(SpaceName, &str), PathError> {
    let (name, key) =
        path.split_once('.').filter(|(_, key)| !key.is_empty()).ok_or_else(|| PathError::NotAPath(path.to_owned()))?;
    Ok((name.parse()?, key))
}
