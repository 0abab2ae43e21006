//! Tickets: one line of text that invites somebody to a document.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use pistol_core::codec::{Malformed, Reader, Writer};
use pistol_core::genesis::ReadKey;
use pistol_core::id::DocumentId;

use crate::node::NodeId;

/// An invitation to a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ticket {
    /// The document.
    pub document: DocumentId,
    /// The key to read it, if it needs one.
    pub read_key: Option<ReadKey>,
    /// The node that invites.
    pub node: NodeId,
    /// Where that node may be reached, at most 8.
    pub addresses: Vec<SocketAddr>,
    /// Milliseconds since 1970 after which the inviting node may admit nobody; 0 is never.
    pub not_after_ms: u64,
    /// A secret that the inviting node redeems once. Kept for grants.
    pub secret: Option<[u8; 16]>,
}

/// The most addresses in a ticket.
pub const ADDRESSES_MAX: usize = 8;

const PREFIX: &str = "pistol";
const VERSION: u8 = 1;
const KIND_DOCUMENT: u8 = 0;
/// The longest ticket: far above eight addresses and every field.
const TEXT_MAX: usize = 1024;

/// A text is no ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TicketError {
    /// It does not look like one.
    #[error("this is not a ticket: a ticket is one line that begins with `{PREFIX}`")]
    NotATicket,
    /// It was damaged on its way.
    #[error("the ticket was damaged on its way: copy all of it again, from `{PREFIX}` to its end")]
    Damaged,
    /// A newer Pistol made it.
    #[error("the ticket was made by a newer Pistol; install a newer one")]
    Newer,
}

impl Ticket {
    /// An invitation by a node to a document.
    pub fn new(document: DocumentId, read_key: Option<ReadKey>, node: NodeId, addresses: &[SocketAddr]) -> Self {
        let addresses = addresses.iter().take(ADDRESSES_MAX).copied().collect();
        Ticket { document, read_key, node, addresses, not_after_ms: 0, secret: None }
    }

    /// Whether the ticket's time is over by the reader's clock: a warning, never a rule.
    pub fn is_expired(&self, now_ms: u64) -> bool {
        self.not_after_ms != 0 && now_ms > self.not_after_ms
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.byte(VERSION);
        writer.byte(KIND_DOCUMENT);
        writer.raw(self.document.as_bytes());
        writer.byte(u8::from(self.read_key.is_some()));
        self.read_key.iter().for_each(|key| writer.raw(&key.0));
        writer.raw(&self.node.0);
        writer.length(self.addresses.len().min(ADDRESSES_MAX));
        for address in self.addresses.iter().take(ADDRESSES_MAX) {
            match address.ip() {
                IpAddr::V4(ip) => {
                    writer.byte(4);
                    writer.raw(&ip.octets());
                }
                IpAddr::V6(ip) => {
                    writer.byte(6);
                    writer.raw(&ip.octets());
                }
            }
            writer.raw(&address.port().to_le_bytes());
        }
        writer.number(self.not_after_ms);
        writer.byte(u8::from(self.secret.is_some()));
        self.secret.iter().for_each(|secret| writer.raw(secret));
        writer.into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        reader.raw(2)?;
        let document = DocumentId(reader.array()?);
        let read_key = if flag(&mut reader)? { Some(ReadKey(reader.array()?)) } else { None };
        let node = NodeId(reader.array()?);
        let count = reader.count(ADDRESSES_MAX, 7)?;
        let addresses = (0..count).map(|_| address(&mut reader)).collect::<Result<_, _>>()?;
        let not_after_ms = reader.number()?;
        let secret = if flag(&mut reader)? { Some(reader.array()?) } else { None };
        reader.end()?;
        Ok(Ticket { document, read_key, node, addresses, not_after_ms, secret })
    }
}

fn flag(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    Ok(reader.number_to(1)? == 1)
}

fn address(reader: &mut Reader<'_>) -> Result<SocketAddr, Malformed> {
    let ip = match reader.byte()? {
        4 => IpAddr::V4(Ipv4Addr::from(reader.array::<4>()?)),
        6 => IpAddr::V6(Ipv6Addr::from(reader.array::<16>()?)),
        _ => return Err(Malformed::Tag),
    };
    Ok(SocketAddr::new(ip, u16::from_le_bytes(reader.array()?)))
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let hash = blake3::derive_key("pistol ticket v1", bytes);
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.to_bytes();
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        write!(f, "{PREFIX}{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
    }
}

impl FromStr for Ticket {
    type Err = TicketError;

    fn from_str(text: &str) -> Result<Self, TicketError> {
        let text = text.trim();
        let body = text.strip_prefix(PREFIX).filter(|_| text.len() <= TEXT_MAX).ok_or(TicketError::NotATicket)?;
        let bytes = BASE32_NOPAD.decode(body.to_ascii_uppercase().as_bytes()).map_err(|_| TicketError::Damaged)?;
        let (bytes, sum) = bytes.split_last_chunk::<4>().ok_or(TicketError::Damaged)?;
        if checksum(bytes) != *sum {
            return Err(TicketError::Damaged);
        }
        match bytes {
            [VERSION, KIND_DOCUMENT, ..] => Ticket::from_bytes(bytes).map_err(|_| TicketError::Damaged),
            _ => Err(TicketError::Newer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket() -> Ticket {
        let addresses = ["127.0.0.1:7".parse().unwrap(), "[::1]:65535".parse().unwrap()];
        let mut ticket = Ticket::new(DocumentId([1; 32]), Some(ReadKey([2; 32])), NodeId([3; 32]), &addresses);
        (ticket.not_after_ms, ticket.secret) = (1 << 50, Some([4; 16]));
        ticket
    }

    #[test]
    fn a_ticket_survives_being_shown_and_read() {
        assert_eq!(ticket().to_string().parse(), Ok(ticket()));
        assert!(ticket().to_string().starts_with("pistol"));
    }

    #[test]
    fn any_changed_or_missing_letter_of_a_ticket_is_noticed() {
        let text = ticket().to_string();
        for index in 0..text.len() {
            let letter = if text.as_bytes()[index] == b'a' { 'b' } else { 'a' };
            let wrong = format!("{}{letter}{}", &text[..index], &text[index + 1..]);
            assert!(wrong.parse::<Ticket>().is_err(), "letter {index}");
            assert!(text[..index].parse::<Ticket>().is_err(), "cut at {index}");
        }
    }

    #[test]
    fn an_error_says_what_to_do() {
        assert_eq!("hello".parse::<Ticket>(), Err(TicketError::NotATicket));
        assert!(TicketError::Damaged.to_string().contains("copy all of it again"));
    }
}
