//! Hearing of what becomes of a space, and of one value in it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use pistol_core::document::Slot;

use super::{Space, path};
use crate::doc::Doc;
use crate::runtime::Subscriber;

/// Tells that something of a space changed; several changes that came faster than they were asked for are one. It ends when the node
/// is shut down.
#[derive(Debug)]
pub struct SpaceChanges(Arc<Subscriber>);

impl SpaceChanges {
    pub(super) fn of(subscriber: Arc<Subscriber>) -> Self {
        subscriber.hears_touches();
        SpaceChanges(subscriber)
    }
}

impl Stream for SpaceChanges {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<()>> {
        self.0.poll_touched(context)
    }
}

/// The value at a path, whenever it becomes another one: see [`Space::watch`].
#[derive(Debug)]
pub struct Watch {
    space: Space,
    path: String,
    of_space: Arc<Subscriber>,
    /// The document in which the value lies, and what tells of changes there.
    doc: Option<(Doc, Arc<Subscriber>)>,
    last: Option<Slot>,
}

impl Watch {
    pub(super) fn of(space: Space, path: String) -> Self {
        let of_space = space.node.runtime().subscribers.add(space.id());
        of_space.hears_touches();
        Watch { space, path, of_space, doc: None, last: None }
    }

    /// The value, first as it is, then each time it is another one; the last one, if it changed several times in between. What is
    /// not decided, or not here, is empty. `None` when the node was shut down. It may be dropped while it waits.
    pub async fn next(&mut self) -> Option<Slot> {
        loop {
            // Who is told of it from now on misses nothing that comes after it is read.
            let read = self.read().await;
            if self.space.log.is_stopped() {
                return None;
            }
            if self.last.as_ref() != Some(&read) {
                self.last = Some(read.clone());
                return Some(read);
            }
            let (of_space, of_doc) = (&self.of_space, self.doc.as_ref().map(|(_, subscriber)| subscriber));
            let heard = poll_fn(|context| {
                let space = of_space.poll_touched(context);
                let doc = of_doc.map_or(Poll::Pending, |of_doc| of_doc.poll_touched(context));
                match (space, doc) {
                    (Poll::Ready(heard), _) | (_, Poll::Ready(heard)) => Poll::Ready(heard),
                    _ => Poll::Pending,
                }
            });
            heard.await?;
        }
    }

    async fn read(&mut self) -> Slot {
        let Ok((name, key)) = path::split(&self.path) else { return Slot::Empty };
        let Ok(Some(doc)) = self.space.named(&name).await else { return Slot::Empty };
        if self.doc.as_ref().is_none_or(|(held, _)| held.id() != doc.id()) {
            let subscriber = self.space.node.runtime().subscribers.add(doc.id());
            subscriber.hears_touches();
            self.doc = Some((doc.clone(), subscriber));
        }
        doc.read(|content| content.slot(key))
    }
}
