//! Ctrl-C and SIGTERM: a command that is told to end does so cleanly, and at once if it is told twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::failure::{Exit, Failure};

/// The signals that end a command. They no longer end the process by themselves, and none is missed.
#[derive(Clone)]
pub(crate) struct Interrupt {
    last: watch::Receiver<Exit>,
    /// Whether a signal was heeded: the command is ending.
    is_ending: Arc<AtomicBool>,
}

impl Interrupt {
    /// Begins to listen.
    pub(crate) fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::io("listen for signals", &error));
        let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        let (sender, last) = watch::channel(Exit::Interrupted);
        let is_ending = Arc::new(AtomicBool::new(false));
        let is_impatient = Arc::clone(&is_ending);
        tokio::spawn(async move {
            loop {
                let exit = tokio::select! {
                    _ = interrupt.recv() => Exit::Interrupted,
                    _ = terminate.recv() => Exit::Terminated,
                };
                if is_impatient.load(Ordering::Acquire) {
                    // What was acknowledged is durable; nothing else is worth waiting for.
                    std::process::exit(exit.code().into());
                }
                sender.send_replace(exit);
            }
        });
        Ok(Interrupt { last, is_ending })
    }

    /// Waits for a signal.
    pub(crate) async fn received(&mut self) -> Failure {
        if self.last.changed().await.is_err() {
            // Only the end of the runtime ends the task that listens.
            std::future::pending::<()>().await;
        }
        self.is_ending.store(true, Ordering::Release);
        let exit = *self.last.borrow_and_update();
        Failure::new(exit, "interrupted", "run the command again; what was done is kept")
    }

    /// Forgets the signals so far: they were for somebody else.
    pub(crate) fn forget(&mut self) {
        self.last.mark_unchanged();
    }
}
