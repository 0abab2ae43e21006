//! Hearing of changes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use pistol_core::key::AuthorId;

use crate::runtime::Subscriber;

/// Somebody changed a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangeEvent {
    /// Who.
    pub author: AuthorId,
    /// How many changes; those that came faster than they were asked for are told of together.
    pub changes: u64,
    /// Whether this node made them.
    pub is_own: bool,
}

/// A stream of others' changes to one document, from [`crate::Doc::changes`]. It ends when the node is shut down.
#[derive(Debug)]
pub struct Changes(pub(crate) Arc<Subscriber>);

impl Changes {
    /// Tells of this node's own changes too.
    #[must_use]
    pub fn include_own(self) -> Self {
        self.0.include_own();
        self
    }
}

impl Stream for Changes {
    type Item = ChangeEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ChangeEvent>> {
        let event = |(author, is_own, changes)| ChangeEvent { author, changes, is_own };
        self.0.poll(context).map(|next| next.map(event))
    }
}
