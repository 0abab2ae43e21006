//! Who first edits somebody else's document in a space speaks for it there: then it stays when its creator is revoked, and no
//! look into the document is needed to know that.

use pistol_acl::record::{Action, Heads};
use pistol_acl::{Access, Addition};
use pistol_core::envelope::VerifiedChange;
use pistol_core::genesis;
use pistol_core::id::DocumentId;
use pistol_core::key::AuthorId;

use crate::effect::Effect;
use crate::engine::Engine;
use crate::replica::Sealed;

impl Engine {
    /// Changes of a document are durable; some may have been made here.
    pub(in crate::engine) fn edited_in_space(&mut self, sealed: &Sealed) {
        let (document, author) = (sealed.document, self.key.id());
        let is_own = |change: &VerifiedChange| change.change().author == author;
        if self.spaces.acknowledged.contains(&document) || !sealed.changes.iter().any(|(change, _)| is_own(change)) {
            return;
        }
        let addition = self.catalog.log(&document).and_then(|log| log.addition);
        if addition.is_some_and(|addition| addition.creator != *author.as_bytes()) {
            self.spaces.to_acknowledge.insert(document);
        }
    }

    pub(super) fn acknowledge_edited(&mut self, effects: &mut Vec<Effect>) {
        for document in std::mem::take(&mut self.spaces.to_acknowledge) {
            let Some(addition) = self.catalog.log(&document).and_then(|log| log.addition) else { continue };
            let space = addition.space;
            match self.with_access(&space, |access| is_to_be_acknowledged(access, document, &addition)) {
                Some(is_needed) => {
                    self.spaces.acknowledged.insert(document);
                    if is_needed {
                        let heads = Heads { document, heads: Vec::new(), tips: Vec::new() };
                        // Who may not write in the space has nothing to say there.
                        let _ = self.documents.operate(&space, |_| Ok(Action::Checkpoint(heads)));
                    }
                }
                None if self.catalog.holds(&space) => {
                    self.spaces.to_acknowledge.insert(document);
                    self.open_space(&space, effects);
                }
                None => {}
            }
        }
    }
}

/// Whether nobody speaks for a document yet that would lose its place with its creator's.
fn is_to_be_acknowledged(access: &Access, document: DocumentId, addition: &genesis::Addition) -> bool {
    let Ok(creator) = AuthorId::from_bytes(&addition.creator) else { return false };
    let addition = Addition { document, creator, space: addition.space, path: &addition.authority };
    access.loses_places() && !access.places().is_kept(&addition)
}
