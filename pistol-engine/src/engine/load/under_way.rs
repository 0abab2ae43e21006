//! A document that is being opened.

use std::collections::BTreeSet;
use std::sync::Arc;

use pistol_core::document::{Document, Opened};
use pistol_core::envelope::VerifiedChange;
use pistol_core::genesis::Genesis;
use pistol_core::key::{AuthorId, Verifier};
use pistol_core::stamp::StampKey;
use pistol_core::store::schema::{self, Damage, EndRecord, LogNumber, Snapshot};
use pistol_core::store::{Row, Table};
use pistol_core::validate::{Check, Ordinal};

use super::restore::{Restore, Restored, Unusable};
use super::verified;
use crate::replica::{Rows, StoredRow};

#[derive(Debug)]
pub(super) struct Load {
    pub(super) document: Document,
    pub(super) rows: Rows,
    pub(super) tail: Vec<VerifiedChange>,
    /// Authors whose sessions forked.
    pub(super) forks: BTreeSet<AuthorId>,
    /// What the document stands on; its picture is in the document.
    pub(super) snapshot: Option<Snapshot>,
    /// Rows that were set aside, and what is known to be missing.
    pub(super) aside: Vec<Row>,
    pub(super) damage: Option<Damage>,
    stage: Stage,
}

/// Keys, from inclusive to exclusive.
type KeyRange = (Vec<u8>, Vec<u8>);

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
#[derive(Debug)]
enum Stage {
    Snapshot,
    Index(Box<Restore>),
    /// The last row that the snapshot tells of, and those after it.
    LastRow,
    Rows(Table),
    /// How far the log goes, then what was set aside.
    Ends,
    /// The rows were wrong, and are being put in order.
    Salvage,
}

impl Load {
    /// Begins with the snapshot; `None` if the genesis makes no document.
    pub(super) fn new(genesis: Arc<Genesis>) -> Option<Self> {
        let document = Document::new(genesis).ok()?;
        let (rows, tail, forks) = (Rows::default(), Vec::new(), BTreeSet::new());
        let (snapshot, aside, damage, stage) = (None, Vec::new(), None, Stage::Snapshot);
        Some(Load { document, rows, tail, forks, snapshot, aside, damage, stage })
    }

    /// Begins with the rows.
    pub(super) fn from_rows_alone(genesis: Arc<Genesis>) -> Option<Self> {
        Some(Load { stage: Stage::Rows(Table::Envelopes), ..Load::new(genesis)? })
    }

    /// Whether what was read so far is, or stands on, a snapshot.
    pub(super) fn is_from_snapshot(&self) -> bool {
        self.snapshot.is_some() || matches!(self.stage, Stage::Snapshot | Stage::Index(_))
    }

    /// The rows are to be put in order.
    pub(super) fn salvage(&mut self) {
        self.stage = Stage::Salvage;
    }

    /// Which rows are wanted next.
    pub(super) fn wants(&self, log: LogNumber) -> Option<(Table, KeyRange)> {
        let from = |table, first| Some((table, schema::envelopes_from(log, first)));
        match &self.stage {
            Stage::Snapshot => Some((Table::Snapshots, log.range())),
            Stage::Index(restore) => from(Table::Index, restore.wants().unwrap_or(0)),
            Stage::LastRow => from(Table::Envelopes, self.rows.last().map_or(0, |(first, _)| first)),
            Stage::Rows(Table::Envelopes) if self.rows.end() == 1 => from(Table::Envelopes, 0),
            Stage::Rows(table) => from(*table, self.rows.end()),
            Stage::Ends => match self.aside.last() {
                Some((last, _)) => Some((Table::Ends, ([last.as_slice(), &[0]].concat(), schema::ends_range(log).1))),
                None => Some((Table::Ends, schema::ends_range(log))),
            },
            Stage::Salvage => None,
        }
    }

    /// Takes in what was wanted.
    pub(super) fn take(&mut self, rows: &[Row], key: &StampKey, verifier: &mut Verifier) -> Result<Next, String> {
        let genesis = Arc::clone(self.document.history().genesis());
        match &mut self.stage {
            Stage::Snapshot if rows.is_empty() => self.stage = Stage::Rows(Table::Envelopes),
            Stage::Snapshot => {
                let (restore, save) = Restore::begin(rows, &genesis, key).map_err(unusable)?;
                self.stage = Stage::Index(Box::new(restore));
                return Ok(Next::RowsAndPicture(save));
            }
            Stage::Index(restore) => {
                restore.take(rows, &genesis, key).map_err(unusable)?;
                return self.restore();
            }
            Stage::LastRow => {
                let rows = self.check_last(rows, verifier)?;
                self.stage = Stage::Rows(Table::Envelopes);
                self.take_rows(rows, Table::Envelopes, verifier)?;
            }
            Stage::Rows(Table::Tail) if rows.is_empty() => {
                self.check_all_read()?;
                self.stage = Stage::Ends;
            }
            Stage::Rows(_) if rows.is_empty() => self.stage = Stage::Rows(Table::Tail),
            Stage::Rows(table) => {
                let table = *table;
                self.take_rows(rows, table, verifier)?;
            }
            Stage::Ends if rows.is_empty() && !self.aside.is_empty() => return Ok(Next::Nothing),
            Stage::Ends => return Ok(if self.take_ends(rows)? { Next::Nothing } else { Next::Rows }),
            Stage::Salvage => {}
        }
        Ok(Next::Rows)
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
        if !is_end || end.end != self.document.history().next() {
            return Err("its last changes are missing".to_owned());
        }
        self.damage = end.damage;
        Ok(rest)
    }

    /// Takes in what was loaded of the picture. Whether rows are wanted now; if not, they are being read already.
    pub(super) fn take_picture(&mut self, opened: Option<Opened>) -> Result<bool, String> {
        let Stage::Index(restore) = &mut self.stage else { return Ok(false) };
        restore.picture(opened.ok_or("the picture could not be loaded")?);
        let is_reading = restore.wants().is_some();
        self.restore()?;
        Ok(!is_reading)
    }

    /// Puts what the snapshot gave in the place of the bare document, if all of it is there. Says what is needed next.
    fn restore(&mut self) -> Result<Next, String> {
        let Stage::Index(restore) = &mut self.stage else { return Ok(Next::Rows) };
        if !restore.is_whole() {
            return Ok(if restore.wants().is_some() { Next::Rows } else { Next::Picture });
        }
        let Stage::Index(restore) = std::mem::replace(&mut self.stage, Stage::Rows(Table::Envelopes)) else {
            return Ok(Next::Rows);
        };
        let Restored { document, rows, forks, snapshot } = restore.finish().map_err(unusable)?;
        if !snapshot.rows.is_empty() {
            self.stage = Stage::LastRow;
        }
        (self.document, self.rows, self.forks, self.snapshot) = (document, rows, forks, Some(snapshot));
        Ok(Next::Rows)
    }

    /// The last row that the snapshot tells of must be the one in the store. One that is damaged or lost is no reason to give
    /// up the snapshot, which then is all that is left of it. Gives the rows after it.
    fn check_last<'a>(&self, rows: &'a [Row], verifier: &mut Verifier) -> Result<&'a [Row], String> {
        let Some((known, row)) = self.rows.last() else { return Ok(rows) };
        let Some(((key, value), after)) = rows.split_first() else { return Ok(rows) };
        let (_, first) = schema::envelope_position(key).map_err(|error| error.to_string())?;
        if first != known {
            return Ok(rows);
        }
        let document = self.document.history().genesis().id();
        if row.digest != schema::row_digest(value) && verified(document, value, verifier).is_ok() {
            return Err("the snapshot is not of these rows".to_owned());
        }
        Ok(after)
    }

    /// The last row that the snapshot tells of cannot be read: those after it are. `false` if it is not that one.
    pub(super) fn pass_last(&mut self) -> bool {
        let is_last = matches!(self.stage, Stage::LastRow);
        if is_last {
            self.stage = Stage::Rows(Table::Envelopes);
        }
        is_last
    }

    fn take_rows(&mut self, rows: &[Row], table: Table, verifier: &mut Verifier) -> Result<(), String> {
        let document = self.document.history().genesis().id();
        for (key, value) in rows {
            let (_, first) = schema::envelope_position(key).map_err(|error| error.to_string())?;
            let changes = verified(document, value, verifier)?;
            self.accept(first, &changes)?;
            let count = u32::try_from(changes.len()).map_err(|error| error.to_string())?;
            self.rows.set(first, Some(StoredRow { count, table, digest: schema::row_digest(value) }));
            if table == Table::Tail {
                self.tail.extend_from_slice(&changes);
            }
        }
        Ok(())
    }

    /// Takes in the changes of one row. Those that the snapshot speaks of must be the ones in it.
    fn accept(&mut self, first: Ordinal, changes: &[VerifiedChange]) -> Result<(), String> {
        if first != self.rows.end() {
            return Err(format!("changes before number {first} are missing"));
        }
        for (ordinal, change) in (first..).zip(changes) {
            match self.document.history().id(ordinal) {
                Some(known) if known == change.id() => {}
                Some(_) => return Err(format!("change number {ordinal} is not the one that the snapshot speaks of")),
                None => self.accept_new(ordinal, change)?,
            }
        }
        Ok(())
    }

    fn accept_new(&mut self, ordinal: Ordinal, change: &VerifiedChange) -> Result<(), String> {
        let Check::Valid(valid) = self.document.check(change) else {
            return Err(format!("change number {ordinal} is not what was stored"));
        };
        let admitted = pistol_acl::judge(self.document.history(), *valid).map_err(|e| e.to_string())?;
        let accepted = self.document.accept(admitted.into_valid()).map_err(|error| error.to_string())?;
        self.forks.extend(accepted.is_fork.then(|| change.change().author));
        Ok(())
    }

    /// All changes of the snapshot must have been in rows.
    fn check_all_read(&self) -> Result<(), String> {
        let is_all = self.rows.end() == self.document.history().next();
        if is_all { Ok(()) } else { Err("the last rows that the snapshot speaks of are gone".to_owned()) }
    }
}

fn unusable(_: Unusable) -> String {
    "the snapshot is of no use".to_owned()
}
