//! What a store tells of itself when a node is started upon it. What of its small tables cannot be read is told, and the
//! node goes on without it.

use pistol_core::key::AuthorKey;
use pistol_core::store::scan::{END, scan};
use pistol_core::store::schema::{self, LogNumber};
use pistol_core::store::{Row, Store, StoreError, Table};
use pistol_engine::{Catalog, SNAPSHOT_CHANGES, Start};
use pistol_sync::node::NodeId;

use super::folder::{Sessions, StoreFolder};
use crate::error::OpenError;

/// What the engine begins with, and what was found damaged, in words.
pub(super) fn start_of(
    folder: &mut StoreFolder,
    key: AuthorKey,
    node: NodeId,
    open_bytes_max: usize,
) -> Result<(Start, Vec<String>), OpenError> {
    let mut seed = [0; 32];
    let failed = |error: getrandom::Error| OpenError::Folder(format!("no random bytes could be had: {error}"));
    getrandom::fill(&mut seed).map_err(failed)?;
    let (catalog, mut damage) = (Catalog::default(), folder.salvaged.take().into_iter().collect());
    for table in [Table::Logs, Table::Names, Table::Sessions] {
        let lost = each_row(&folder.store, table, &mut damage, |row| catalog.take_row(table, &row))?;
        let numbers = lost.iter().filter(|_| table == Table::Logs).filter_map(|key| LogNumber::from_key(key).ok());
        catalog.begin_logs_at(numbers.map(|number| number.0.saturating_add(1)).max().unwrap_or(0));
    }
    if let Some(next) = folder.store.read(Table::Meta, schema::NEXT_LOG_KEY)? {
        catalog.begin_logs_at(schema::next_log(&next)?);
    }
    let mut all = |table, is_good: fn(&Row) -> bool| {
        let mut rows = Vec::new();
        let take = |row| {
            let is_good = is_good(&row);
            rows.extend(is_good.then_some(row));
            if is_good { Ok(()) } else { Err(StoreError::Damaged { reason: "a row".to_owned() }) }
        };
        each_row(&folder.store, table, &mut damage, take).map(|_| rows)
    };
    let start = Start {
        key,
        node,
        epoch: folder.epoch,
        seed,
        sessions_continue: folder.sessions == Sessions::Continue,
        snapshot_changes: SNAPSHOT_CHANGES,
        open_bytes_max,
        catalog,
        peers: all(Table::Peers, pistol_engine::is_peer)?,
        owed: all(Table::Owed, |row| schema::owed(row).is_ok())?,
        invites: all(Table::Invites, |row| schema::Invite::from_row(row).is_ok())?,
    };
    Ok((start, damage))
}

/// Reads a table page by page: that of the logs may be larger than what is kept of it. Returns the keys of rows that are
/// lost, and tells how many there are.
fn each_row(
    store: &impl Store,
    table: Table,
    damage: &mut Vec<String>,
    mut take: impl FnMut(Row) -> Result<(), StoreError>,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut lost = Vec::new();
    let found = scan(store, table, (&[], &END), &mut |rows| {
        for row in rows {
            let key = row.0.clone();
            // What its check passes and nobody understands was never written by a Pistol of this format.
            if take(row).is_err() {
                lost.push(key);
            }
        }
        Ok(())
    })?;
    lost.extend(found.damaged);
    if found.has_holes || !lost.is_empty() {
        let count = lost.len();
        damage.push(format!("{count} rows of the table {table:?} could not be read; `pistol doctor` says more"));
    }
    Ok(lost)
}
