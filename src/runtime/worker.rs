//! A thread for work that no edit, commit or message waits for: saving pictures of documents, and loading them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SendError, Sender, channel};
use std::thread::{self, JoinHandle};

use pistol_engine::Input;

/// A thread that does one thing after the other. Dropping it ends what is being done, leaves out what waits, and joins
/// the thread.
pub(crate) struct Worker<T> {
    work: Option<Sender<T>>,
    is_ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Worker<T> {
    /// Starts the thread. `done` is called on it with what `work` made, once for each piece.
    ///
    /// # Errors
    /// If the system refuses another thread.
    pub(crate) fn start(
        name: &str,
        work: impl Fn(T) -> Input + Send + 'static,
        done: impl Fn(Input) + Send + 'static,
    ) -> std::io::Result<Worker<T>> {
        // The engine has at most one piece of work for each document under way.
        let (sender, waiting) = channel::<T>();
        let is_ended = Arc::new(AtomicBool::new(false));
        let has_ended = Arc::clone(&is_ended);
        let run = move || {
            for piece in waiting.into_iter().take_while(|_| !has_ended.load(Ordering::Acquire)) {
                done(work(piece));
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(Worker { work: Some(sender), is_ended, thread: Some(thread) })
    }

    /// Does a piece of work when those before it are done. Gives it back if the thread has ended.
    pub(crate) fn give(&self, piece: T) -> Result<(), T> {
        match &self.work {
            Some(work) => work.send(piece).map_err(|SendError(piece)| piece),
            None => Err(piece),
        }
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        self.is_ended.store(true, Ordering::Release);
        self.work = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
