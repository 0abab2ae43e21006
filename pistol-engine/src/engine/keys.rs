//! The key tables of connections: keys become numbers in what leaves, and keys again in what comes, before anything else looks
//! at it.

use pistol_core::codec::Malformed;
use pistol_sync::proto::keys::{KNOWS_NAMED_KEYS, KeysHeard, KeysTold};

use super::Engine;
use crate::effect::Effect;

/// What both ends of a connection have told each other.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// None until the peer said that it takes numbers for keys.
    told: Option<KeysTold>,
    heard: KeysHeard,
}

impl Keys {
    /// The peer says what it can do.
    pub(super) fn greeted(&mut self, features: u64) {
        self.told = (features & KNOWS_NAMED_KEYS != 0).then(KeysTold::default);
    }

    /// A frame that came, with its keys.
    pub(super) fn whole(&mut self, frame: Vec<u8>) -> Result<Vec<u8>, Malformed> {
        self.heard.whole(frame)
    }
}

impl Engine {
    /// Names keys by numbers in frames that are to be sent, in their order.
    pub(super) fn name_keys(&mut self, effects: &mut [Effect]) {
        for effect in effects {
            let Effect::Send { connection, frame } = effect else { continue };
            let told = self.peers.get_mut(connection).and_then(|peer| peer.keys.told.as_mut());
            if let Some(told) = told {
                *frame = told.named(std::mem::take(frame));
            }
        }
    }
}
