//! `plan_replay`: what one look at the past has found goes into the plan.

use signalpost_core::limits::REPLAY_DELIVERIES_MAX;
use signalpost_core::principal::Principal;
use signalpost_core::replay::{CancelReason, Phase, Replay};
use signalpost_store::replays::PlanReplay;

use super::{end, find};
use crate::failure::Failure;
use crate::write::Write;

pub(crate) const INSERT: &str = "INSERT INTO replay_plan (replay, event)
    SELECT $1::bigint, k FROM unnest($2::bigint[]) AS k ON CONFLICT DO NOTHING";

pub(super) async fn run(write: &mut Write<'_>, params: &PlanReplay) -> Result<Replay, Failure> {
    let workspace = find::replay(write, params.replay).await?.workspace;
    write.lock(workspace).await?;
    let mut replay = find::replay(write, params.replay).await?;
    params.check(&replay)?;
    if find::target(write, &replay).await?.is_none() {
        replay.change(Phase::Cancelled(CancelReason::WebhookDeleted), Principal::Engine, params.at);
        return end::save(write, replay).await;
    }
    let found: Vec<i64> = params.found.iter().map(|event| event.raw()).collect();
    replay.progress.planned += write.execute(INSERT, &[&replay.id.raw(), &found]).await?;
    if replay.progress.planned > REPLAY_DELIVERIES_MAX {
        replay.change(Phase::Cancelled(CancelReason::TooMany), Principal::Engine, params.at);
        return end::save(write, replay).await;
    }
    replay.progress.planned_to = params.next;
    if params.next.is_none() {
        replay.change(replay.after_planning(), Principal::Engine, params.at);
    }
    end::save(write, replay).await
}
