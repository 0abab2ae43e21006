//! The disk's thread: the only place that touches the store while a node runs.
//!
//! Requests are done one by one, in order. Which writes become one commit is not decided here.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use pistol_core::id::DocumentId;
use pistol_core::store::{Batch, Frozen, Row, Store, StoreError, Table};
use pistol_engine::Salvage;
use tokio::sync::{mpsc, oneshot};

use super::lock;

/// Requests that may wait. The engine has at most one commit outstanding; the rest are reads.
const REQUESTS_WAITING_MAX: usize = 256;

/// Work for the disk. The `tag` of a read comes back with its reply; of commits there is one at a time.
pub(crate) enum DiskRequest {
    Commit(Arc<Batch>),
    Salvage(Box<Salvage>),
    /// The store as it is now, for somebody who reads it elsewhere.
    Freeze(oneshot::Sender<Result<Frozen, StoreError>>),
    Range {
        tag: u64,
        table: Table,
        from: Vec<u8>,
        to: Vec<u8>,
        bytes_max: usize,
    },
}

/// What became of a request. A failed commit is not tried again: whoever asked for it asks again.
#[derive(Debug)]
pub(crate) enum DiskReply {
    Commit(Result<(), StoreError>),
    Salvage {
        document: DocumentId,
        result: Result<(), StoreError>,
    },
    /// Whoever asked has the answer.
    Frozen,
    Range {
        tag: u64,
        result: Result<Vec<Row>, StoreError>,
    },
}

impl std::fmt::Debug for DiskRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DiskRequest")
    }
}

/// Why a request was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("too many requests wait for the disk; send this one again when a reply has come")]
    Busy(DiskRequest),
    #[error("the disk has stopped; open the node again")]
    Stopped(DiskRequest),
}

/// The disk's thread. Dropping it does what waits, closes the store, and joins the thread.
pub(crate) struct Disk {
    requests: Option<mpsc::Sender<DiskRequest>>,
    thread: Option<JoinHandle<()>>,
    /// Requests that are not answered yet.
    outstanding: Arc<AtomicUsize>,
    commit: CommitHere,
}

/// Commits on the thread that calls, if it may.
type CommitHere = Box<dyn Fn(&Batch) -> Option<DiskReply> + Send>;

impl Disk {
    /// Starts the thread. `reply` is called on it, once for each request, in their order; `tidy` when nobody waits; `end` with the
    /// store when nothing more is to come. While the store `is_tidy`, others may do without the thread.
    ///
    /// # Errors
    /// If the system refuses another thread.
    pub(crate) fn start<S: Store + Send + 'static>(
        store: S,
        is_tidy: fn(&S) -> bool,
        tidy: impl FnMut(&mut S) + Send + 'static,
        reply: impl FnMut(DiskReply) + Send + 'static,
        end: impl FnOnce(S) + Send + 'static,
    ) -> std::io::Result<Disk> {
        let (requests, waiting) = mpsc::channel(REQUESTS_WAITING_MAX);
        let store = Arc::new(Mutex::new(Some(store)));
        let outstanding = Arc::new(AtomicUsize::new(0));
        let (shared, left) = (Arc::clone(&store), Arc::clone(&outstanding));
        let run = move || {
            serve(&shared, waiting, tidy, reply, &left);
            if let Some(store) = lock(&shared).take() {
                end(store);
            }
        };
        let thread = thread::Builder::new().name("pistol-disk".to_owned()).spawn(run)?;
        let commit = move |batch: &Batch| {
            let mut store = store.try_lock().ok()?;
            let store = store.as_mut().filter(|store| is_tidy(store))?;
            Some(DiskReply::Commit(store.commit(batch)))
        };
        Ok(Disk { requests: Some(requests), thread: Some(thread), outstanding, commit: Box::new(commit) })
    }

    /// Commits on the calling thread, which saves the time in which another one wakes up. `None` if the disk's thread is to do
    /// it: there are requests that are not answered yet, or the store is to be tidied after it.
    pub(crate) fn commit_here(&self, batch: &Batch) -> Option<DiskReply> {
        if self.outstanding.load(Ordering::Acquire) > 0 { None } else { (self.commit)(batch) }
    }

    /// Queues a request without waiting: a caller that holds a lock which `reply` takes would otherwise wait for ever.
    ///
    /// # Errors
    /// [`SendError`], with the request.
    pub(crate) fn send(&self, request: DiskRequest) -> Result<(), SendError> {
        let Some(requests) = &self.requests else {
            return Err(SendError::Stopped(request));
        };
        self.outstanding.fetch_add(1, Ordering::AcqRel);
        requests.try_send(request).map_err(|error| {
            self.outstanding.fetch_sub(1, Ordering::AcqRel);
            match error {
                mpsc::error::TrySendError::Full(request) => SendError::Busy(request),
                mpsc::error::TrySendError::Closed(request) => SendError::Stopped(request),
            }
        })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.requests = None;
        let Some(thread) = self.thread.take() else { return };
        // `reply` may own the last handle of the node, and so of this; a thread cannot wait for itself.
        if thread.thread().id() != thread::current().id() {
            // A panic in `reply` ended the thread and was reported there.
            let _ = thread.join();
        }
    }
}

fn serve<S: Store>(
    store: &Mutex<Option<S>>,
    mut waiting: mpsc::Receiver<DiskRequest>,
    mut tidy: impl FnMut(&mut S),
    mut reply: impl FnMut(DiskReply),
    outstanding: &AtomicUsize,
) {
    while let Some(request) = waiting.blocking_recv() {
        let Some(answer) = lock(store).as_mut().map(|store| answer(store, request)) else { return };
        outstanding.fetch_sub(1, Ordering::AcqRel);
        reply(answer);
        if waiting.is_empty() {
            lock(store).as_mut().map(&mut tidy);
        }
    }
}

fn answer(store: &mut impl Store, request: DiskRequest) -> DiskReply {
    match request {
        DiskRequest::Freeze(answer) => {
            // Whoever asked may have stopped waiting.
            let _ = answer.send(store.frozen());
            DiskReply::Frozen
        }
        DiskRequest::Commit(batch) => DiskReply::Commit(store.commit(&batch)),
        DiskRequest::Salvage(salvage) => DiskReply::Salvage { document: salvage.document, result: salvage.run(store) },
        DiskRequest::Range { tag, table, from, to, bytes_max } => {
            DiskReply::Range { tag, result: store.range(table, &from, &to, bytes_max) }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use pistol_core::store::memory::MemoryStore;

    use super::*;

    /// Refuses each commit of an empty batch.
    struct Refusing(MemoryStore);

    impl Store for Refusing {
        fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
            if batch.writes.is_empty() { Err(StoreError::Full) } else { self.0.commit(batch) }
        }

        fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            self.0.read(table, key)
        }

        fn frozen(&self) -> Result<Frozen, StoreError> {
            self.0.frozen()
        }

        fn range(&self, table: Table, from: &[u8], to: &[u8], bytes_max: usize) -> Result<Vec<Row>, StoreError> {
            self.0.range(table, from, to, bytes_max)
        }
    }

    fn start() -> (Disk, Receiver<DiskReply>) {
        let (sender, replies) = channel();
        let disk = Disk::start(
            Refusing(MemoryStore::new()),
            |_| true,
            |_| {},
            move |reply| {
                let _ = sender.send(reply);
            },
            drop,
        );
        (disk.unwrap(), replies)
    }

    fn put(key: &[u8]) -> DiskRequest {
        let mut batch = Batch::default();
        batch.put(Table::Tail, key, b"value");
        DiskRequest::Commit(Arc::new(batch))
    }

    #[test]
    fn replies_come_in_the_order_of_the_requests() {
        let (disk, replies) = start();
        let (from, to) = (b"a".to_vec(), b"z".to_vec());
        disk.send(put(b"a")).unwrap();
        disk.send(DiskRequest::Range { tag: 2, table: Table::Tail, from, to, bytes_max: 100 }).unwrap();
        assert!(matches!(replies.recv().unwrap(), DiskReply::Commit(Ok(()))));
        assert!(matches!(replies.recv().unwrap(), DiskReply::Range { tag: 2, result: Ok(rows) } if rows.len() == 1));
    }

    #[test]
    fn a_refused_commit_is_reported_and_the_next_one_is_done() {
        let (disk, replies) = start();
        disk.send(DiskRequest::Commit(Arc::new(Batch::default()))).unwrap();
        disk.send(put(b"a")).unwrap();
        assert!(matches!(replies.recv().unwrap(), DiskReply::Commit(Err(StoreError::Full))));
        assert!(matches!(replies.recv().unwrap(), DiskReply::Commit(Ok(()))));
    }

    #[test]
    fn without_requests_a_commit_needs_no_thread() {
        let (disk, replies) = start();
        let mut batch = Batch::default();
        batch.put(Table::Tail, b"a", b"value");
        assert!(matches!(disk.commit_here(&batch), Some(DiskReply::Commit(Ok(())))));
        assert!(matches!(disk.commit_here(&Batch::default()), Some(DiskReply::Commit(Err(StoreError::Full)))));
        let (from, to) = (b"a".to_vec(), b"z".to_vec());
        disk.send(DiskRequest::Range { tag: 1, table: Table::Tail, from, to, bytes_max: 100 }).unwrap();
        assert!(matches!(replies.recv().unwrap(), DiskReply::Range { tag: 1, result: Ok(rows) } if rows.len() == 1));
        assert!(replies.try_recv().is_err());
    }

    #[test]
    fn behind_a_request_or_where_something_is_to_be_tidied_the_thread_commits() {
        let (release, released) = channel::<()>();
        let reply = move |_| {
            let _ = released.recv();
        };
        let disk = Disk::start(MemoryStore::new(), |_| true, |_| {}, reply, drop).unwrap();
        disk.send(put(b"a")).unwrap();
        disk.send(put(b"b")).unwrap();
        assert!(disk.commit_here(&Batch::default()).is_none());
        drop(release);
        let untidy = Disk::start(MemoryStore::new(), |_| false, |_| {}, drop, drop).unwrap();
        assert!(untidy.commit_here(&Batch::default()).is_none());
    }

    #[test]
    fn stopping_does_what_waits_and_joins_the_thread() {
        let (disk, replies) = start();
        for tag in 0..100u64 {
            disk.send(put(&tag.to_be_bytes())).unwrap();
        }
        drop(disk);
        // The sender is gone with the thread, so this ends.
        assert_eq!(replies.iter().count(), 100);
    }

    #[test]
    fn a_full_queue_gives_the_request_back() {
        let (release, released) = channel::<()>();
        let disk = Disk::start(
            MemoryStore::new(),
            |_| true,
            |_| {},
            move |_| {
                let _ = released.recv();
            },
            drop,
        );
        let disk = disk.unwrap();
        let refused = std::iter::repeat_with(|| disk.send(put(b"a"))).find_map(Result::err);
        assert!(matches!(refused, Some(SendError::Busy(DiskRequest::Commit(_)))));
        drop(release);
    }

    #[test]
    fn a_reply_that_panics_stops_the_disk_and_nothing_else() {
        let (sender, gone) = channel::<()>();
        let disk = Disk::start(
            MemoryStore::new(),
            |_| true,
            |_| {},
            move |_| {
                let _ends_with_the_thread = &sender;
                panic!("in a reply");
            },
            drop,
        );
        let disk = disk.unwrap();
        disk.send(put(b"a")).unwrap();
        assert!(gone.recv().is_err());
        let refused = std::iter::repeat_with(|| disk.send(put(b"a"))).find_map(Result::err);
        assert!(refused.is_some());
        drop(disk);
    }

    #[test]
    fn a_reply_may_drop_the_disk_itself() {
        let (hand_over, handed) = channel::<Disk>();
        let (sender, done) = channel();
        let disk = Disk::start(
            MemoryStore::new(),
            |_| true,
            |_| {},
            move |_| {
                drop(handed.recv());
                let _ = sender.send(());
            },
            drop,
        );
        let disk = disk.unwrap();
        disk.send(put(b"a")).unwrap();
        hand_over.send(disk).unwrap();
        done.recv().unwrap();
    }
}
