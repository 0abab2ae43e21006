//! Hearing of what becomes of a space, and of the values in it.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use pistol_acl::SpaceName;
use pistol_core::document::Slot;

use super::Space;
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

/// What is put at a path, or under a name, from now on: see [`Space::watch`].
#[derive(Debug)]
pub struct Watch {
    space: Space,
    name: SpaceName,
    /// The only key that is watched, if not all are.
    key: Option<String>,
    of_space: Arc<Subscriber>,
    /// The document in which the values lie, and what tells of changes there.
    doc: Option<(Doc, Arc<Subscriber>)>,
    last: BTreeMap<String, Slot>,
    /// What is another one than before and was not told yet.
    untold: VecDeque<(String, Slot)>,
}

impl Watch {
    pub(super) fn of(space: Space, name: SpaceName, key: Option<String>) -> Self {
        let of_space = space.node.runtime().subscribers.add(space.id());
        of_space.hears_touches();
        Watch { space, name, key, of_space, doc: None, last: BTreeMap::new(), untold: VecDeque::new() }
    }

    /// The next value and its path: first each that is there, then each that becomes another one; the last one, if it changed
    /// several times in between. What was taken away, is not decided, or is not here, is empty. `None` when the node was shut
    /// down. It may be dropped while it waits.
    pub async fn next(&mut self) -> Option<(String, Slot)> {
        loop {
            if let Some((key, slot)) = self.untold.pop_front() {
                return Some((format!("{}.{key}", self.name), slot));
            }
            // Who is told of changes before reading misses none that come after.
            let read = self.read().await;
            if self.space.log.is_stopped() {
                return None;
            }
            let gone = self.last.keys().filter(|key| !read.contains_key(*key));
            self.untold.extend(gone.map(|key| (key.clone(), Slot::Empty)));
            let new = read.iter().filter(|(key, slot)| self.last.get(*key) != Some(slot));
            self.untold.extend(new.map(|(key, slot)| (key.clone(), slot.clone())));
            self.last = read;
            if self.untold.is_empty() {
                self.touched().await?;
            }
        }
    }

    /// Waits until something may be another than it was.
    async fn touched(&self) -> Option<()> {
        let of_doc = self.doc.as_ref().map(|(_, subscriber)| subscriber);
        poll_fn(|context| {
            let space = self.of_space.poll_touched(context);
            let doc = of_doc.map_or(Poll::Pending, |of_doc| of_doc.poll_touched(context));
            match (space, doc) {
                (Poll::Ready(heard), _) | (_, Poll::Ready(heard)) => Poll::Ready(heard),
                _ => Poll::Pending,
            }
        })
        .await
    }

    async fn read(&mut self) -> BTreeMap<String, Slot> {
        let Ok(Some(doc)) = self.space.named(&self.name).await else { return BTreeMap::new() };
        if self.doc.as_ref().is_none_or(|(held, _)| held.id() != doc.id()) {
            let subscriber = self.space.node.runtime().subscribers.add(doc.id());
            subscriber.hears_touches();
            self.doc = Some((doc.clone(), subscriber));
        }
        doc.read(|content| {
            let keys = self.key.as_ref().map_or_else(|| content.keys(), |key| vec![key.clone()]);
            let slots = keys.into_iter().map(|key| (content.slot(&key), key));
            slots.filter(|(slot, _)| *slot != Slot::Empty).map(|(slot, key)| (key, slot)).collect()
        })
    }
}
