//! What a new document starts with: an edit of an empty document, written as the skeleton of a genesis.

use std::sync::Arc;

use super::{Document, Edit, EditAs, EditError, UNJUDGED};
use crate::chain::ChainId;
use crate::change::{Op, Place, Reference};
use crate::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use crate::id::Session;
use crate::key::AuthorKey;
use crate::limits;
use crate::validate::Rule;

/// Runs an edit on an empty document and gives its operations, to be put into a genesis.
///
/// # Errors
/// [`EditError`]; [`EditError::TooLarge`] past the limits of a skeleton.
pub fn skeleton<T>(content: impl FnOnce(&mut Edit) -> T) -> Result<(T, Vec<Op>), EditError> {
    // Nothing of this scratch document outlives the call: only the operations do, which name no author.
    let scratch = AuthorKey::from_seed(&[0; 32]);
    let chain = ChainId { author: scratch.id(), session: Session(0) };
    let genesis = Genesis::sign(&scratch, empty(&scratch)).map_err(|_| EditError::Refused(Rule::Operation))?;
    let mut document = Document::new(Arc::new(genesis)).map_err(EditError::Refused)?;
    let made = document.edit(&EditAs { chain, time_ms: 0, message: None, authority: &[], judge: UNJUDGED }, content)?;
    let ops = made.changes.iter().flat_map(|accepted| accepted.change.change().ops.iter());
    let ops: Vec<Op> = ops.cloned().map(as_skeleton).collect();
    if ops.len() > limits::SKELETON_OPERATIONS_MAX {
        return Err(EditError::TooLarge);
    }
    Ok((made.result, ops))
}

fn empty(key: &AuthorKey) -> Terms {
    Terms {
        kind: Kind::Document,
        roots: vec![key.id()],
        creator: 0,
        policy: Policy::WorldWritable,
        limits: Limits::default(),
        read: Read::Public,
        skeleton: Vec::new(),
        space: None,
        authority: Vec::new(),
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: [0; 16],
    }
}

fn as_skeleton(op: Op) -> Op {
    let own = |reference| match reference {
        Reference::Own(number) => Reference::Skeleton(number),
        other => other,
    };
    let place = match op.place {
        Place::Key(key) => Place::Key(key),
        Place::After(element) => Place::After(element.map(own)),
        Place::At(element) => Place::At(own(element)),
    };
    Op { object: op.object.map(own), place, action: op.action, pred: op.pred.into_iter().map(own).collect() }
}
