//! The thread that saves pictures of documents: work that no edit, commit or message waits for.

use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use pistol_engine::{Input, Saving};

/// The saver's thread. Dropping it ends what is being saved, leaves out what waits, and joins the thread.
pub(crate) struct Saver {
    pictures: Option<Sender<Saving>>,
    thread: Option<JoinHandle<()>>,
}

impl Saver {
    /// Starts the thread. `answer` is called on it, once for each picture.
    ///
    /// # Errors
    /// If the system refuses another thread.
    pub(crate) fn start(answer: impl Fn(Input) + Send + 'static) -> std::io::Result<Saver> {
        // The engine has at most one picture of each document under way.
        let (pictures, waiting) = channel::<Saving>();
        let save = move || {
            for saving in waiting {
                answer(Input::Saved { document: saving.document(), saved: saving.save() });
            }
        };
        let thread = thread::Builder::new().name("pistol-saver".to_owned()).spawn(save)?;
        Ok(Saver { pictures: Some(pictures), thread: Some(thread) })
    }

    /// Saves a picture when those before it are saved.
    pub(crate) fn save(&self, saving: Saving) {
        if let Some(pictures) = &self.pictures {
            // A thread that ended has panicked: then snapshots are no longer renewed, which costs time only.
            let _ = pictures.send(saving);
        }
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        self.pictures = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
