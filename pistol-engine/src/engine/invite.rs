//! Tickets that grant a role once: whoever shows their secret to the node that gave them is granted it there, into the log, and the
//! secret is worth nothing any more.
//!
//! Architecture Invariant: an invitation goes from the store in the commit that takes its grant. A store that was put back to an older
//! state keeps none: what it had not given away by then may have been since.

use std::collections::BTreeMap;

use pistol_acl::record::{Action, Role, Subject};
use pistol_core::hash::{Context, hash};
use pistol_core::id::DocumentId;
use pistol_core::key::{AuthorId, Signature};
use pistol_core::store::schema::{self, Invite, LogNumber};
use pistol_core::store::{Row, StoreError, Table, Write};
use pistol_sync::node::NodeId;
use pistol_sync::proto::message::{Message, Redeem, Redeemed, Topic};

use super::peer::send;
use super::{Engine, answer};
use crate::catalog::Catalog;
use crate::documents::lock;
use crate::effect::{Effect, Reply, ReplyError};
use crate::input::{ConnectionId, Token};
use crate::limits;

/// The hash of a secret: who reads the store learns none.
type SecretHash = [u8; 32];

/// Invitations given by this node, and those that it uses.
#[derive(Debug, Default)]
pub(super) struct Invites {
    given: BTreeMap<(DocumentId, SecretHash), Invite>,
    redeeming: BTreeMap<DocumentId, Redeeming>,
}

/// An invitation that is being used.
#[derive(Debug)]
struct Redeeming {
    tokens: Vec<Token>,
    node: NodeId,
    secret: [u8; 16],
    deadline_ms: u64,
    /// The connection on which it was shown.
    shown_on: Option<ConnectionId>,
}

impl Invites {
    /// Those that a store holds, and what is to be written: it may have been put back, and then none is left.
    pub(super) fn from_rows(
        rows: &[Row],
        catalog: &Catalog,
        is_continued: bool,
    ) -> Result<(Invites, Vec<Write>), StoreError> {
        let (mut invites, mut void) = (Invites::default(), Vec::new());
        for row in rows {
            let (log, secret, invite) = Invite::from_row(row)?;
            match catalog.numbered(log).filter(|_| is_continued) {
                Some(document) => drop(invites.given.insert((document, secret), invite)),
                None => void.push(Write { table: Table::Invites, key: row.0.clone(), value: None }),
            }
        }
        Ok((invites, void))
    }

    pub(super) fn deadline_ms(&self) -> Option<u64> {
        self.redeeming.values().map(|redeeming| redeeming.deadline_ms).min()
    }

    /// A document is removed; says what is to be written.
    pub(super) fn remove(&mut self, document: &DocumentId, log: LogNumber) -> Vec<Write> {
        let of_it: Vec<SecretHash> =
            self.given.keys().filter(|(of, _)| of == document).map(|(_, secret)| *secret).collect();
        let gone = of_it.into_iter().map(|secret| {
            self.given.remove(&(*document, secret));
            Write { table: Table::Invites, key: schema::invite_key(log, secret), value: None }
        });
        gone.collect()
    }
}

impl Engine {
    /// Keeps an invitation.
    pub(super) fn invite(
        &mut self,
        token: Token,
        document: DocumentId,
        (secret, role, not_after_ms): ([u8; 16], Role, u64),
        effects: &mut Vec<Effect>,
    ) {
        let Some(log) = self.catalog.log(&document) else {
            return effects.push(answer(token, Err(ReplyError::NotFound)));
        };
        if self.invites.given.keys().filter(|(of, _)| *of == document).count() >= limits::INVITES_MAX {
            return effects.push(answer(token, Err(ReplyError::TooManyInvites)));
        }
        let (secret, invite) = (hash_of(&secret), Invite { role: role.code(), not_after_ms });
        self.invites.given.insert((document, secret), invite);
        let (key, value) = (schema::invite_key(log.number, secret), Some(invite.to_value()));
        self.commits.write(Write { table: Table::Invites, key, value });
        self.commits.answer_when_stored(token, Reply::Done);
    }

    /// A ticket with a secret was taken: it is shown to the node that gave it as soon as both follow the log.
    pub(super) fn will_redeem(&mut self, token: Token, document: DocumentId, node: NodeId, secret: [u8; 16]) {
        let deadline_ms = self.now.steady_ms + limits::JOIN_MS;
        let before = self.invites.redeeming.remove(&document).filter(|before| before.secret == secret);
        let mut tokens = before.map(|before| before.tokens).unwrap_or_default();
        tokens.push(token);
        let redeeming = Redeeming { tokens, node, secret, deadline_ms, shown_on: None };
        self.invites.redeeming.insert(document, redeeming);
    }

    /// Shows a secret, if it is to be and its node follows the log on a connection.
    pub(super) fn redeem(&mut self, document: &DocumentId, effects: &mut Vec<Effect>) {
        let Some(redeeming) = self.invites.redeeming.get_mut(document) else { return };
        let Some((connection, peer)) = self.peers.iter().find(|(_, peer)| peer.node == redeeming.node) else { return };
        let state = peer.topic_of(document).and_then(|topic| Some((topic, peer.topics.get(&topic)?)));
        let Some((topic, _)) = state.filter(|(_, state)| state.is_following && state.log.is_some()) else { return };
        if redeeming.shown_on.replace(*connection) == Some(*connection) {
            return;
        }
        let message = message(&peer.binding.exported, document, &redeeming.secret);
        let Signature(signature) = self.key.sign(&message);
        let half = |from: usize| std::array::from_fn(|at| signature.get(from + at).copied().unwrap_or_default());
        let author = *self.key.id().as_bytes();
        let redeem = Redeem { topic, secret: redeeming.secret, author, signature: (half(0), half(32)) };
        effects.push(send(*connection, &Message::Redeem(redeem)));
    }

    /// A peer shows a secret.
    pub(super) fn took_redeem(&mut self, connection: ConnectionId, redeem: &Redeem, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get(&connection) else { return };
        let state = peer.topics.get(&redeem.topic).filter(|state| state.is_following && state.log.is_some());
        let Some(document) = state.map(|state| state.document) else {
            return self.blame(connection, "it showed an invitation to what it does not follow", effects);
        };
        let signature = Signature(std::array::from_fn(|at| {
            let (first, last) = redeem.signature;
            first.into_iter().chain(last).nth(at).unwrap_or_default()
        }));
        let message = message(&peer.binding.exported, &document, &redeem.secret);
        let author = AuthorId::from_bytes(&redeem.author).ok();
        let author = author.filter(|author| self.verifier.is_signed(author, &message, &signature));
        let Some(author) = author else {
            return self.blame(connection, "it showed an invitation for an author who did not sign that", effects);
        };
        let secret = hash_of(&redeem.secret);
        let outcome = self.grant_invited(document, secret, author);
        let told = send(connection, &Message::Redeemed(redeem.topic, outcome));
        match outcome {
            // The grant goes to the disk with the next batch.
            Redeemed::Granted => self.commits.promise_when_stored(told),
            Redeemed::Late | Redeemed::Void => effects.push(told),
            Redeemed::Used => {
                effects.push(told);
                self.blame(connection, "it showed one invitation after the other that is worth nothing", effects);
            }
        }
    }

    fn grant_invited(&mut self, document: DocumentId, secret: SecretHash, author: AuthorId) -> Redeemed {
        let Some(invite) = self.invites.given.get(&(document, secret)).copied() else { return Redeemed::Used };
        let is_late = invite.not_after_ms != 0 && self.now.wall_ms > invite.not_after_ms;
        let Some((role, log)) = Role::of_code(invite.role).zip(self.catalog.log(&document)).filter(|_| !is_late) else {
            return Redeemed::Late;
        };
        let grant = Action::Grant { to: Subject::Key(author), role };
        if self.documents.operate(&document, |_| Ok(grant)).is_err() {
            return Redeemed::Void;
        }
        self.invites.given.remove(&(document, secret));
        self.commits.write(Write { table: Table::Invites, key: schema::invite_key(log.number, secret), value: None });
        Redeemed::Granted
    }

    /// What became of a secret that was shown.
    pub(super) fn was_redeemed(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        outcome: Redeemed,
        effects: &mut Vec<Effect>,
    ) {
        let Some(document) = self.topic_mut(connection, topic).map(|state| state.document) else { return };
        let is_it = |redeeming: &Redeeming| redeeming.shown_on == Some(connection);
        if !self.invites.redeeming.get(&document).is_some_and(is_it) {
            return self.blame(connection, "it answered for an invitation that nobody showed", effects);
        }
        let outcome = match outcome {
            Redeemed::Granted => Ok(()),
            Redeemed::Used => Err("the invitation was used before"),
            Redeemed::Late => Err("the time of the invitation is over"),
            Redeemed::Void => Err("who invited may not grant it any more"),
        };
        self.end_redeeming(&document, &outcome.map_err(|why| ReplyError::Refused(why.to_owned())), effects);
    }

    /// Ends the use of an invitation, well or not.
    pub(super) fn end_redeeming(
        &mut self,
        document: &DocumentId,
        outcome: &Result<(), ReplyError>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(redeeming) = self.invites.redeeming.remove(document) else { return };
        for token in redeeming.tokens {
            match outcome {
                Ok(()) => self.commits.answer_when_stored(token, Reply::Document(*document)),
                Err(error) => effects.push(answer(token, Err(error.clone()))),
            }
        }
    }

    pub(super) fn give_up_redeeming(&mut self, effects: &mut Vec<Effect>) {
        let now = self.now.steady_ms;
        let is_late = |(_, redeeming): &(&DocumentId, &Redeeming)| redeeming.deadline_ms <= now;
        let late: Vec<_> = self.invites.redeeming.iter().filter(is_late).map(|(document, _)| *document).collect();
        for document in late {
            let last = "the node that invites did not answer".to_owned();
            self.end_redeeming(&document, &Err(ReplyError::NoPeer { last }), effects);
        }
    }

    /// Loads a log that is held and into which a ticket invites.
    pub(super) fn load_invited(&mut self, document: &DocumentId, effects: &mut Vec<Effect>) {
        if let Some(replica) = self.documents.replica(document) {
            drop(lock(&replica));
            self.redeem(document, effects);
        } else {
            self.load(*document, effects);
        }
    }
}

fn hash_of(secret: &[u8; 16]) -> SecretHash {
    hash(Context::Invite, &[secret])
}

/// What the author signs: so that whoever overhears a secret elsewhere cannot have it granted to somebody who did not ask.
fn message(exported: &[u8; 32], document: &DocumentId, secret: &[u8; 16]) -> Vec<u8> {
    [b"pistol/redeem/1\0".as_slice(), exported, document.as_bytes(), secret].concat()
}
