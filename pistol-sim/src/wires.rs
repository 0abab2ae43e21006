//! What is heard of a connection by who listens at one of its ends: the keys that were told there.

use std::collections::BTreeMap;

use pistol_engine::ConnectionId;
use pistol_sync::proto::keys::{KeysHeard, KeysTold};

/// The connections, and who speaks there.
#[derive(Debug, Default)]
pub(crate) struct Wires {
    heard: BTreeMap<(ConnectionId, usize), KeysHeard>,
    told: BTreeMap<(ConnectionId, usize), KeysTold>,
}

impl Wires {
    /// A frame with its keys. Each is to be given once, in the order in which they were sent.
    ///
    /// # Errors
    /// A key is named that was not told.
    pub(crate) fn whole(&mut self, connection: ConnectionId, sender: usize, frame: &[u8]) -> Result<Vec<u8>, String> {
        let heard = self.heard.entry((connection, sender)).or_default();
        heard.whole(frame.to_vec()).map_err(|error| format!("a node named a key that it had not told: {error}"))
    }

    /// A frame as the sender would send it, had it sent just the frames that were given here.
    pub(crate) fn named(&mut self, connection: ConnectionId, sender: usize, frame: Vec<u8>) -> Vec<u8> {
        self.told.entry((connection, sender)).or_default().named(frame)
    }
}
