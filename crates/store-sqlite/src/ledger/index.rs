//! Filling the listing indexes in sorted steps, off the path of an event.
//!
//! Kept up with each event they would be the dearest part of a commit: one dirty page for every workspace and
//! every webhook. Filled for many events at once, in order, they cost a fraction of that.

use rusqlite::params;
use signalpost_core::event::Event;
use signalpost_core::id::WebhookId;

use crate::failure::Failure;
use crate::fetch::Cells;
use crate::meta;
use crate::write::{IndexState, Write};
use signalpost_store::row::{Fields, targets};

pub(crate) const SELECT_TAIL: &str =
    "SELECT id, workspace, targets FROM message WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(crate) const INSERT_EVENT: &str = "INSERT OR IGNORE INTO ix_event (workspace, event) VALUES (?1, ?2)";
pub(crate) const INSERT_DELIVERY: &str = "INSERT OR IGNORE INTO ix_delivery (webhook, event) VALUES (?1, ?2)";

/// Events and index rows of one step: some 5 ms.
pub(crate) const STEP_EVENTS_MAX: usize = 1_000;
const STEP_ROWS_MAX: usize = 2_000;
/// Events of a step that others wait for: a millisecond. A quarter as many take more than half as long, four times as often.
pub(crate) const SMALL_STEP_EVENTS: usize = 256;
/// One small step takes this share (one in so many parts) of what is not indexed, so that steps grow where they fall behind.
const SMALL_STEP_PARTS: usize = 4;

/// Counts a new event; one that comes late, below the mark, is indexed on the spot.
pub(super) fn note_event(write: &mut Write<'_>, event: &Event) -> Result<(), Failure> {
    let IndexState { mark, unindexed } = write.index_state()?;
    write.caches.frontiers.note_event(event.id.raw());
    if event.id.raw() > mark {
        write.caches.index = Some(IndexState { mark, unindexed: unindexed + 1 });
        return Ok(());
    }
    // Retention may have been past this place already.
    write.caches.places.forget(event.workspace);
    let id = event.id.raw();
    write.statement(INSERT_EVENT)?.execute([event.workspace.raw(), id])?;
    for webhook in &event.targets {
        write.statement(INSERT_DELIVERY)?.execute([webhook.raw(), id])?;
    }
    Ok(())
}

/// Events above the mark that one step takes, as index rows.
#[derive(Default)]
struct Tail {
    events: Vec<(i64, i64)>,
    deliveries: Vec<(WebhookId, i64)>,
}

/// Moves the mark up by a bounded number of events; `true` when some are left.
pub(crate) fn step(write: &mut Write<'_>) -> Result<bool, Failure> {
    step_of(write, STEP_EVENTS_MAX)
}

/// The same by as little as keeps up with what comes.
pub(crate) fn small_step(write: &mut Write<'_>) -> Result<bool, Failure> {
    let unindexed = usize::try_from(write.index_state()?.unindexed).unwrap_or(usize::MAX);
    step_of(write, (unindexed / SMALL_STEP_PARTS).clamp(SMALL_STEP_EVENTS, STEP_EVENTS_MAX))
}

fn step_of(write: &mut Write<'_>, events_max: usize) -> Result<bool, Failure> {
    let IndexState { mark, unindexed } = write.index_state()?;
    let Tail { mut events, mut deliveries } = read_tail(write, mark, events_max)?;
    let Some(&(_, new_mark)) = events.last() else {
        write.caches.index = Some(IndexState { mark, unindexed: 0 });
        return Ok(false);
    };
    events.sort_unstable();
    deliveries.sort_unstable();
    let mut insert = write.statement(INSERT_EVENT)?;
    for (workspace, event) in &events {
        insert.execute([workspace, event])?;
    }
    let mut insert = write.statement(INSERT_DELIVERY)?;
    for (webhook, event) in &deliveries {
        insert.execute([webhook.raw(), *event])?;
    }
    meta::write(write.connection, meta::INDEXED, new_mark)?;
    let indexed = u64::try_from(events.len()).expect("a step is small");
    let unindexed = unindexed.saturating_sub(indexed);
    write.caches.index = Some(IndexState { mark: new_mark, unindexed });
    Ok(unindexed > 0)
}

fn read_tail(write: &Write<'_>, mark: i64, events_max: usize) -> Result<Tail, Failure> {
    let mut select = write.statement(SELECT_TAIL)?;
    let mut rows = select.query(params![mark, i64::try_from(events_max).expect("small")])?;
    let mut tail = Tail::default();
    while let Some(row) = rows.next()?.map(Cells) {
        let mut fields = Fields::new(&row, "message", 1);
        let (event, workspace) = (fields.id("id")?, fields.id("workspace")?);
        tail.deliveries.extend(targets(&mut fields)?.into_iter().map(|webhook| (webhook, event)));
        tail.events.push((workspace, event));
        if tail.events.len() + tail.deliveries.len() >= STEP_ROWS_MAX {
            break;
        }
    }
    Ok(tail)
}
