//! The beginning of a document that is measured without a node.

use std::sync::Arc;

use pistol_core::document::{Edit, skeleton};
use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use pistol_core::key::AuthorKey;

use crate::Outcome;

/// A public document with these contents.
pub(crate) fn genesis<T>(
    key: &AuthorKey,
    policy: Policy,
    content: impl FnOnce(&mut Edit) -> T,
) -> Outcome<Arc<Genesis>> {
    let (_, skeleton) = skeleton(content)?;
    let terms = Terms {
        kind: Kind::Document,
        roots: vec![key.id()],
        creator: 0,
        policy,
        limits: Limits::default(),
        read: Read::Public,
        skeleton,
        space: None,
        authority: vec![],
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: [0; 16],
    };
    Ok(Arc::new(Genesis::sign(key, terms)?))
}
