//! Who wants to hear of changes, and what they have not heard yet: bounded by the number of authors, however slow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};

use pistol_core::id::DocumentId;
use pistol_core::key::AuthorId;

use super::lock;

/// One who listens to one document.
#[derive(Debug, Default)]
pub(crate) struct Subscriber(Mutex<Unheard>);

#[derive(Debug, Default)]
struct Unheard {
    changes: BTreeMap<(AuthorId, bool), u64>,
    includes_own: bool,
    /// Whether it wants to know that something happened, and whether something did.
    hears_touches: bool,
    is_touched: bool,
    is_ended: bool,
    waker: Option<Waker>,
}

impl Subscriber {
    pub(crate) fn include_own(&self) {
        lock(&self.0).includes_own = true;
    }

    /// From now on it is told that something happened too, whoever did it.
    pub(crate) fn hears_touches(&self) {
        lock(&self.0).hears_touches = true;
    }

    /// Whether something happened since this was ready last; `None` when no more will.
    pub(crate) fn poll_touched(&self, context: &mut Context<'_>) -> Poll<Option<()>> {
        let mut unheard = lock(&self.0);
        if std::mem::take(&mut unheard.is_touched) {
            unheard.changes.clear();
            return Poll::Ready(Some(()));
        }
        if unheard.is_ended {
            return Poll::Ready(None);
        }
        unheard.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// The next author with changes: author, whether it is this node, how many.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<(AuthorId, bool, u64)>> {
        let mut unheard = lock(&self.0);
        if let Some(((author, is_own), count)) = unheard.changes.pop_first() {
            return Poll::Ready(Some((author, is_own, count)));
        }
        if unheard.is_ended {
            return Poll::Ready(None);
        }
        unheard.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn tell(&self, authors: &[(AuthorId, u64)], is_own: bool) {
        let mut unheard = lock(&self.0);
        unheard.is_touched |= unheard.hears_touches;
        if is_own && !unheard.includes_own && !unheard.hears_touches {
            return;
        }
        for (author, count) in authors {
            *unheard.changes.entry((*author, is_own)).or_default() += count;
        }
        if let Some(waker) = unheard.waker.take() {
            waker.wake();
        }
    }

    fn end(&self) {
        let mut unheard = lock(&self.0);
        unheard.is_ended = true;
        if let Some(waker) = unheard.waker.take() {
            waker.wake();
        }
    }
}

/// All who listen.
#[derive(Debug, Default)]
pub(crate) struct Subscribers(Mutex<BTreeMap<DocumentId, Vec<Weak<Subscriber>>>>);

impl Subscribers {
    pub(crate) fn add(&self, document: DocumentId) -> Arc<Subscriber> {
        let subscriber = Arc::new(Subscriber::default());
        lock(&self.0).entry(document).or_default().push(Arc::downgrade(&subscriber));
        subscriber
    }

    pub(crate) fn tell(&self, document: &DocumentId, authors: &[(AuthorId, u64)], is_own: bool) {
        let mut all = lock(&self.0);
        let Some(of) = all.get_mut(document) else { return };
        of.retain(|subscriber| match subscriber.upgrade() {
            Some(subscriber) => {
                subscriber.tell(authors, is_own);
                true
            }
            None => false,
        });
    }

    /// No more changes will come.
    pub(crate) fn end(&self) {
        for subscriber in std::mem::take(&mut *lock(&self.0)).into_values().flatten() {
            if let Some(subscriber) = subscriber.upgrade() {
                subscriber.end();
            }
        }
    }
}
