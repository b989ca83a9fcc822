//! Finding jobs. Those of a workspace go with its mark, so none is found of one that is erased.

use signalpost_core::id::{ReplayId, WorkspaceId};
use signalpost_core::replay::Replay;
use signalpost_core::webhook::Webhook;
use signalpost_store::StoreError;
use signalpost_store::replays::ReplayCounts;
use signalpost_store::row::{self, Fields, replay_columns};

use crate::catalog::find;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str = concat!("SELECT ", replay_columns!(), " FROM replay r WHERE r.id = $1");
pub(crate) const SELECT_OF: &str =
    concat!("SELECT ", replay_columns!(), " FROM replay r WHERE r.id = $1 AND r.workspace = $2");
/// There are [`signalpost_core::limits::REPLAYS_REMEMBERED_MAX`] at most.
pub(crate) const SELECT_PHASES: &str = "SELECT id, phase, reason FROM replay WHERE workspace = $1";

/// `Missing("replay")`.
pub(super) async fn replay(session: &Session, id: ReplayId) -> Result<Replay, Failure> {
    let found = session.one(SELECT, &[&id.raw()], row::replay).await?;
    Ok(found.ok_or(StoreError::Missing("replay"))?)
}

pub(super) async fn replay_of(
    session: &Session,
    workspace: WorkspaceId,
    id: ReplayId,
) -> Result<Option<Replay>, Failure> {
    session.one(SELECT_OF, &[&id.raw(), &workspace.raw()], row::replay).await
}

pub(super) async fn counts(session: &Session, workspace: WorkspaceId) -> Result<ReplayCounts, Failure> {
    let phases = session
        .all(SELECT_PHASES, &[&workspace.raw()], |row| {
            let mut fields = Fields::new(row, "replay", 1);
            fields.skip();
            row::replay_phase(&mut fields)
        })
        .await?;
    Ok(ReplayCounts::of(phases.into_iter()))
}

/// The target of a job; `None` when it or the source is deleted.
pub(super) async fn target(session: &Session, replay: &Replay) -> Result<Option<Webhook>, Failure> {
    let source = replay.selection.source;
    let target = find::webhook(session, replay.workspace, replay.target).await?;
    if source != replay.target && find::webhook(session, replay.workspace, source).await?.is_none() {
        return Ok(None);
    }
    Ok(target)
}
