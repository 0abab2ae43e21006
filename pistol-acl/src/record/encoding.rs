//! The canonical bytes of an operation, without its signature. Format: `docs/access.md`, "Bytes".

use pistol_core::chain::{ChainId, Tip};
use pistol_core::codec::{Malformed, Reader, Writer};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId, Link, Session};
use pistol_core::key::{AuthorId, Signature};

use super::{AclOp, Action, Heads, Keep, Mode, Role, Subject};
use crate::limits;

/// A tip with the name of its chain: two ids, a session, a place of one byte, a signature.
const TIP_BYTES_MIN: usize = 32 + 8 + 1 + 32 + 64;

pub(super) fn write(op: &AclOp, writer: &mut Writer) {
    writer.byte(AclOp::VERSION);
    writer.raw(op.log.as_bytes());
    writer.raw(op.author.as_bytes());
    write_ids(writer, op.proof.iter().map(AuthorityId::as_bytes));
    write_ids(writer, op.prev.iter().map(AuthorityId::as_bytes));
    writer.length(op.own.map_or(0, |own| own + 1));
    write_action(&op.action, writer);
}

/// Reads what follows the version.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<AclOp, Malformed> {
    let log = DocumentId(reader.array()?);
    let author = read_key(reader)?;
    let proof = read_ids(reader, limits::PATH_MAX)?.into_iter().map(AuthorityId).collect();
    let prev: Vec<_> = sorted(read_ids(reader, limits::PREVIOUS_MAX)?)?.into_iter().map(AuthorityId).collect();
    let own = usize::try_from(reader.number_to(prev.len() as u64)?).map_err(|_| Malformed::Limit)?.checked_sub(1);
    let action = read_action(reader)?;
    reader.end()?;
    Ok(AclOp { log, author, proof, prev, own, action })
}

fn write_action(action: &Action, writer: &mut Writer) {
    match action {
        Action::Grant { to, role } => {
            writer.byte(0);
            write_subject(to, writer);
            writer.byte(role.code());
        }
        Action::Revoke { who, mode, cascade, keep } => {
            writer.byte(1);
            write_subject(who, writer);
            writer.byte(u8::from(*mode == Mode::Exact));
            writer.byte(u8::from(*cascade));
            writer.length(keep.changes.len());
            keep.changes.iter().for_each(|heads| write_heads(heads, writer));
            write_ids(writer, keep.operations.iter().map(AuthorityId::as_bytes));
        }
        Action::Checkpoint(heads) => {
            writer.byte(2);
            write_heads(heads, writer);
        }
        Action::AddRoot { key } => {
            writer.byte(3);
            writer.raw(key.as_bytes());
        }
        Action::Relinquish => writer.byte(4),
        Action::Release => writer.byte(5),
        Action::RemoveDocument { document } => {
            writer.byte(6);
            writer.raw(document.as_bytes());
        }
        Action::Name { name, target } => {
            writer.byte(7);
            writer.bytes(name.as_bytes());
            writer.raw(target.as_bytes());
        }
        Action::Witness { names } => {
            writer.byte(8);
            write_ids(writer, names.iter().map(AuthorityId::as_bytes));
        }
        Action::Successor { document } => {
            writer.byte(9);
            writer.raw(document.as_bytes());
        }
    }
}

fn read_action(reader: &mut Reader<'_>) -> Result<Action, Malformed> {
    Ok(match reader.byte()? {
        0 => Action::Grant { to: read_subject(reader)?, role: read_role(reader)? },
        1 => Action::Revoke {
            who: read_subject(reader)?,
            mode: if read_flag(reader)? { Mode::Exact } else { Mode::Endorsed },
            cascade: read_flag(reader)?,
            keep: read_keep(reader)?,
        },
        2 => Action::Checkpoint(read_heads(reader)?),
        3 => Action::AddRoot { key: read_key(reader)? },
        4 => Action::Relinquish,
        5 => Action::Release,
        6 => Action::RemoveDocument { document: DocumentId(reader.array()?) },
        7 => {
            Action::Name { name: reader.text(limits::NAME_BYTES_MAX)?.to_owned(), target: DocumentId(reader.array()?) }
        }
        8 => Action::Witness { names: read_operations(reader, limits::WITNESSED_MAX)? },
        9 => Action::Successor { document: DocumentId(reader.array()?) },
        _ => return Err(Malformed::Tag),
    })
}

fn read_keep(reader: &mut Reader<'_>) -> Result<Keep, Malformed> {
    let count = reader.count(limits::KEPT_DOCUMENTS_MAX, 34)?;
    let changes = (0..count).map(|_| read_heads(reader)).collect::<Result<Vec<_>, _>>()?;
    let is_sorted = changes.iter().zip(changes.iter().skip(1)).all(|(one, next)| one.document < next.document);
    let operations = read_operations(reader, limits::KEPT_OPERATIONS_MAX)?;
    if is_sorted { Ok(Keep { changes, operations }) } else { Err(Malformed::Order) }
}

fn write_heads(heads: &Heads, writer: &mut Writer) {
    writer.raw(heads.document.as_bytes());
    write_ids(writer, heads.heads.iter().map(ChangeId::as_bytes));
    writer.length(heads.tips.len());
    for (chain, tip) in &heads.tips {
        writer.raw(chain.author.as_bytes());
        writer.raw(&chain.session.0.to_le_bytes());
        writer.number(tip.seq);
        writer.raw(tip.link.as_bytes());
        writer.raw(&tip.signature.0);
    }
}

fn read_heads(reader: &mut Reader<'_>) -> Result<Heads, Malformed> {
    let document = DocumentId(reader.array()?);
    let heads = sorted(read_ids(reader, limits::HEADS_MAX)?)?.into_iter().map(ChangeId).collect();
    let count = reader.count(limits::TIPS_MAX, TIP_BYTES_MIN)?;
    let tips = (0..count).map(|_| read_tip(reader)).collect::<Result<Vec<_>, _>>()?;
    let is_sorted = tips.iter().zip(tips.iter().skip(1)).all(|((one, _), (next, _))| one < next);
    if is_sorted { Ok(Heads { document, heads, tips }) } else { Err(Malformed::Order) }
}

fn read_tip(reader: &mut Reader<'_>) -> Result<(ChainId, Tip), Malformed> {
    let chain = ChainId { author: read_key(reader)?, session: Session(u64::from_le_bytes(reader.array()?)) };
    let tip = Tip { seq: reader.number()?, link: Link(reader.array()?), signature: Signature(reader.array()?) };
    Ok((chain, tip))
}

fn write_subject(subject: &Subject, writer: &mut Writer) {
    let (code, bytes) = match subject {
        Subject::Key(key) => (0, key.as_bytes()),
        Subject::Identity(log) => (1, log.as_bytes()),
        Subject::Group(log) => (2, log.as_bytes()),
        Subject::Space(log) => (3, log.as_bytes()),
    };
    writer.byte(code);
    writer.raw(bytes);
}

fn read_subject(reader: &mut Reader<'_>) -> Result<Subject, Malformed> {
    Ok(match reader.byte()? {
        0 => Subject::Key(read_key(reader)?),
        1 => Subject::Identity(DocumentId(reader.array()?)),
        2 => Subject::Group(DocumentId(reader.array()?)),
        3 => Subject::Space(DocumentId(reader.array()?)),
        _ => return Err(Malformed::Tag),
    })
}

impl Role {
    /// The byte by which it is written.
    pub fn code(self) -> u8 {
        match self {
            Role::Relay => 0,
            Role::Reader => 1,
            Role::Writer => 2,
            Role::Admin => 3,
        }
    }

    /// The role that a byte says.
    pub fn of_code(code: u8) -> Option<Role> {
        [Role::Relay, Role::Reader, Role::Writer, Role::Admin].get(usize::from(code)).copied()
    }
}

fn read_role(reader: &mut Reader<'_>) -> Result<Role, Malformed> {
    Role::of_code(reader.byte()?).ok_or(Malformed::Tag)
}

fn read_flag(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    match reader.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed::Tag),
    }
}

fn read_key(reader: &mut Reader<'_>) -> Result<AuthorId, Malformed> {
    AuthorId::from_bytes(&reader.array()?).map_err(|_| Malformed::Key)
}

fn write_ids<'a>(writer: &mut Writer, ids: impl ExactSizeIterator<Item = &'a [u8; 32]>) {
    writer.length(ids.len());
    ids.for_each(|id| writer.raw(id));
}

fn read_ids(reader: &mut Reader<'_>, max: usize) -> Result<Vec<[u8; 32]>, Malformed> {
    let count = reader.count(max, 32)?;
    (0..count).map(|_| reader.array()).collect()
}

fn read_operations(reader: &mut Reader<'_>, max: usize) -> Result<Vec<AuthorityId>, Malformed> {
    Ok(sorted(read_ids(reader, max)?)?.into_iter().map(AuthorityId).collect())
}

fn sorted<T: Ord>(list: Vec<T>) -> Result<Vec<T>, Malformed> {
    let is_sorted = list.iter().zip(list.iter().skip(1)).all(|(one, next)| one < next);
    if is_sorted { Ok(list) } else { Err(Malformed::Order) }
}
