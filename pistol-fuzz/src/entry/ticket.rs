//! A ticket: a line of text that somebody sent.

use data_encoding::BASE32_NOPAD;
use pistol_core::genesis::ReadKey;
use pistol_core::id::DocumentId;
use pistol_sync::node::NodeId;
use pistol_sync::ticket::Ticket;

use crate::chance::Chance;
use crate::finding::{Outcome, promise};
use crate::mutate::mutate;

const PREFIX: &str = "pistol";

/// Gives a text.
///
/// # Errors
/// [`crate::finding::Divergence`] if a ticket that was read is another one when it is shown and read again.
pub fn accepts(text: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(text);
    let _ = text.parse::<DocumentId>();
    let Ok(ticket) = text.parse::<Ticket>() else {
        return Ok(false);
    };
    promise(ticket.to_string().parse() == Ok(ticket), "a ticket changes when it is passed on")?;
    Ok(true)
}

/// Gives what a ticket holds, under a right checksum.
///
/// # Errors
/// As [`accepts`].
pub fn accepts_inside(inside: &[u8]) -> Outcome {
    let [a, b, c, d, ..] = blake3::derive_key("pistol ticket v1", inside);
    let sealed = [inside, &[a, b, c, d]].concat();
    accepts(format!("{PREFIX}{}", BASE32_NOPAD.encode(&sealed).to_ascii_lowercase()).as_bytes())
}

/// Honest tickets.
fn honest() -> Vec<String> {
    let addresses: Vec<_> = ["127.0.0.1:7", "[::1]:65535", "10.0.0.1:1"].iter().flat_map(|text| text.parse()).collect();
    let mut ticket = Ticket::new(DocumentId([1; 32]), Some(ReadKey([2; 32])), NodeId([3; 32]), &addresses);
    let plain = Ticket::new(DocumentId([1; 32]), None, NodeId([3; 32]), &[]);
    (ticket.not_after_ms, ticket.secret) = (1 << 50, Some([4; 16]));
    vec![ticket.to_string(), plain.to_string()]
}

/// What honest tickets hold, for coverage-guided targets to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let inside = |text: String| {
        let mut bytes = BASE32_NOPAD.decode(text.strip_prefix(PREFIX)?.to_ascii_uppercase().as_bytes()).ok()?;
        bytes.truncate(bytes.len().saturating_sub(4));
        Some(bytes)
    };
    honest().into_iter().filter_map(inside).collect()
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let is_text = chance.one_in(3);
    let honest = if is_text { honest().into_iter().map(String::into_bytes).collect() } else { seeds() };
    let mut bytes = chance.pick(&honest).cloned().unwrap_or_default();
    let other = chance.pick(&honest).cloned().unwrap_or_default();
    mutate(&mut bytes, &other, chance);
    if is_text { accepts(&bytes) } else { accepts_inside(&bytes) }
}
