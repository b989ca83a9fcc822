//! The end in the source: it gives the workspaces up, and removes what it still has of them when they are in the target. Or it
//! keeps them after all.

use signalpost_store::StoreError;
use signalpost_store::change::Change;

use super::{Move, MoveError, Phase, UPDATE_PHASE, forget, phase};
use crate::catalog::erase_workspace::{bury_hidden, hide, leave_rest};
use crate::locks::Locked;
use crate::pool::Pool;
use crate::work::transact;
use crate::write::Write;

/// No verb that looks for a living workspace finds it.
pub(super) const HIDE: &str = "UPDATE workspace SET erased_at = $2 WHERE id = ANY($1::bigint[])";

/// From here on the source does not serve them. Returns when none of its nodes does.
pub(super) async fn go(pool: &Pool, moving: &Move) -> Result<(), StoreError> {
    let at = pool.shared.clock.now().as_ms();
    let work = async |write: &mut Write<'_>| {
        write.lock_moving_too(&moving.locks()).await?;
        if phase(write, moving.id).await? != Some(Phase::Copying) {
            return Err(StoreError::WrongState("the move was given up").into());
        }
        write.execute(HIDE, &[&moving.ids(), &at]).await?;
        write.execute(UPDATE_PHASE, &[&moving.id, &Phase::Gone.name()]).await?;
        moving.workspaces.iter().for_each(|(workspace, _)| write.note_change(Change::Erased(*workspace)));
        Ok(())
    };
    transact(pool, &work).await
}

/// They are in the target. What is left here goes as the rest of what was erased does, in bounded steps.
pub(super) async fn confirm(pool: &Pool, moving: &Move) -> Result<(), StoreError> {
    let at = pool.shared.clock.now();
    let work = async |write: &mut Write<'_>| {
        let keys = moving.workspaces.iter().map(|(workspace, _)| Locked::OperatorKeys(Some(*workspace)));
        write.lock_moving_too(&moving.locks().into_iter().chain(keys).collect::<Vec<_>>()).await?;
        if phase(write, moving.id).await? != Some(Phase::Gone) {
            return Err(StoreError::WrongState("the move is not so far").into());
        }
        for (workspace, _) in &moving.workspaces {
            hide(write, *workspace, at).await?;
            leave_rest(write, *workspace).await?;
        }
        forget(write, moving.id).await
    };
    transact(pool, &work).await?;
    for (workspace, _) in &moving.workspaces {
        bury_hidden(pool, *workspace).await?;
    }
    Ok(())
}

/// The source serves them again, with all that they are owed.
pub(super) async fn stay(pool: &Pool, moving: &Move) -> Result<Result<(), MoveError>, StoreError> {
    let work = async |write: &mut Write<'_>| {
        write.lock_moving_too(&moving.locks()).await?;
        match phase(write, moving.id).await? {
            Some(Phase::Gone) => return Ok(Err(MoveError::Left(moving.public_ids().join(", ")))),
            Some(Phase::Refusing | Phase::Copying) => {}
            Some(Phase::Arriving) | None => return Ok(Ok(())),
        }
        forget(write, moving.id).await?;
        moving.workspaces.iter().for_each(|(workspace, _)| write.note_change(Change::Arrived(*workspace)));
        Ok(Ok(()))
    };
    transact(pool, &work).await
}
