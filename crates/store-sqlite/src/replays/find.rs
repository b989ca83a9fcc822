//! Finding jobs. Those of a workspace go with its mark, so none is found of one that is erased.

use rusqlite::Connection;
use signalpost_core::id::{ReplayId, WorkspaceId};
use signalpost_core::replay::Replay;
use signalpost_core::webhook::Webhook;
use signalpost_store::StoreError;
use signalpost_store::replays::ReplayCounts;

use crate::catalog::find;
use crate::failure::Failure;
use crate::fetch::{fetch_all, fetch_one};
use crate::write::Write;
use signalpost_store::row::{self, Fields, replay_columns};

pub(crate) const SELECT: &str = concat!("SELECT ", replay_columns!(), " FROM replay r WHERE r.id = ?1");
pub(crate) const SELECT_OF: &str =
    concat!("SELECT ", replay_columns!(), " FROM replay r WHERE r.id = ?1 AND r.workspace = ?2");
/// There are [`signalpost_core::limits::REPLAYS_REMEMBERED_MAX`] at most.
pub(crate) const SELECT_PHASES: &str = "SELECT id, phase, reason FROM replay WHERE workspace = ?1";

/// `Missing("replay")`.
pub(super) fn replay(write: &Write<'_>, id: ReplayId) -> Result<Replay, Failure> {
    let found = fetch_one(write.connection, SELECT, [id.raw()], row::replay)?;
    Ok(found.ok_or(StoreError::Missing("replay"))?)
}

pub(super) fn replay_of(
    connection: &Connection,
    workspace: WorkspaceId,
    id: ReplayId,
) -> Result<Option<Replay>, Failure> {
    fetch_one(connection, SELECT_OF, [id.raw(), workspace.raw()], row::replay)
}

pub(super) fn counts(write: &Write<'_>, workspace: WorkspaceId) -> Result<ReplayCounts, Failure> {
    let phases = fetch_all(write.connection, SELECT_PHASES, [workspace.raw()], |row| {
        let mut fields = Fields::new(row, "replay", 1);
        fields.skip();
        row::replay_phase(&mut fields)
    })?;
    Ok(ReplayCounts::of(phases.into_iter()))
}

/// The target of a job; `None` when it or the source is deleted.
pub(super) fn target(write: &Write<'_>, replay: &Replay) -> Result<Option<Webhook>, Failure> {
    let source = replay.selection.source;
    let target = find::webhook(write.connection, replay.workspace, replay.target)?;
    if source != replay.target && find::webhook(write.connection, replay.workspace, source)?.is_none() {
        return Ok(None);
    }
    Ok(target)
}
