//! Names in a space: what its documents are called by everybody. What they are called in one store is another thing.

use pistol_acl::record::Action;
use pistol_acl::{Claimant, Naming, NotAName, SpaceName};
use pistol_core::id::DocumentId;
use pistol_engine::OperateError;

use super::Space;

/// A name could not be claimed or confirmed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It is no name.
    #[error(transparent)]
    NotAName(#[from] NotAName),
    /// Nobody claims it, or several do.
    #[error(
        "nothing is there to confirm: nobody claims `{0}`, or several do; confirm a claimant's own form `name~digits`"
    )]
    Undecided(String),
    /// The space does not allow it.
    #[error(transparent)]
    Operate(#[from] OperateError),
}

impl Space {
    /// Claims a name for a document: 1 to 128 bytes of `a` to `z`, `0` to `9`, and inside it `-` and `_`. Who claims a name first
    /// has it, once an admin of the space confirms that; until then a rival may still turn up. To claim one's own name again
    /// lets it name another document.
    ///
    /// # Errors
    /// [`NameError`] if it is no name, or this node's author may not add documents to the space.
    pub fn claim(&self, name: &str, document: DocumentId) -> Result<(), NameError> {
        let name: SpaceName = name.parse()?;
        self.operate(Action::Name { name: name.label().to_owned(), target: document })?;
        Ok(())
    }

    /// Confirms the only claim to a name, or that of the claimant whose digits it ends with.
    ///
    /// # Errors
    /// [`NameError`] if there is no such claim, or this node's author is no admin of the space.
    pub fn confirm(&self, name: &str) -> Result<(), NameError> {
        let parsed: SpaceName = name.parse()?;
        let naming = self.naming(&parsed);
        let (Naming::Unconfirmed(claim) | Naming::Confirmed(claim) | Naming::ByClaimant(claim)) = naming else {
            return Err(NameError::Undecided(name.to_owned()));
        };
        self.operate(Action::Witness { names: vec![claim.operation] })?;
        Ok(())
    }

    /// What becomes of a name as things stand here.
    ///
    /// # Errors
    /// [`NotAName`].
    pub fn name(&self, name: &str) -> Result<Naming, NotAName> {
        Ok(self.naming(&name.parse()?))
    }

    /// The form of a name that nobody but this claimant has: the name, `~`, and ten digits of the claimant's id.
    ///
    /// # Errors
    /// [`NotAName`].
    pub fn form_of(&self, name: &str, claimant: &Claimant) -> Result<String, NotAName> {
        Ok(name.parse::<SpaceName>()?.of_claimant(claimant).to_string())
    }

    /// The names that somebody claims, in order.
    pub fn names(&self) -> Vec<(String, Naming)> {
        let mut all: Vec<(SpaceName, Naming)> = Vec::new();
        loop {
            let after = all.last().map(|(name, _)| name.clone());
            let part = self.access(|access| access.names(&self.id(), after.as_ref())).unwrap_or_default();
            if part.is_empty() {
                return all.into_iter().map(|(name, naming)| (name.to_string(), naming)).collect();
            }
            all.extend(part);
        }
    }

    pub(super) fn naming(&self, name: &SpaceName) -> Naming {
        self.access(|access| access.name(&self.id(), name)).unwrap_or(Naming::Unclaimed)
    }
}
