//! Loading a picture: nearly all of the time that opening a long history takes, done on another thread.

use pistol_core::document::Opened;

use crate::input::{Input, ReadId};

/// A picture to be loaded: the bytes that this node stamped as its own.
#[derive(Clone)]
pub struct Opening {
    read: ReadId,
    save: Vec<u8>,
}

impl Opening {
    pub(super) fn new(read: ReadId, save: Vec<u8>) -> Self {
        Opening { read, save }
    }

    /// The answer if it cannot be loaded.
    pub fn failed(&self) -> Input {
        Input::PictureOpened { read: self.read, opened: None }
    }

    /// Loads it, and makes the answer.
    pub fn open(&self) -> Input {
        Input::PictureOpened { read: self.read, opened: Opened::load(&self.save).map(Box::new) }
    }
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opening({} bytes)", self.save.len())
    }
}
