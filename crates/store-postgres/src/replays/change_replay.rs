//! `change_replay`: a command, or the engine's own end of a job.

use signalpost_core::replay::Replay;
use signalpost_store::StoreError;
use signalpost_store::change::Change;
use signalpost_store::replays::ChangeReplay;

use super::{end, find};
use crate::failure::Failure;
use crate::write::Write;

pub(super) async fn run(write: &mut Write<'_>, params: &ChangeReplay) -> Result<Replay, Failure> {
    let ChangeReplay { workspace, replay, change, ref by, at } = *params;
    write.lock(workspace).await?;
    let replay = find::replay_of(write, workspace, replay).await?;
    let mut replay = replay.ok_or(StoreError::Missing("replay"))?;
    let after = change.of(replay.phase)?;
    if after == replay.phase {
        return Ok(replay);
    }
    if after.is_busy() && !replay.phase.is_busy() {
        find::counts(write, workspace).await?.check_busy()?;
    }
    replay.change(after, by.clone(), at);
    write.note_change(Change::Replay(replay.target));
    end::save(write, replay).await
}
