//! Taking removed events out of the listing indexes in sorted steps, as they came into them.
//!
//! Events go in order of their ids, so their rows and histories go page by page. Their index rows lie by workspace and
//! by webhook: deleted one event at a time they would make a page dirty each.

use rusqlite::params;
use signalpost_core::id::WorkspaceId;

use super::remove::{DELETE_IX_DELIVERY, DELETE_IX_EVENT};
use crate::failure::Failure;
use crate::fetch::fetch_all;
use crate::write::Write;
use signalpost_store::pack::unpack_ids;
use signalpost_store::row::Row;

pub(crate) const INSERT: &str =
    "INSERT OR REPLACE INTO unlisted (event, workspace, targets) VALUES (?1, ?2, ?3)";
pub(crate) const SELECT: &str = "SELECT event, workspace, targets FROM unlisted ORDER BY event LIMIT ?1";
pub(crate) const DELETE: &str = "DELETE FROM unlisted WHERE event <= ?1";

/// Events of one step: some 5 ms.
const STEP_EVENTS_MAX: usize = 1_000;
const STEP_ROWS_MAX: usize = 2_000;

struct Unlisted {
    event: i64,
    workspace: i64,
    webhooks: Vec<i64>,
}

/// Notes an event that has just been removed.
pub(super) fn note(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    event: i64,
    targets: &[u8],
) -> Result<(), Failure> {
    let count = write.unlisted()?;
    write.statement(INSERT)?.execute(params![event, workspace.raw(), targets])?;
    write.caches.unlisted = Some(count + 1);
    Ok(())
}

/// Takes a bounded number of events out of the indexes; `true` when some are left.
pub(crate) fn step(write: &mut Write<'_>) -> Result<bool, Failure> {
    let (mut events, mut deliveries) = (Vec::new(), Vec::new());
    let before = write.unlisted()?;
    let mut last = None;
    for one in oldest(write)? {
        if events.len() + deliveries.len() >= STEP_ROWS_MAX {
            break;
        }
        events.push((one.workspace, one.event));
        deliveries.extend(one.webhooks.into_iter().map(|webhook| (webhook, one.event)));
        last = Some(one.event);
    }
    let Some(last) = last else {
        write.caches.unlisted = Some(0);
        return Ok(false);
    };
    let count = u64::try_from(events.len()).expect("a step is small");
    for (rows, sql) in [(&mut events, DELETE_IX_EVENT), (&mut deliveries, DELETE_IX_DELIVERY)] {
        rows.sort_unstable();
        let mut delete = write.statement(sql)?;
        for (of, event) in &*rows {
            delete.execute([of, event])?;
        }
    }
    write.statement(DELETE)?.execute([last])?;
    let left = before.saturating_sub(count);
    write.caches.unlisted = Some(left);
    Ok(left > 0)
}

fn oldest(write: &Write<'_>) -> Result<Vec<Unlisted>, Failure> {
    let limit = i64::try_from(STEP_EVENTS_MAX).expect("small");
    fetch_all(write.connection, SELECT, [limit], |row: &Row<'_>| {
        let mut fields = signalpost_store::row::Fields::new(row, "unlisted", 1);
        let (event, workspace) = (fields.id("event")?, fields.id("workspace")?);
        let targets = fields.blob("targets")?;
        let webhooks = unpack_ids(targets).map_err(|problem| fields.corrupt("targets", problem))?.collect();
        Ok(Unlisted { event, workspace, webhooks })
    })
}
