//! Which key comes next: records are written field after field, so a key is probably followed by what followed it last.

/// The key that is not in the dictionary yet.
const NEW: u64 = 1;

/// For each key of the dictionary, the one that followed it last.
#[derive(Default)]
pub(super) struct Followers {
    follower: Vec<Option<usize>>,
    last: Option<usize>,
}

impl Followers {
    /// How the next key is written: 0 if expected, 1 if new, else 2 and its index.
    pub(super) fn choice(&mut self, key: usize) -> u64 {
        let choice = if key == self.follower.len() {
            NEW
        } else if self.expected() == Some(key) {
            0
        } else {
            key as u64 + NEW + 1
        };
        self.follow(key);
        choice
    }

    /// The next key, as it was written. It is new if it equals the number of those before.
    pub(super) fn chosen(&mut self, choice: u64) -> Option<usize> {
        let key = match choice {
            0 => self.expected()?,
            NEW => self.follower.len(),
            choice => usize::try_from(choice - NEW - 1).ok().filter(|key| *key < self.follower.len())?,
        };
        self.follow(key);
        Some(key)
    }

    fn expected(&self) -> Option<usize> {
        *self.follower.get(self.last?)?
    }

    fn follow(&mut self, key: usize) {
        if key == self.follower.len() {
            self.follower.push(None);
        }
        if let Some(follower) = self.last.and_then(|last| self.follower.get_mut(last)) {
            *follower = Some(key);
        }
        self.last = Some(key);
    }
}
