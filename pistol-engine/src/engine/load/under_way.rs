//! A document that is being opened: its rows are read and checked as if a peer had sent them, while its picture is loaded
//! on another thread. A picture that is not of these rows, or cannot be loaded, costs time only: then the changes are
//! projected.

use std::collections::BTreeSet;
use std::sync::Arc;

use pistol_acl::record::SignedOp;
use pistol_core::document::{Document, Opened};
use pistol_core::envelope::VerifiedChange;
use pistol_core::genesis::Genesis;
use pistol_core::id::ChangeId;
use pistol_core::key::{AuthorId, Verifier};
use pistol_core::stamp::StampKey;
use pistol_core::store::schema::{self, Damage, EndRecord, LogNumber, Snapshot};
use pistol_core::store::{Row, Table};
use pistol_core::validate::{Check, History, Ordinal};

use super::others::Others;
use super::verified;
use crate::catalog::Catalog;
use crate::replica::{Members, Rows, StoredRow, grow};

#[derive(Debug)]
pub(super) struct Load {
    pub(super) document: Document,
    /// Of a document with members: what is accepted is known, and shown, when all was read.
    pub(super) members: Option<Members>,
    others: Others,
    pub(super) rows: Rows,
    pub(super) tail: Vec<VerifiedChange>,
    /// Authors whose sessions forked.
    pub(super) forks: BTreeSet<AuthorId>,
    /// The number after the last change that was shown by a picture; 1 if none was.
    pub(super) pictured: Ordinal,
    /// Whether the picture, which is right, shows what counts no more, or not all that counts of its time.
    pub(super) is_picture_out_of_date: bool,
    /// Rows that were set aside, and what is known to be missing.
    pub(super) aside: Vec<Row>,
    pub(super) damage: Option<Damage>,
    picture: Option<Pictured>,
    /// Changes after those of the picture: they are taken in when it is shown.
    after: Vec<VerifiedChange>,
    stage: Stage,
}

/// A picture that is to be shown.
#[derive(Debug)]
struct Pictured {
    /// The number after the last change that it speaks of, and the heads among those.
    end: Ordinal,
    heads: Vec<ChangeId>,
    /// When it is loaded.
    opened: Option<Opened>,
}

/// Keys, from inclusive to exclusive.
pub(super) type KeyRange = (Vec<u8>, Vec<u8>);

/// What a document that is being opened needs next.
#[derive(Debug)]
pub(super) enum Next {
    /// Rows.
    Rows,
    /// Rows, and that what its picture saved is loaded meanwhile.
    RowsAndPicture(Vec<u8>),
    /// Its picture, which is being loaded.
    Picture,
    /// Nothing: all was read.
    Nothing,
}

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Snapshot,
    /// The document's log: it comes before the changes that cite it.
    Operations,
    /// The logs that it depends on.
    Others,
    Rows(Table),
    /// How far the log goes, then what was set aside.
    Ends,
    /// Nothing more.
    Read,
    /// The rows were wrong, and are being put in order.
    Salvage,
}

impl Load {
    /// Begins with the snapshot; `None` if the genesis makes no document.
    pub(super) fn new(genesis: Arc<Genesis>) -> Option<Self> {
        Some(Load {
            members: Members::of(&genesis),
            others: Others::default(),
            document: Document::new(genesis).ok()?,
            rows: Rows::default(),
            tail: Vec::new(),
            forks: BTreeSet::new(),
            pictured: 1,
            is_picture_out_of_date: false,
            aside: Vec::new(),
            damage: None,
            picture: None,
            after: Vec::new(),
            stage: Stage::Snapshot,
        })
    }

    /// The rows are to be put in order.
    pub(super) fn salvage(&mut self) {
        self.stage = Stage::Salvage;
    }

    /// What was wanted cannot be read. Whether it is gone on without: nothing else stands on the snapshot, and what stands on
    /// another log is found to be missing.
    pub(super) fn pass_unreadable(&mut self, catalog: &Catalog) -> bool {
        match self.stage {
            Stage::Snapshot => self.stage = self.after_snapshot(),
            Stage::Others => return self.next_other(catalog).is_ok(),
            _ => return false,
        }
        true
    }

    fn after_snapshot(&self) -> Stage {
        if self.members.is_some() { Stage::Operations } else { Stage::Rows(Table::Envelopes) }
    }

    /// Everything that was stored, shown or not.
    fn history(&self) -> &History {
        self.members.as_ref().map_or(self.document.history(), |members| members.ready().history())
    }

    /// Which rows are wanted next.
    pub(super) fn wants(&self, log: LogNumber) -> Option<(Table, KeyRange)> {
        let from = |table, first| Some((table, schema::envelopes_from(log, first)));
        match self.stage {
            Stage::Snapshot => Some((Table::Snapshots, log.range())),
            Stage::Operations => {
                let waiting = self.others.waiting();
                let number = self.members.as_ref().map_or(0, |members| members.read_until(waiting));
                Some((Table::Operations, schema::operations_from(log, number)))
            }
            Stage::Others => self.others.wants(),
            Stage::Rows(Table::Envelopes) if self.rows.end() == 1 => from(Table::Envelopes, 0),
            Stage::Rows(table) => from(table, self.rows.end()),
            Stage::Ends => match self.aside.last() {
                Some((last, _)) => Some((Table::Ends, ([last.as_slice(), &[0]].concat(), schema::ends_range(log).1))),
                None => Some((Table::Ends, schema::ends_range(log))),
            },
            Stage::Read | Stage::Salvage => None,
        }
    }

    /// Takes in what was wanted.
    pub(super) fn take(
        &mut self,
        rows: &[Row],
        key: &StampKey,
        verifier: &mut Verifier,
        catalog: &Catalog,
    ) -> Result<Next, String> {
        match self.stage {
            Stage::Snapshot => {
                self.stage = self.after_snapshot();
                if let Some(save) = self.take_snapshot(rows, key) {
                    return Ok(Next::RowsAndPicture(save));
                }
            }
            Stage::Operations if rows.is_empty() => self.next_other(catalog)?,
            Stage::Operations => self.take_operations(rows, verifier)?,
            Stage::Others => {
                if self.members.as_mut().is_none_or(|members| self.others.take(members, rows, verifier)) {
                    self.next_other(catalog)?;
                }
            }
            Stage::Rows(Table::Tail) if rows.is_empty() => self.stage = Stage::Ends,
            Stage::Rows(_) if rows.is_empty() => self.stage = Stage::Rows(Table::Tail),
            Stage::Rows(table) => self.take_rows(rows, table, verifier)?,
            Stage::Ends if rows.is_empty() && !self.aside.is_empty() => return self.all_read(),
            Stage::Ends => {
                if self.take_ends(rows)? {
                    return self.all_read();
                }
            }
            Stage::Read | Stage::Salvage => {}
        }
        Ok(Next::Rows)
    }

    /// Returns what is to be loaded, if this node wrote it.
    fn take_snapshot(&mut self, rows: &[Row], key: &StampKey) -> Option<Vec<u8>> {
        let (_, value) = rows.first()?;
        let document = self.document.history().genesis().id();
        let Snapshot { end, heads, save } = Snapshot::from_value(value, &document, key)?;
        self.picture = Some(Pictured { end, heads, opened: None });
        Some(save)
    }

    /// Returns whether that was all: of a log that misses nothing, nothing was set aside.
    fn take_ends(&mut self, rows: &[Row]) -> Result<bool, String> {
        let is_begun = !self.aside.is_empty();
        let rows = if is_begun { rows } else { self.take_end(rows)? };
        self.aside.extend_from_slice(rows);
        Ok(self.aside.is_empty())
    }

    fn take_end<'a>(&mut self, rows: &'a [Row]) -> Result<&'a [Row], String> {
        let ((key, value), rest) = rows.split_first().ok_or("how far it goes is not known")?;
        let is_end = LogNumber::from_key(key).is_ok();
        let end = EndRecord::from_value(value).map_err(|error| error.to_string())?;
        if !is_end || end.end != self.rows.end() {
            return Err("its last changes are missing".to_owned());
        }
        if self.members.as_ref().is_some_and(|members| members.durable() < end.operations) {
            return Err("the last operations of its log are missing".to_owned());
        }
        self.damage = end.damage;
        Ok(rest)
    }

    fn all_read(&mut self) -> Result<Next, String> {
        self.stage = Stage::Read;
        self.show_picture()?;
        let is_awaited = |picture: &Pictured| picture.end <= self.history().next() && picture.opened.is_none();
        if self.picture.as_ref().is_some_and(is_awaited) {
            return Ok(Next::Picture);
        }
        // A picture of more than there is shows something else. That of a document with members is shown in the end.
        if self.members.is_none() {
            self.go_on_without_picture()?;
        }
        Ok(Next::Nothing)
    }

    /// Takes in what was loaded of the picture. Says what is needed next; rows are being read already.
    pub(super) fn take_picture(&mut self, opened: Option<Opened>) -> Result<Next, String> {
        match (&mut self.picture, opened) {
            (Some(picture), Some(opened)) => {
                picture.opened = Some(opened);
                self.show_picture()?;
            }
            _ => self.go_on_without_picture()?,
        }
        Ok(if self.stage == Stage::Read { Next::Nothing } else { Next::Rows })
    }

    /// Shows the picture, if it is loaded and just the changes that it speaks of are taken in.
    fn show_picture(&mut self) -> Result<(), String> {
        if self.members.is_some() {
            return Ok(());
        }
        let next = self.document.history().next();
        let Some(picture) = self.picture.take_if(|picture| picture.opened.is_some() && picture.end == next) else {
            return Ok(());
        };
        if picture.opened.is_some_and(|opened| self.document.show_picture(&picture.heads, opened)) {
            self.pictured = next;
        }
        self.go_on_without_picture()
    }

    /// Of a document with members, shows what is accepted by all that was read. A picture is used if it shows just what is
    /// accepted of the changes that were known when it was taken: heads are hashes over all before them.
    pub(super) fn show_members(&mut self) -> Result<(), String> {
        let Some(members) = &mut self.members else { return Ok(()) };
        let accepted = members.settle();
        let picture = self.picture.take();
        let end = picture.as_ref().map_or(1, |picture| picture.end);
        let is_pictured = |id: &&ChangeId| members.ready().history().ordinal(id).is_some_and(|ordinal| ordinal < end);
        let (before, after): (Vec<_>, Vec<_>) = accepted.iter().partition(is_pictured);
        let shows = |document: &mut Document, ids: Vec<&ChangeId>| {
            let mut ids = ids.into_iter();
            ids.try_for_each(|id| grow(members, document, id).map(drop)).map_err(|rule| rule.to_string())
        };
        shows(&mut self.document, before)?;
        let opened = picture.and_then(|picture| Some((picture.opened?, picture.heads)));
        if let Some((opened, heads)) = opened {
            if self.document.show_picture(&heads, opened) {
                self.pictured = end;
            } else {
                self.is_picture_out_of_date = true;
            }
        }
        shows(&mut self.document, after)
    }

    fn take_operations(&mut self, rows: &[Row], verifier: &mut Verifier) -> Result<(), String> {
        let Some(members) = &mut self.members else { return Ok(()) };
        for (key, value) in rows {
            let (_, number) = schema::operation_position(key).map_err(|error| error.to_string())?;
            let signed = SignedOp::verify(value, verifier).map_err(|error| error.to_string())?;
            if number >= schema::OPERATIONS_ASIDE {
                members.set_aside(number, signed);
            } else if number == members.durable().saturating_add(self.others.waiting()) {
                self.others.take_own(members, signed)?;
            } else {
                return Err(format!("operations before number {number} are missing"));
            }
        }
        Ok(())
    }

    /// Goes on with another log that the document depends on, or with its changes.
    fn next_other(&mut self, catalog: &Catalog) -> Result<(), String> {
        let Some(members) = &mut self.members else { return Ok(()) };
        let is_any = self.others.begin_next(members, catalog)?;
        self.stage = if is_any { Stage::Others } else { Stage::Rows(Table::Envelopes) };
        Ok(())
    }

    /// Takes in what waits for the picture.
    fn go_on_without_picture(&mut self) -> Result<(), String> {
        self.picture = None;
        std::mem::take(&mut self.after).iter().try_for_each(|change| self.accept(change))
    }

    fn take_rows(&mut self, rows: &[Row], table: Table, verifier: &mut Verifier) -> Result<(), String> {
        let document = self.document.history().genesis().id();
        for (key, value) in rows {
            let (_, first) = schema::envelope_position(key).map_err(|error| error.to_string())?;
            if first != self.rows.end() {
                return Err(format!("changes before number {first} are missing"));
            }
            let changes = verified(document, value, verifier)?;
            changes.iter().try_for_each(|change| self.take_change(change))?;
            let count = u32::try_from(changes.len()).map_err(|error| error.to_string())?;
            self.rows.set(first, Some(StoredRow { count, table, digest: schema::row_digest(value) }));
            if table == Table::Tail {
                self.tail.extend_from_slice(&changes);
            }
        }
        Ok(())
    }

    /// Takes in a change, or lets it wait for the picture of those before it.
    fn take_change(&mut self, change: &VerifiedChange) -> Result<(), String> {
        self.show_picture()?;
        let next = self.history().next();
        if self.members.is_none() && self.picture.as_ref().is_some_and(|picture| picture.end <= next) {
            self.after.push(change.clone());
            return Ok(());
        }
        self.accept(change)
    }

    fn accept(&mut self, change: &VerifiedChange) -> Result<(), String> {
        let ordinal = self.history().next();
        let Check::Valid(valid) = self.history().check(change) else {
            return Err(format!("change number {ordinal} is not what was stored"));
        };
        let accepted = if let Some(members) = &mut self.members {
            members.accept(*valid).map_err(|rule| rule.to_string())?
        } else {
            let admitted = pistol_acl::judge(self.document.history(), *valid).map_err(|e| e.to_string())?;
            self.document.accept(admitted.into_valid()).map_err(|error| error.to_string())?
        };
        self.forks.extend(accepted.is_fork.then(|| change.change().author));
        Ok(())
    }
}
