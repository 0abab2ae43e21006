//! The door for what happens: connections, frames, the disk, and requests.

mod closing;
mod commit;
mod dial;
mod forget;
mod import;
mod invite;
mod join;
mod keys;
mod load;
mod logs;
mod operations;
mod owed;
mod peer;
mod records;
mod repair;
mod spaces;
mod topic;
mod transfer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_core::id::DocumentId;
use pistol_core::key::{AuthorKey, Verifier};
use pistol_core::store::schema::LogNumber;
use pistol_core::store::{Row, StoreError};
use pistol_sync::node::NodeId;

use crate::catalog::Catalog;
use crate::documents::Documents;
use crate::effect::{Effect, Reply, ReplyError};
use crate::entropy::Entropy;
use crate::input::{Command, ConnectionId, Input, Now, Token};
use crate::limits;
use crate::recent::Recent;
use crate::replica::RecordHash;
use crate::room::Room;
use closing::Parked;
use commit::Commits;
pub use dial::Contact;
use dial::Contacts;
pub use dial::is_peer;
use forget::Removal;
use invite::Invites;
use join::Joins;
use load::Loads;
pub(crate) use load::verified;
pub use load::{CacheState, Opening, inspect_cache};
use logs::Logs;
pub(crate) use logs::fits;
use owed::Owed;
use peer::Peer;
use records::Verdict;
use repair::Repairs;
use spaces::Spaces;
pub use spaces::places;

/// What a node starts with.
#[derive(Debug)]
pub struct Start {
    /// The key that signs this node's changes.
    pub key: AuthorKey,
    /// The node's name on the network.
    pub node: NodeId,
    /// The epoch of its store.
    pub epoch: [u8; 16],
    /// A fresh secret to draw numbers from.
    pub seed: [u8; 32],
    /// Whether writing sessions go on where the store left them; else they begin anew.
    pub sessions_continue: bool,
    /// New changes after which a document's snapshot is renewed: [`crate::SNAPSHOT_CHANGES`], less in tests.
    pub snapshot_changes: u32,
    /// About how many bytes the documents in memory may take: [`crate::OPEN_BYTES`]. Those that must stay in memory may
    /// take more.
    pub open_bytes_max: usize,
    /// The documents: it has taken in all rows of the tables of logs, names and sessions.
    pub catalog: Catalog,
    /// All rows of the table of peers.
    pub peers: Vec<Row>,
    /// The peers that are to be asked again.
    pub owed: Vec<Row>,
    /// The invitations that nobody has used.
    pub invites: Vec<Row>,
}

/// One node.
#[derive(Debug)]
pub struct Engine {
    documents: Documents,
    key: Arc<AuthorKey>,
    node: NodeId,
    epoch: [u8; 16],
    entropy: Arc<Entropy>,
    verifier: Verifier,
    catalog: Catalog,
    loads: Loads,
    joins: Joins,
    invites: Invites,
    logs: Logs,
    spaces: Spaces,
    contacts: Contacts,
    peers: BTreeMap<ConnectionId, Peer>,
    owed: Owed,
    room: Room,
    /// Records that need not be looked at again.
    records: Recent<RecordHash, Verdict>,
    commits: Commits,
    /// Documents that took something in during this tick.
    inbox: BTreeMap<DocumentId, transfer::Inbox>,
    /// Documents of which something is to be shown, or to be told that it was.
    unshown: BTreeSet<DocumentId>,
    /// Documents in which something rests: forks that wait, or operations that are not judged.
    to_look_again: BTreeSet<DocumentId>,
    syncs: Vec<Sync>,
    parked: Parked,
    /// Who waits for the last pictures before the node ends.
    resting: Vec<Token>,
    /// What a former process began to remove.
    to_remove: Vec<LogNumber>,
    repairs: Repairs,
    snapshot_changes: u32,
    /// Operations walked to show what people may have typed.
    typed_walk: u64,
    open_bytes_max: usize,
    now: Now,
}

/// Somebody waits for a document to be equal with a peer's.
#[derive(Debug)]
struct Sync {
    token: Token,
    document: DocumentId,
    deadline_ms: u64,
}

impl Engine {
    /// A node with what its store holds.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if rows cannot be read.
    pub fn new(start: Start, now: Now) -> Result<Self, StoreError> {
        let Start { key, node, epoch, seed, sessions_continue, snapshot_changes, .. } = start;
        let Start { open_bytes_max, catalog, peers, owed, invites, .. } = start;
        let (invites, void) = Invites::from_rows(&invites, &catalog, sessions_continue)?;
        let entropy = Arc::new(Entropy::new(seed));
        let owed = Owed::from_rows(&owed, &catalog)?;
        let to_remove = catalog.has_all_rows(sessions_continue);
        let mut commits = Commits::default();
        void.into_iter().for_each(|write| commits.write(write));
        Ok(Engine {
            documents: Documents::default(),
            key: Arc::new(key),
            node,
            epoch,
            entropy,
            verifier: Verifier::default(),
            owed,
            room: Room::default(),
            records: Recent::up_to(limits::RECORDS_MAX),
            catalog,
            loads: Loads::default(),
            joins: Joins::default(),
            invites,
            logs: Logs::default(),
            spaces: Spaces::default(),
            contacts: Contacts::from_rows(&peers, now)?,
            peers: BTreeMap::new(),
            commits,
            inbox: BTreeMap::new(),
            unshown: BTreeSet::new(),
            to_look_again: BTreeSet::new(),
            syncs: Vec::new(),
            parked: Parked::default(),
            resting: Vec::new(),
            to_remove,
            repairs: Repairs::default(),
            snapshot_changes: snapshot_changes.max(1),
            typed_walk: 0,
            open_bytes_max,
            now,
        })
    }

    /// The door for applications.
    pub fn documents(&self) -> Documents {
        self.documents.clone()
    }

    /// The documents that the store holds.
    pub fn catalog(&self) -> Catalog {
        self.catalog.clone()
    }

    /// The peers known or connected.
    pub fn peers(&self) -> Vec<crate::Contact> {
        self.contacts.list(self.peers.values().map(|peer| peer.node))
    }

    /// What is kept of peers' changes that wait for others: of each peer how many, and how much memory they take.
    pub fn waiting(&self) -> impl Iterator<Item = (NodeId, usize, usize)> + '_ {
        self.room.shares()
    }

    /// About how many microseconds it took to show what people may have typed, since the last time this was asked. Showing
    /// rests for it: the connection that brought it need not as well.
    pub fn take_typed_us(&mut self) -> u64 {
        std::mem::take(&mut self.typed_walk).saturating_mul(1000) / limits::WALKED_IN_A_MS
    }

    /// Takes in what happened, and says what is to be done.
    pub fn handle(&mut self, input: Input, now: Now, effects: &mut Vec<Effect>) {
        self.now = now;
        let before = effects.len();
        self.take(input, effects);
        self.name_keys(effects.get_mut(before..).unwrap_or_default());
    }

    fn take(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Connected { connection, peer, is_dialler, exported } => {
                self.connected(connection, peer, is_dialler, exported, effects);
            }
            Input::Received { connection, frame } => self.received(connection, frame, effects),
            Input::Disconnected { connection, reason } => self.disconnected(connection, &reason),
            Input::DialFailed { peer, reason } => self.dial_failed(peer, &reason, effects),
            Input::Stored => self.stored(effects),
            Input::StoreFailed { reason } => self.store_failed(&reason, effects),
            Input::Rows { read, rows } => self.rows(read, rows, effects),
            Input::Saved { document, saved } => self.saved(document, saved),
            Input::PictureOpened { read, opened } => self.picture_opened(read, opened, effects),
            Input::Salvaged { document, result } => self.salvaged(document, result, effects),
            Input::Command { token, command } => self.command(token, command, effects),
            Input::Wake => self.wake(effects),
            Input::TickEnd => self.end_tick(effects),
        }
    }

    /// When [`Input::Wake`] is wanted at the latest, by the steady clock.
    pub fn deadline_ms(&self) -> Option<u64> {
        let syncs = self.syncs.iter().map(|sync| sync.deadline_ms);
        let peers = self.peers.values().filter_map(Peer::deadline_ms);
        let others = [
            self.contacts.deadline_ms(),
            self.joins.deadline_ms(),
            self.invites.deadline_ms(),
            self.commits.deadline_ms(),
            self.show_at_ms(),
            self.look_again_ms(),
            (!self.to_remove.is_empty()).then_some(0),
            self.repairs.deadline_ms(),
        ];
        syncs.chain(peers).chain(others.into_iter().flatten()).min()
    }

    fn command(&mut self, token: Token, command: Command, effects: &mut Vec<Effect>) {
        match command {
            Command::Create { genesis, read_key } => self.create(token, genesis, read_key, effects),
            Command::Invite { document, secret, role, not_after_ms } => {
                self.invite(token, document, (secret, role, not_after_ms), effects);
            }
            Command::Join(ticket) => self.join(token, ticket, effects),
            Command::Import(exported) => self.import(token, exported, effects),
            Command::Open(document) => self.open(token, document, effects),
            Command::Name(document, name) => self.name(token, document, &name, effects),
            Command::Forget(document) => self.forget(token, document, effects),
            Command::Flush => self.flush(token, effects),
            Command::Rest => self.rest(token),
            Command::Synced { document, within_ms } => {
                let deadline_ms = self.now.steady_ms.saturating_add(within_ms);
                self.syncs.push(Sync { token, document, deadline_ms });
                self.check_syncs(effects);
            }
            Command::Redial => {
                self.contacts.redial_now(self.now);
                self.dial_due(effects);
                effects.push(answer(token, Ok(Reply::Done)));
            }
        }
    }

    /// Calls a document by a name.
    fn name(&mut self, token: Token, document: DocumentId, name: &str, effects: &mut Vec<Effect>) {
        if !self.catalog.holds(&document) {
            return effects.push(answer(token, Err(ReplyError::NotFound)));
        }
        let Some(writes) = self.catalog.rename(document, name) else {
            return effects.push(answer(token, Err(ReplyError::NameTaken)));
        };
        writes.into_iter().for_each(|write| self.commits.write(write));
        self.commits.answer_when_stored(token, Reply::Done);
    }

    fn wake(&mut self, effects: &mut Vec<Effect>) {
        self.dial_due(effects);
        self.give_up_joins(effects);
        self.give_up_redeeming(effects);
        self.retry_store(effects);
        self.take_pictures();
        self.close_silent_peers(effects);
        self.ask_again(effects);
        self.ask_refusers(effects);
        self.check_syncs(effects);
        self.check_repairs(effects);
    }

    fn end_tick(&mut self, effects: &mut Vec<Effect>) {
        for log in std::mem::take(&mut self.to_remove) {
            self.go_on_removing(Removal::begun(log), effects);
        }
        self.admit_inbox(effects);
        self.survey_spaces(effects);
        self.show_due(effects);
        self.close_unused();
        self.commit(effects);
        self.pump_all(effects);
        self.check_syncs(effects);
        self.check_resting(effects);
        self.check_repairs(effects);
    }

    /// Answers those who waited for a document to be equal with a peer's.
    fn check_syncs(&mut self, effects: &mut Vec<Effect>) {
        for sync in std::mem::take(&mut self.syncs) {
            if self.is_equal_with_any(&sync.document) {
                self.show_all(sync.document, effects);
                effects.push(answer(sync.token, Ok(Reply::Done)));
            } else if self.now.steady_ms >= sync.deadline_ms {
                let last = self.last_error(&sync.document);
                effects.push(answer(sync.token, Err(ReplyError::NoPeer { last })));
            } else {
                self.syncs.push(sync);
            }
        }
    }
}

fn answer(token: Token, reply: Result<Reply, ReplyError>) -> Effect {
    Effect::Reply { token, reply }
}
