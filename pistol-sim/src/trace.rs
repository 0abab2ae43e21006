//! What happened, as one hash; and in words, if somebody wants to read it.

use pistol_core::store::Batch;
use pistol_engine::{Effect, Input};
use pistol_sync::proto::message::Message;

use crate::wires::Wires;

/// The record of a run.
#[derive(Debug)]
pub(crate) struct Trace {
    hasher: blake3::Hasher,
    is_shown: bool,
    /// What was shown of frames that were sent, and that came.
    sent: Wires,
    received: Wires,
}

impl Trace {
    pub(crate) fn new(is_shown: bool) -> Self {
        Trace { hasher: blake3::Hasher::new(), is_shown, sent: Wires::default(), received: Wires::default() }
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        *self.hasher.finalize().as_bytes()
    }

    fn note(&mut self, now_ms: u64, node: usize, kind: u8, parts: &[&[u8]]) {
        self.hasher.update(&now_ms.to_le_bytes());
        self.hasher.update(&[u8::try_from(node).unwrap_or(u8::MAX), kind]);
        for part in parts {
            self.hasher.update(&(part.len() as u64).to_le_bytes());
            self.hasher.update(part);
        }
    }

    /// Something outside the engines: a fault, or what a user does.
    pub(crate) fn happened(&mut self, now_ms: u64, node: usize, what: impl FnOnce() -> String) {
        self.note(now_ms, node, 0, &[]);
        self.show(now_ms, node, "**", what);
    }

    pub(crate) fn show(&self, now_ms: u64, node: usize, sign: &str, what: impl FnOnce() -> String) {
        if self.is_shown {
            eprintln!("{now_ms:>6} node {node} {sign} {}", what());
        }
    }

    pub(crate) fn input(&mut self, now_ms: u64, node: usize, input: &Input) {
        let number = |number: &u64| number.to_le_bytes();
        match input {
            Input::Connected { connection, peer, is_dialler, .. } => {
                self.note(now_ms, node, 1, &[&number(connection), &peer.0, &[u8::from(*is_dialler)]]);
            }
            Input::Received { connection, frame } => self.note(now_ms, node, 2, &[&number(connection), frame]),
            Input::Disconnected { connection, .. } => self.note(now_ms, node, 3, &[&number(connection)]),
            Input::DialFailed { peer, .. } => self.note(now_ms, node, 4, &[&peer.0]),
            Input::Stored => self.note(now_ms, node, 5, &[]),
            Input::StoreFailed { .. } => self.note(now_ms, node, 6, &[]),
            Input::Rows { read, rows } => {
                let rows = rows.iter().flatten().flat_map(|(key, value)| [key.as_slice(), value]);
                let rows: Vec<&[u8]> = rows.collect();
                self.note(now_ms, node, 7, &[&number(read)]);
                self.note(now_ms, node, 7, &rows);
            }
            Input::Command { token, .. } => self.note(now_ms, node, 8, &[&number(token)]),
            Input::Saved { document, saved } => {
                self.note(now_ms, node, 11, &[document.as_bytes(), &[u8::from(saved.is_some())]]);
            }
            Input::PictureOpened { read, opened } => {
                self.note(now_ms, node, 12, &[&number(read), &[u8::from(opened.is_some())]]);
            }
            Input::Salvaged { document, result } => {
                self.note(now_ms, node, 13, &[document.as_bytes(), &[u8::from(result.is_ok())]]);
            }
            Input::Wake => self.note(now_ms, node, 9, &[]),
            Input::TickEnd => self.note(now_ms, node, 10, &[]),
        }
        if self.is_shown {
            let shown = shown_input(node, input, &mut self.received);
            self.show(now_ms, node, "<-", || shown);
        }
    }

    pub(crate) fn effect(&mut self, now_ms: u64, node: usize, effect: &Effect) {
        let number = |number: &u64| number.to_le_bytes();
        match effect {
            Effect::Store(batch) => self.store(now_ms, node, batch),
            Effect::Read { read, from, to, .. } => self.note(now_ms, node, 21, &[&number(read), from, to]),
            Effect::Save(saving) => self.note(now_ms, node, 27, &[saving.document().as_bytes()]),
            Effect::OpenPicture(_) => self.note(now_ms, node, 28, &[]),
            Effect::Salvage(salvage) => self.note(now_ms, node, 29, &[salvage.document.as_bytes()]),
            Effect::Send { connection, frame } => self.note(now_ms, node, 22, &[&number(connection), frame]),
            Effect::Close { connection, .. } => self.note(now_ms, node, 23, &[&number(connection)]),
            Effect::Dial { peer, .. } => self.note(now_ms, node, 24, &[&peer.0]),
            Effect::Changed { document, is_own, .. } => {
                self.note(now_ms, node, 25, &[document.as_bytes(), &[u8::from(*is_own)]]);
            }
            Effect::Reply { token, reply } => {
                self.note(now_ms, node, 26, &[&number(token), &[u8::from(reply.is_ok())]]);
            }
        }
        if self.is_shown {
            let shown = shown_effect(node, effect, &mut self.sent);
            self.show(now_ms, node, "->", || shown);
        }
    }

    fn store(&mut self, now_ms: u64, node: usize, batch: &Batch) {
        for write in &batch.writes {
            let value = write.value.as_deref().unwrap_or_default();
            self.note(now_ms, node, 20, &[&[write.table as u8], &write.key, value]);
        }
    }
}

fn shown_input(node: usize, input: &Input, received: &mut Wires) -> String {
    match input {
        Input::Received { connection, frame } => {
            format!("[{connection}] {}", shown_frame(&received.whole(*connection, node, frame).unwrap_or_default()))
        }
        Input::Rows { read, rows: Ok(rows) } => format!("rows of read {read}: {}", rows.len()),
        other => shortened(format!("{other:?}")),
    }
}

fn shown_effect(node: usize, effect: &Effect, sent: &mut Wires) -> String {
    match effect {
        Effect::Send { connection, frame } => {
            format!("[{connection}] {}", shown_frame(&sent.whole(*connection, node, frame).unwrap_or_default()))
        }
        Effect::Store(batch) => {
            let write = |write: &pistol_core::store::Write| {
                let length = write.value.as_ref().map(Vec::len);
                format!("{:?} {:?} {length:?}", write.table, write.key)
            };
            shortened(format!("store {:?}", batch.writes.iter().map(write).collect::<Vec<_>>()))
        }
        other => shortened(format!("{other:?}")),
    }
}

fn shown_frame(frame: &[u8]) -> String {
    match Message::from_frame(frame) {
        Ok(Some(Message::Envelope(topic, bytes))) => {
            format!("Envelope({topic}) {:?}", crate::held::changes_in(&bytes))
        }
        Ok(Some(message)) => shortened(format!("{message:?}")),
        _ => "no message".to_owned(),
    }
}

fn shortened(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(600) {
        text.truncate(at);
    }
    text
}
