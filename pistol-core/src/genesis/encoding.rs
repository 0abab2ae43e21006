//! The canonical bytes of a genesis, without its signature. Format: `docs/protocol.md`, "Genesis".

use super::{Addition, Glance, Insert, Kind, Limits, Policy, Read, Terms};
use crate::change::{read_operation, write_operation};
use crate::codec::{Malformed, Reader, Writer};
use crate::id::{AuthorityId, DocumentId};
use crate::key::AuthorId;
use crate::limits;

const VERSION: u8 = 1;

pub(super) fn to_bytes(terms: &Terms) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.byte(VERSION);
    writer.byte(match terms.kind {
        Kind::Document => 0,
        Kind::Identity => 1,
        Kind::Group => 2,
        Kind::Space => 3,
    });
    writer.length(terms.roots.len());
    terms.roots.iter().for_each(|root| writer.raw(root.as_bytes()));
    writer.number(u64::from(terms.creator));
    write_policy(terms.policy, &mut writer);
    write_limits(&terms.limits, &mut writer);
    write_optional(
        &mut writer,
        match &terms.read {
            Read::Public => None,
            Read::Key(commitment) => Some(commitment),
        },
    );
    writer.length(terms.skeleton.len());
    terms.skeleton.iter().for_each(|op| write_operation(op, &mut writer));
    write_optional(&mut writer, terms.space.as_ref().map(DocumentId::as_bytes));
    writer.length(terms.authority.len());
    terms.authority.iter().for_each(|id| writer.raw(id.as_bytes()));
    // Initial grants: none in this version.
    writer.length(0);
    writer.raw(terms.app.as_bytes());
    write_optional(&mut writer, terms.predecessor.as_ref().map(DocumentId::as_bytes));
    writer.raw(&terms.nonce);
    writer.into_bytes()
}

fn write_policy(policy: Policy, writer: &mut Writer) {
    match policy {
        Policy::Owned => writer.byte(0),
        Policy::WorldWritable => writer.byte(1),
        Policy::FirstWriter { insert, shared_counters, shared_slots } => {
            writer.byte(2);
            writer.byte(match insert {
                Insert::Anywhere => 0,
                Insert::OwnObject => 1,
            });
            writer.byte(u8::from(shared_counters));
            writer.byte(u8::from(shared_slots));
        }
        Policy::Members => writer.byte(3),
    }
}

fn read_policy(reader: &mut Reader<'_>) -> Result<Policy, Malformed> {
    Ok(match reader.byte()? {
        0 => Policy::Owned,
        1 => Policy::WorldWritable,
        2 => Policy::FirstWriter {
            insert: if read_flag(reader)? { Insert::OwnObject } else { Insert::Anywhere },
            shared_counters: read_flag(reader)?,
            shared_slots: read_flag(reader)?,
        },
        3 => Policy::Members,
        _ => return Err(Malformed::Tag),
    })
}

fn read_flag(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    match reader.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed::Tag),
    }
}

fn write_optional(writer: &mut Writer, value: Option<&[u8; 32]>) {
    writer.byte(u8::from(value.is_some()));
    if let Some(value) = value {
        writer.raw(value);
    }
}

fn write_limits(limits: &Limits, writer: &mut Writer) {
    for number in [limits.change_bytes, limits.ops_per_change, limits.deps, limits.ops_per_chain] {
        writer.number(u64::from(number));
    }
    writer.number(limits.bytes_per_chain);
    writer.byte(u8::from(limits.is_releasable));
}

pub(super) fn from_bytes(bytes: &[u8]) -> Result<Terms, Malformed> {
    let reader = &mut Reader::new(bytes);
    let kind = read_kind(reader)?;
    let roots = read_roots(reader)?;
    let creator = reader.number32()?;
    let policy = read_policy(reader)?;
    let limits = read_limits(reader)?;
    let read = read_optional(reader)?.map_or(Read::Public, Read::Key);
    let count = reader.count(limits::SKELETON_OPERATIONS_MAX, 5)?;
    let skeleton = (0..count).map(|_| read_operation(reader)).collect::<Result<_, _>>()?;
    let space = read_optional(reader)?.map(DocumentId);
    let authority = read_authority(reader)?;
    reader.number_to(0)?;
    let app = uuid::Uuid::from_bytes(reader.array()?);
    let predecessor = read_optional(reader)?.map(DocumentId);
    let nonce = reader.array()?;
    reader.end()?;
    let terms =
        Terms { kind, roots, creator, policy, limits, read, skeleton, space, authority, app, predecessor, nonce };
    if is_consistent(&terms) { Ok(terms) } else { Err(Malformed::Tag) }
}

/// A log of its own has no content and lies in no space. That of an identity or a group says who is in it and nothing else, and
/// whoever depends on it can read it.
fn is_consistent(terms: &Terms) -> bool {
    let is_alone = terms.space.is_none() && terms.authority.is_empty();
    let is_log = terms.skeleton.is_empty() && is_alone;
    let is_list = terms.policy == Policy::Members && terms.read == Read::Public && !terms.limits.is_releasable;
    match terms.kind {
        Kind::Document => terms.space.is_some() || is_alone,
        Kind::Identity | Kind::Group => is_log && is_list,
        // What is in it belongs to its writers anyhow, so first writers would be anyone.
        Kind::Space => is_log && !matches!(terms.policy, Policy::FirstWriter { .. }),
    }
}

/// Reads the version, and what the genesis begins.
fn read_kind(reader: &mut Reader<'_>) -> Result<Kind, Malformed> {
    match (reader.byte()?, reader.byte()?) {
        (VERSION, 0) => Ok(Kind::Document),
        (VERSION, 1) => Ok(Kind::Identity),
        (VERSION, 2) => Ok(Kind::Group),
        (VERSION, 3) => Ok(Kind::Space),
        _ => Err(Malformed::Tag),
    }
}

/// Reads what lists need; the keys are passed over, as looking at them takes longer than all the rest.
pub(super) fn glance(bytes: &[u8]) -> Result<Glance, Malformed> {
    let reader = &mut Reader::new(bytes);
    let kind = read_kind(reader)?;
    let count = reader.count(limits::ROOTS_MAX, 32)?;
    let roots = (0..count).map(|_| reader.array()).collect::<Result<Vec<[u8; 32]>, _>>()?;
    let creator = reader.number32()? as usize;
    let policy = read_policy(reader)?;
    read_limits(reader)?;
    let read = read_optional(reader)?.map_or(Read::Public, Read::Key);
    let count = reader.count(limits::SKELETON_OPERATIONS_MAX, 5)?;
    (0..count).try_for_each(|_| read_operation(reader).map(drop))?;
    let addition = match read_optional(reader)?.map(DocumentId) {
        Some(space) => {
            let creator = roots.get(creator).copied().ok_or(Malformed::Order)?;
            let authority = read_authority(reader)?;
            reader.number_to(0)?;
            reader.raw(16)?;
            read_optional(reader)?;
            Some(Addition { space, creator, authority, nonce: reader.array()? })
        }
        None => None,
    };
    Ok(Glance { kind, policy, read, addition })
}

fn read_authority(reader: &mut Reader<'_>) -> Result<Vec<AuthorityId>, Malformed> {
    let count = reader.count(limits::AUTHORITY_MAX, 32)?;
    (0..count).map(|_| reader.array().map(AuthorityId)).collect()
}

fn read_roots(reader: &mut Reader<'_>) -> Result<Vec<AuthorId>, Malformed> {
    let count = reader.count(limits::ROOTS_MAX, 32)?;
    let root = |reader: &mut Reader<'_>| AuthorId::from_bytes(&reader.array()?).map_err(|_| Malformed::Key);
    let roots = (0..count).map(|_| root(reader)).collect::<Result<Vec<_>, _>>()?;
    let is_sorted = roots.iter().zip(roots.iter().skip(1)).all(|(one, next)| one < next);
    if is_sorted { Ok(roots) } else { Err(Malformed::Order) }
}

fn read_optional(reader: &mut Reader<'_>) -> Result<Option<[u8; 32]>, Malformed> {
    match reader.byte()? {
        0 => Ok(None),
        1 => reader.array().map(Some),
        _ => Err(Malformed::Tag),
    }
}

fn read_limits(reader: &mut Reader<'_>) -> Result<Limits, Malformed> {
    let most = Limits::default();
    let within = |reader: &mut Reader<'_>, max: u32| match reader.number32()? {
        number if number <= max => Ok(number),
        _ => Err(Malformed::Limit),
    };
    Ok(Limits {
        change_bytes: within(reader, most.change_bytes)?,
        ops_per_change: within(reader, most.ops_per_change)?,
        deps: within(reader, most.deps)?,
        ops_per_chain: within(reader, most.ops_per_chain)?,
        bytes_per_chain: reader.number_to(most.bytes_per_chain)?,
        is_releasable: read_flag(reader)?,
    })
}
