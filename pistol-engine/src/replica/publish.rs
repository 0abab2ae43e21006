//! The way of this node's own edits, and of everything accepted, to the disk: one signature for each chain and
//! commit, or for what fits an envelope.

use std::sync::Arc;

use pistol_core::chain::ChainId;
use pistol_core::delta::Delta;
use pistol_core::document::{Edit, EditAs, EditError, Judge, Made, UNJUDGED};
use pistol_core::envelope::{Linked, Verified, VerifiedChange};
use pistol_core::id::{AuthorityId, DocumentId, Session};
use pistol_core::store::schema::{self, EndRecord, SessionRecord};
use pistol_core::store::{Table, Write};
use pistol_core::validate::{Accepted, Ordinal, Rule};

use super::cut::{Row, is_full, rows, stretches};
use super::rows::{Rows, StoredRow};
use super::snapshot::Saving;
use super::{Replica, Unstored};
use crate::documents::Edited;
use crate::input::{ConnectionId, Now};
use crate::limits;

/// What goes to the disk in one commit, and to the peers after it.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) document: DocumentId,
    pub(crate) writes: Vec<Write>,
    /// The changes with the connections they came from, and the ordinal of the first.
    pub(crate) changes: Vec<(VerifiedChange, Option<ConnectionId>)>,
    pub(crate) first: Ordinal,
    /// The rows, first ordinal, count and bytes, if they hold just these changes.
    as_stored: Vec<(Ordinal, u32, Arc<Vec<u8>>)>,
    /// The rows that are there, or no more, once this is durable.
    rows: Vec<(Ordinal, Option<StoredRow>)>,
    /// A picture to be saved.
    pub(crate) saving: Option<Saving>,
    /// How many operations of the document's log are durable then.
    operations: u32,
}

impl Sealed {
    /// Notes which rows there are once this is durable.
    pub(super) fn apply_rows(&self, rows: &mut Rows) {
        self.rows.iter().for_each(|(first, row)| rows.set(*first, *row));
    }
}

impl Sealed {
    /// The changes as they travel: first ordinal, count, bytes. The rows themselves, unless older changes are in them too.
    pub(crate) fn envelopes(&self) -> Vec<(Ordinal, u32, Arc<Vec<u8>>)> {
        if !self.as_stored.is_empty() {
            return self.as_stored.clone();
        }
        let changes: Vec<VerifiedChange> = self.changes.iter().map(|(change, _)| change.clone()).collect();
        let mut first = self.first;
        let envelope = |row: &[VerifiedChange]| {
            let bytes = Arc::new(Verified::seal(self.document, row).to_bytes());
            let (at, count) = (first, count_of(row));
            first += count;
            (at, count, bytes)
        };
        rows(&changes, None).map(envelope).collect()
    }
}

/// The time that a change tells.
fn told(now: Now) -> u64 {
    now.wall_ms - now.wall_ms % limits::TIME_GRAIN_MS
}

fn count_of(row: &[VerifiedChange]) -> u32 {
    u32::try_from(row.len()).unwrap_or(u32::MAX)
}

impl Replica {
    pub(crate) fn edit<T>(
        &mut self,
        now: Now,
        message: Option<&str>,
        closure: impl FnOnce(&mut Edit) -> T,
    ) -> Result<Edited<T>, EditError> {
        self.catch_up(now.steady_ms);
        let (chain, authority) = self.writing_chain()?;
        let by = EditAs { chain, time_ms: told(now), message, authority: &authority, judge: self.judge() };
        let made = self.document.edit(&by, closure)?;
        Ok(self.keep(made, now))
    }

    /// Whether an edit would be made. It is made and taken back.
    pub(crate) fn rehearse<T>(&mut self, now: Now, closure: impl FnOnce(&mut Edit) -> T) -> Result<T, EditError> {
        self.catch_up(now.steady_ms);
        let (chain, authority) = self.writing_chain()?;
        let by = EditAs { chain, time_ms: told(now), message: None, authority: &authority, judge: self.judge() };
        self.document.rehearse(&by, closure)
    }

    pub(crate) fn edit_text(&mut self, now: Now, object: &str, delta: &Delta) -> Result<Edited<()>, EditError> {
        self.catch_up(now.steady_ms);
        let (chain, authority) = self.writing_chain()?;
        let by = EditAs { chain, time_ms: told(now), message: None, authority: &authority, judge: self.judge() };
        let splices: Vec<_> = delta.splices().collect();
        let splices = splices.iter().map(|splice| (splice.at, splice.length, splice.text.as_str()));
        let made = self.document.edit_followed(&by, object, splices)?;
        Ok(self.keep(made, now))
    }

    fn keep<T>(&mut self, made: Made<T>, now: Now) -> Edited<T> {
        self.edited_ms = now.steady_ms;
        let is_changed = !made.changes.is_empty();
        self.keep_own(made.changes);
        self.screens.apply(&made.patches);
        self.follow_access_in_turn(now.steady_ms);
        Edited { result: made.result, is_changed, author: self.key.id() }
    }

    /// What an edit's content is judged by; where there are members, whoever may write may write everything.
    fn judge(&self) -> Judge {
        if self.members.is_some() { UNJUDGED } else { pistol_acl::allow }
    }

    fn keep_own(&mut self, changes: Vec<Accepted>) {
        for accepted in changes {
            if let Some(Err(rule)) = self.members.as_mut().map(|members| members.enter_own(&accepted.change)) {
                // What was accepted there keeps the rules here; if it did not, it must not be stored where it has no number.
                self.state.refuse(&format!("a change that was made here is refused here: {rule}"));
                continue;
            }
            self.unstored_bytes += accepted.change.bytes();
            self.unstored.push(Unstored::Own(accepted.change));
        }
    }

    /// Keeps what was made before an edit that failed. It must be done before anything else is accepted or stored: rows hold
    /// changes in the order of their acceptance.
    pub(super) fn keep_made_in_vain(&mut self) {
        let changes = self.document.made_in_vain();
        self.keep_own(changes);
    }

    /// The chain that the next edit continues, and what it cites, if it may be made at all.
    fn writing_chain(&mut self) -> Result<(ChainId, Vec<AuthorityId>), EditError> {
        let author = self.key.id();
        let authority = self.path_to_write()?;
        if self.members.is_none() && !pistol_acl::may_edit(self.document.history().genesis(), &author) {
            return Err(EditError::Refused(Rule::Policy));
        }
        if self.unstored_bytes > limits::UNSTORED_BYTES_MAX {
            return Err(EditError::Busy);
        }
        let session = if let Some(session) = self.session.filter(|session| self.may_continue(*session)) {
            session
        } else {
            self.is_session_stored = false;
            Session(self.entropy.number())
        };
        self.session = Some(session);
        Ok((ChainId { author, session }, authority))
    }

    /// Whether a session has not forked, is all shown, and has room for one more change.
    fn may_continue(&self, session: Session) -> bool {
        let history = self.history();
        let limits = &history.genesis().terms().limits;
        let chain = ChainId { author: self.key.id(), session };
        match history.branches_of(&chain) {
            [] => true,
            [branch] => {
                let last = history.branch(*branch).and_then(|branch| branch.changes().last().copied());
                let is_shown = |last| history.id(last).is_some_and(|id| self.document.history().ordinal(&id).is_some());
                if self.members.is_some() && !last.is_some_and(is_shown) {
                    return false;
                }
                let (first, ops) = last.and_then(|last| history.numbers(last)).unwrap_or((0, 0));
                let bytes = last.and_then(|last| history.chain_bytes(last)).unwrap_or(0);
                let reserve = limits::SESSION_RESERVE.min(limits.ops_per_change);
                (first + ops).saturating_add(reserve) <= limits.ops_per_chain
                    && bytes.saturating_add(u64::from(limits.change_bytes)) <= limits.bytes_per_chain
            }
            _ => false,
        }
    }

    /// Signs and encodes everything that the disk has not got; `None` if there is nothing.
    pub(crate) fn seal(&mut self, now: Now) -> Option<Sealed> {
        self.keep_made_in_vain();
        let unstored = std::mem::take(&mut self.unstored);
        self.unstored_bytes = 0;
        let takes_picture = self.snapshot_at_ms().is_some_and(|at| at <= now.steady_ms);
        let is_nothing = unstored.is_empty() && !self.has_unstored_operations();
        if is_nothing && !takes_picture && !self.has_filled_holes() {
            return None;
        }
        let count = u32::try_from(unstored.len()).ok()?;
        let first = self.history().next().checked_sub(count)?;
        let document = self.id();
        let changes = self.sign(document, unstored);
        let (writes, as_stored, rows) = (Vec::new(), Vec::new(), Vec::new());
        let mut sealed = Sealed { document, writes, changes, first, as_stored, rows, saving: None, operations: 0 };
        self.write_operations(&mut sealed);
        self.write_filled_holes(&mut sealed);
        self.write_rows(&mut sealed);
        self.received.clear();
        self.write_end(&mut sealed);
        self.write_session(&mut sealed);
        sealed.saving = self.picture_if_due(now);
        Some(sealed)
    }

    /// What was sealed is durable.
    pub(crate) fn settle(&mut self, sealed: &Sealed) {
        sealed.apply_rows(&mut self.rows);
        if let Some(members) = &mut self.members {
            members.became_durable(sealed.operations);
        }
    }

    /// Operations are durable no later than what cites them.
    fn write_operations(&mut self, sealed: &mut Sealed) {
        if let Some(members) = &mut self.members {
            sealed.operations = members.write(self.log, &mut sealed.writes);
        }
    }

    /// Signs this node's own changes, leaving all in their order.
    #[expect(clippy::expect_used, reason = "a change that is left out would leave a hole in the log: better to stop")]
    fn sign(&self, document: DocumentId, unstored: Vec<Unstored>) -> Vec<(VerifiedChange, Option<ConnectionId>)> {
        let own = |change: &Unstored| match change {
            Unstored::Own(linked) => Some(linked.clone()),
            Unstored::Foreign(..) => None,
        };
        let own: Vec<Linked> = unstored.iter().filter_map(own).collect();
        let sessions = own.chunk_by(|one, next| one.change().session == next.change().session);
        let sign =
            |run| Verified::sign(&self.key, document, run).expect("own changes follow each other in their session");
        let signed = sessions.flat_map(stretches).map(sign);
        let mut signed = signed.flat_map(Verified::into_changes);
        let signed = unstored.into_iter().filter_map(|change| match change {
            Unstored::Own(_) => Some((signed.next()?, None)),
            Unstored::Foreign(change, from) => Some((change, Some(from))),
        });
        signed.collect()
    }

    /// Writes what is new after the small rows, or both in full rows and the rest in a small one.
    fn write_rows(&mut self, sealed: &mut Sealed) {
        let own = self.own_chain();
        let new: Vec<VerifiedChange> = sealed.changes.iter().map(|(change, _)| change.clone()).collect();
        let both = self.measured(&new, own);
        // What is new may be cut where all is not: a full row after small ones would be read before them.
        if both.has_room() && rows(&new, own).nth(1).is_none() {
            self.write_each(sealed, &new, sealed.first, own);
            self.tail_as_row = Some(both);
            return;
        }
        let first = self.remove_tail_rows(sealed).unwrap_or(sealed.first);
        let all: Vec<VerifiedChange> = self.tail.drain(..).chain(new).collect();
        self.write_each(sealed, &all, first, own);
        self.tail_as_row = None;
    }

    /// The tail and what is new as one row. The tail is not looked through for each keystroke.
    fn measured(&mut self, new: &[VerifiedChange], own: Option<ChainId>) -> Row {
        let known = self.tail_as_row.take().filter(|row| row.is_of(own));
        let mut row = known.unwrap_or_else(|| {
            let mut row = Row::new(own);
            self.tail.iter().take_while(|change| row.add(change)).count();
            row
        });
        new.iter().take_while(|change| row.add(change)).count();
        row
    }

    /// Writes changes row by row. All but the last are full for good, and it if it is.
    fn write_each(
        &mut self,
        sealed: &mut Sealed,
        changes: &[VerifiedChange],
        mut first: Ordinal,
        own: Option<ChainId>,
    ) {
        let is_just_new = first == sealed.first;
        let mut rest = changes.len();
        for row in rows(changes, own) {
            rest -= row.len();
            let is_full = rest > 0 || is_full(row, own);
            let again = own.map(|own| Verified::sign_again(&self.key, sealed.document, own, row));
            let row = again.as_deref().unwrap_or(row);
            let as_received = self.received.take(row);
            let bytes = as_received.unwrap_or_else(|| Verified::seal(sealed.document, row).to_bytes());
            let count = count_of(row);
            self.write_row(sealed, if is_full { Table::Envelopes } else { Table::Tail }, (first, count), &bytes);
            if !is_full {
                self.tail.extend_from_slice(row);
                self.tail_rows.push(first);
            }
            if is_just_new {
                sealed.as_stored.push((first, count, Arc::new(bytes)));
            }
            first += count;
        }
    }

    /// Removes the small rows, and says where they began.
    fn remove_tail_rows(&mut self, sealed: &mut Sealed) -> Option<Ordinal> {
        let tail_rows = std::mem::take(&mut self.tail_rows);
        for row in &tail_rows {
            sealed.rows.push((*row, None));
            sealed.writes.push(Write { table: Table::Tail, key: schema::envelope_key(self.log, *row), value: None });
        }
        tail_rows.first().copied()
    }

    fn own_chain(&self) -> Option<ChainId> {
        self.session.map(|session| ChainId { author: self.key.id(), session })
    }

    pub(super) fn write_row(&self, sealed: &mut Sealed, table: Table, (first, count): (Ordinal, u32), bytes: &[u8]) {
        let key = schema::envelope_key(self.log, first);
        sealed.writes.push(Write { table, key, value: Some(bytes.to_vec()) });
        sealed.rows.push((first, Some(StoredRow { count, table, digest: schema::row_digest(bytes) })));
    }

    /// How far the log goes: that its last rows are there is seen by nothing else.
    fn write_end(&self, sealed: &mut Sealed) {
        if !sealed.changes.is_empty() || sealed.operations > self.durable_operations() {
            let (end, damage, operations) = (self.history().next(), self.state.damage, sealed.operations);
            let end = EndRecord { end, damage, operations };
            sealed.writes.push(Write { table: Table::Ends, key: self.log.key(), value: Some(end.to_value()) });
        }
    }

    /// The session is written with its first change: before that nobody can have seen it.
    fn write_session(&mut self, sealed: &mut Sealed) {
        let Some(session) = self.session.filter(|_| !self.is_session_stored) else { return };
        self.is_session_stored = true;
        let value = SessionRecord { session: session.0, is_started: true }.to_value();
        sealed.writes.push(Write { table: Table::Sessions, key: self.log.key(), value: Some(value) });
    }
}
