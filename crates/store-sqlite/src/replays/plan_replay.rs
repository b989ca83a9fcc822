//! `plan_replay`: what one look at the past has found goes into the plan.

use signalpost_core::limits::REPLAY_DELIVERIES_MAX;
use signalpost_core::principal::Principal;
use signalpost_core::replay::{CancelReason, Phase, Replay};
use signalpost_store::replays::PlanReplay;

use super::{end, find};
use crate::failure::Failure;
use crate::write::Write;

pub(crate) const INSERT: &str = "INSERT OR IGNORE INTO replay_plan (replay, event) VALUES (?1, ?2)";

pub(super) fn run(write: &mut Write<'_>, params: &PlanReplay) -> Result<Replay, Failure> {
    let mut replay = find::replay(write, params.replay)?;
    params.check(&replay)?;
    if find::target(write, &replay)?.is_none() {
        replay.change(Phase::Cancelled(CancelReason::WebhookDeleted), Principal::Engine, params.at);
        return end::save(write, replay);
    }
    let mut insert = write.statement(INSERT)?;
    for event in &params.found {
        let added = insert.execute([replay.id.raw(), event.raw()])?;
        replay.progress.planned += u64::try_from(added).expect("one row or none");
    }
    if replay.progress.planned > REPLAY_DELIVERIES_MAX {
        replay.change(Phase::Cancelled(CancelReason::TooMany), Principal::Engine, params.at);
        return end::save(write, replay);
    }
    replay.progress.planned_to = params.next;
    if params.next.is_none() {
        replay.change(replay.after_planning(), Principal::Engine, params.at);
    }
    end::save(write, replay)
}
