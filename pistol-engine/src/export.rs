//! A document as a file: its genesis and its envelopes, as they travel. It holds no key and no name, and is checked when it
//! is read as strictly as what peers send. `docs/storage.md` gives the bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_acl::limits::{LOGS_MAX, OPERATION_BYTES_MAX};
use pistol_acl::{Need, SignedOp};
use pistol_core::codec::{Malformed, Reader, Writer};
use pistol_core::envelope::VerifiedChange;
use pistol_core::genesis::{Genesis, GenesisError, Kind, Policy};
use pistol_core::hash::{Context, hash};
use pistol_core::id::DocumentId;
use pistol_core::key::Verifier;
use pistol_core::limits::{ENVELOPE_BYTES_MAX, GENESIS_BYTES_MAX};
use pistol_core::store::scan::scan;
use pistol_core::store::schema::{self, LogNumber, LogRecord};
use pistol_core::store::{Store, StoreError, Table};
use pistol_core::validate::{Check, History, Rule, Valid};

use crate::engine::fits;
use crate::other_log::OtherLog;
use crate::replica::Members;
use crate::salvage::Inspection;

/// The first line of a file, up to the version.
const NAME: &[u8] = b"pistol document ";
/// The version of documents without members, and that of those with a log of operations.
const VERSION: &[u8] = b"1\n";
const VERSION_WITH_LOG: &[u8] = b"2\n";
/// That of documents that depend on other logs.
const VERSION_WITH_OTHERS: &[u8] = b"3\n";
/// Bytes of the hash at the end.
const HASH_BYTES: usize = 32;

/// A document that was read from a file, every change of it checked.
#[derive(Clone, Debug)]
pub struct Exported {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) operations: Vec<SignedOp>,
    /// The logs that it depends on.
    pub(crate) others: Vec<OtherLog>,
    pub(crate) changes: Vec<VerifiedChange>,
}

/// A document cannot be written to a file, or read from one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The bytes are something else.
    #[error("this is no document that Pistol exported; choose another file")]
    NotAnExport,
    /// A later version wrote it.
    #[error("a later version of Pistol exported this; install a newer Pistol to read it")]
    Newer,
    /// The bytes are not those that were written.
    #[error("the file is cut short or altered; export the document again, or copy the file again")]
    Damaged,
    /// It is no document.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// An envelope is not what anybody wrote.
    #[error("the changes in the file are not those of its authors ({0}); get the file from somebody else")]
    Changes(String),
    /// A change breaks a rule.
    #[error("a change in the file is refused: {0}; get the file from somebody else")]
    Rule(#[from] Rule),
    /// A change is missing.
    #[error("changes are missing in the file; export the document again")]
    Incomplete,
    /// The store does not hold it.
    #[error("this store does not hold the document; join it with a ticket")]
    NotFound,
    /// Something of it is lost in this store.
    #[error(
        "changes of the document are lost in this store; connect to a peer that holds them, or run `pistol doctor`"
    )]
    Lost,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Exported {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ExportError`], also if a single change would not be taken from a peer.
    pub fn read(bytes: &[u8]) -> Result<Self, ExportError> {
        let Parts { genesis, operations, others, envelopes } = parts(bytes)?;
        let mut verifier = Verifier::default();
        let genesis = Arc::new(Genesis::verify(genesis, &mut verifier)?);
        let mut judge = Judge::new(&genesis)?;
        let operations = signed(operations, &mut verifier)?;
        let mut logs = Vec::new();
        for (genesis, operations) in others {
            let genesis = Arc::new(Genesis::verify(genesis, &mut verifier)?);
            let operations = signed(operations, &mut verifier)?;
            if !is_in_order(genesis.id(), &operations)
                || logs.iter().any(|other: &OtherLog| other.genesis.id() == genesis.id())
            {
                return Err(ExportError::Damaged);
            }
            logs.push(OtherLog { genesis, operations });
        }
        judge.take_others(&logs, &operations);
        operations.iter().try_for_each(|signed| judge.take_operation(signed))?;
        let mut changes = Vec::new();
        for bytes in envelopes {
            for change in verified(genesis.id(), bytes, &mut verifier)? {
                match judge.history().check(&change) {
                    Check::Valid(valid) => {
                        judge.accept(*valid)?;
                        changes.push(change);
                    }
                    Check::Missing(_) => return Err(ExportError::Incomplete),
                    Check::Rejected(rule) => return Err(rule.into()),
                    Check::Known => {}
                }
            }
        }
        let needed = judge.needed(&logs);
        logs.retain(|other| needed.iter().any(|need| need.log == other.genesis.id()));
        Ok(Exported { genesis, operations, others: logs, changes })
    }

    /// Which logs the document depends on that are in the file.
    pub fn logs(&self) -> Vec<DocumentId> {
        self.others.iter().map(|other| other.genesis.id()).collect()
    }

    /// A log of its own that is new, with its first operations: it is taken in as a whole, as if it came from a file.
    ///
    /// # Errors
    /// [`ExportError`] if one of them would not be taken from a peer.
    pub fn of_new_log(genesis: Genesis, operations: Vec<SignedOp>) -> Result<Self, ExportError> {
        let genesis = Arc::new(genesis);
        let mut judge = Judge::new(&genesis)?;
        operations.iter().try_for_each(|signed| judge.take_operation(signed))?;
        Ok(Exported { genesis, operations, others: Vec::new(), changes: Vec::new() })
    }

    /// Which document it is.
    pub fn document(&self) -> DocumentId {
        self.genesis.id()
    }

    /// How many changes there are.
    pub fn changes(&self) -> usize {
        self.changes.len()
    }
}

/// Judges what is read as a document of its own.
enum Judge {
    Plain(Box<History>),
    Members(Box<Members>),
}

impl Judge {
    fn new(genesis: &Arc<Genesis>) -> Result<Self, Rule> {
        Ok(match Members::of(genesis) {
            Some(members) => Judge::Members(Box::new(members)),
            None => Judge::Plain(Box::new(History::new(Arc::clone(genesis))?)),
        })
    }

    fn history(&self) -> &History {
        match self {
            Judge::Plain(history) => history,
            Judge::Members(members) => members.ready().history(),
        }
    }

    /// Takes in the logs that the document's own may stand on.
    fn take_others(&mut self, others: &[OtherLog], own: &[SignedOp]) {
        let Judge::Members(members) = self else { return };
        let named = |kind: Kind, log: DocumentId| {
            let all = own.iter().chain(others.iter().flat_map(|other| &other.operations));
            all.filter_map(SignedOp::need).any(|need| need.log == log && fits(kind, need))
        };
        for other in others.iter().filter(|other| named(other.genesis.terms().kind, other.genesis.id())) {
            members.take_checked_other(&other.genesis, &other.operations);
        }
    }

    /// Those of them that the document depends on.
    fn needed(&self, others: &[OtherLog]) -> Vec<Need> {
        let kinds: BTreeMap<DocumentId, Kind> =
            others.iter().map(|other| (other.genesis.id(), other.genesis.terms().kind)).collect();
        match self {
            Judge::Plain(_) => Vec::new(),
            Judge::Members(members) => {
                members.needs_held(|need| kinds.get(&need.log).is_some_and(|kind| fits(*kind, *need)))
            }
        }
    }

    fn take_operation(&mut self, signed: &SignedOp) -> Result<(), ExportError> {
        match self {
            Judge::Members(members) if signed.op().log == members.ready().history().genesis().id() => {
                members.take_stored(signed.clone()).map_err(ExportError::Changes)
            }
            Judge::Plain(_) | Judge::Members(_) => Err(ExportError::Damaged),
        }
    }

    fn accept(&mut self, valid: Valid) -> Result<(), ExportError> {
        match self {
            Judge::Plain(history) => {
                let admitted = pistol_acl::judge(history, valid)?;
                history.accept(admitted.into_valid()).map_err(|_| ExportError::Incomplete)?;
            }
            Judge::Members(members) if members.lacks(valid.change()).is_some() => return Err(ExportError::Incomplete),
            Judge::Members(members) => drop(members.accept(valid)?),
        }
        Ok(())
    }
}

/// Writes a document that a store holds, as it is durable there.
///
/// # Errors
/// [`ExportError`] if it is not there, or something of it is lost.
pub fn export(store: &dyn Store, document: &DocumentId) -> Result<Vec<u8>, ExportError> {
    let (log, genesis) = find(store, document)?.ok_or(ExportError::NotFound)?;
    let inspection = Inspection::of(store, log, &genesis)?;
    if !inspection.is_whole() && !inspection.is_accepted() {
        return Err(ExportError::Lost);
    }
    let values = |table: Table| {
        // Rows of all three tables are found alike.
        let (from, to) = schema::envelopes_from(log, 0);
        let mut values = Vec::new();
        let scanned = scan(store, table, (&from, &to), &mut |rows| {
            values.extend(rows.into_iter().map(|(_, value)| value));
            Ok(())
        });
        scanned.map(|_| values)
    };
    let envelopes = [values(Table::Envelopes)?, values(Table::Tail)?].concat();
    let operations = if genesis.terms().policy == Policy::Members { Some(values(Table::Operations)?) } else { None };
    // Those that few grants lead to come last.
    let others = inspection.others.get(inspection.others.len().saturating_sub(LOGS_MAX)..).unwrap_or_default();
    Ok(write_with(genesis.bytes(), operations.as_deref(), others, &envelopes))
}

/// Writes a file of a genesis, the operations of its log if it has one, and envelopes, in an order in which they can be taken in.
pub fn write(genesis: &[u8], operations: Option<&[Vec<u8>]>, envelopes: &[Vec<u8>]) -> Vec<u8> {
    write_with(genesis, operations, &[], envelopes)
}

fn write_with(genesis: &[u8], operations: Option<&[Vec<u8>]>, others: &[OtherLog], envelopes: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.raw(NAME);
    writer.raw(match operations {
        Some(_) if !others.is_empty() => VERSION_WITH_OTHERS,
        Some(_) => VERSION_WITH_LOG,
        None => VERSION,
    });
    writer.bytes(genesis);
    if let Some(operations) = operations {
        writer.length(operations.len());
        operations.iter().for_each(|operation| writer.bytes(operation));
        if !others.is_empty() {
            writer.length(others.len());
        }
        for other in others {
            writer.bytes(other.genesis.bytes());
            writer.length(other.operations.len());
            other.operations.iter().for_each(|signed| writer.bytes(signed.bytes()));
        }
    }
    writer.length(envelopes.len());
    envelopes.iter().for_each(|envelope| writer.bytes(envelope));
    let hash = hash(Context::Export, &[writer.as_bytes()]);
    writer.raw(&hash);
    writer.into_bytes()
}

/// What a file holds.
struct Parts<'a> {
    genesis: &'a [u8],
    operations: Vec<&'a [u8]>,
    /// Of each log that it depends on its genesis and its operations.
    others: Vec<(&'a [u8], Vec<&'a [u8]>)>,
    envelopes: Vec<&'a [u8]>,
}

/// The parts of a file whose hash is right.
fn parts(bytes: &[u8]) -> Result<Parts<'_>, ExportError> {
    let versioned = bytes.strip_prefix(NAME).ok_or(ExportError::NotAnExport)?;
    let known = [VERSION, VERSION_WITH_LOG, VERSION_WITH_OTHERS];
    let of_version = |(version, line): (usize, &&[u8])| Some((version, versioned.strip_prefix(*line)?));
    let Some((version, body)) = known.iter().enumerate().find_map(of_version) else {
        let is_number =
            versioned.split(|byte| *byte == b'\n').next().is_some_and(|line| line.len() <= 9 && is_digits(line));
        return Err(if is_number { ExportError::Newer } else { ExportError::Damaged });
    };
    let (hashed, found) = bytes.split_last_chunk::<HASH_BYTES>().ok_or(ExportError::Damaged)?;
    if hash(Context::Export, &[hashed]) != *found {
        return Err(ExportError::Damaged);
    }
    let content =
        body.len().checked_sub(HASH_BYTES).and_then(|length| body.get(..length)).ok_or(ExportError::Damaged)?;
    read_parts(content, version).map_err(|_| ExportError::Damaged)
}

/// `version`: 0 without members, 1 with a log, 2 with others that it depends on.
fn read_parts(content: &[u8], version: usize) -> Result<Parts<'_>, Malformed> {
    let mut reader = Reader::new(content);
    let genesis = reader.bytes(GENESIS_BYTES_MAX)?;
    let operations = if version > 0 { read_operations(&mut reader)? } else { Vec::new() };
    let count = if version > 1 { reader.count(LOGS_MAX, 2)? } else { 0 };
    let others = (0..count)
        .map(|_| Ok((reader.bytes(GENESIS_BYTES_MAX)?, read_operations(&mut reader)?)))
        .collect::<Result<_, Malformed>>()?;
    let count = reader.count(usize::MAX, 2)?;
    let envelopes = (0..count).map(|_| reader.bytes(ENVELOPE_BYTES_MAX)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(Parts { genesis, operations, others, envelopes })
}

fn read_operations<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a [u8]>, Malformed> {
    let count = reader.count(usize::MAX, 2)?;
    (0..count).map(|_| reader.bytes(OPERATION_BYTES_MAX)).collect()
}

fn signed(operations: Vec<&[u8]>, verifier: &mut Verifier) -> Result<Vec<SignedOp>, ExportError> {
    let verify = |bytes: &[u8]| SignedOp::verify(bytes, verifier);
    let signed = operations.into_iter().map(verify).collect::<Result<_, _>>();
    signed.map_err(|error| ExportError::Changes(error.to_string()))
}

/// Whether operations are those of a log, each after all that it follows on.
fn is_in_order(log: DocumentId, operations: &[SignedOp]) -> bool {
    let mut before = BTreeSet::new();
    let follows = |signed: &SignedOp| {
        let is_next = signed.op().log == log && signed.op().prev.iter().all(|prev| before.contains(prev));
        before.insert(signed.id());
        is_next
    };
    operations.iter().all(follows)
}

fn is_digits(line: &[u8]) -> bool {
    !line.is_empty() && line.iter().all(u8::is_ascii_digit)
}

fn verified(document: DocumentId, bytes: &[u8], verifier: &mut Verifier) -> Result<Vec<VerifiedChange>, ExportError> {
    crate::engine::verified(document, bytes, verifier).map_err(ExportError::Changes)
}

fn find(store: &dyn Store, document: &DocumentId) -> Result<Option<(LogNumber, Arc<Genesis>)>, StoreError> {
    let mut found = None;
    scan(store, Table::Logs, (&[], &pistol_core::store::scan::END), &mut |rows| {
        for (key, value) in rows {
            let record = LogRecord::from_value(&value).ok().filter(|record| record.document == document.0);
            let genesis = record.and_then(|record| {
                Genesis::verify_for(*document, &record.genesis, &mut Verifier::default()).ok().map(Arc::new)
            });
            found = found.take().or(LogNumber::from_key(&key).ok().zip(genesis));
        }
        Ok(())
    })?;
    Ok(found)
}
