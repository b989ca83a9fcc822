//! Replays of a sequence.

use signalpost_core::id::{DeliveryId, EventId, ReplayId, WebhookId, WorkspaceId};
use signalpost_core::principal::Principal;
use signalpost_core::replay::{Progress, Replay};

use super::Compared;
use crate::replays::{Change, ChangeReplay, PlanReplay, StepReplay};
use crate::testing::differential::operation::IdOrder;
use crate::testing::differential::pair::Pair;
use crate::testing::differential::replays::{ReplayOperation, Rest, Told};
use crate::testing::differential::world::{World, choose};
use crate::testing::sample;

pub(super) async fn apply(operation: ReplayOperation, pair: &Pair<'_>, world: &mut World) -> Compared {
    match operation {
        ReplayOperation::Create { source, target, which, start } => {
            let Some((workspace, source)) = choose(&world.webhooks, source) else { return Ok(()) };
            let own = world.webhooks.iter().filter(|(owner, _)| *owner == workspace);
            let own: Vec<WebhookId> = own.map(|(_, webhook)| *webhook).collect();
            let target = target.and_then(|target| choose(&own, target)).unwrap_or(source);
            let mut replay = sample::replay(workspace, world.mint(IdOrder::Next), source);
            replay.selection.which = which;
            let at = world.now();
            let replay = Replay { target, start, made_at: at, changed_at: at, ..replay };
            create(replay, pair, world).await
        }
        ReplayOperation::Plan { replay, skipped, found, rest, told } => {
            let Some((workspace, replay)) = choose(&world.replays, replay) else { return Ok(()) };
            let from = progress(told, workspace, replay, pair).await?.planned_to;
            let is_whole = matches!(rest, Rest::None);
            let wanted = |known: &&(WorkspaceId, DeliveryId)| !is_whole || known.0 == workspace;
            let newest = world.deliveries.iter().rev().filter(wanted).skip(skipped).take(found);
            let found: Vec<EventId> = newest.map(|(_, id)| id.event).collect();
            let next = found.last().copied().filter(|_| !is_whole);
            plan(PlanReplay { replay, from, found, next, at: world.now() }, pair).await
        }
        ReplayOperation::Step { replay, take, due_max, told } => {
            let Some((workspace, replay)) = choose(&world.replays, replay) else { return Ok(()) };
            let from = progress(told, workspace, replay, pair).await?.done_to;
            let params = StepReplay { replay, from, take, due_max, at: world.now() };
            pair.both(|store| store.step_replay(params)).await.map(drop)
        }
        ReplayOperation::Ask { replay, caller, command } => {
            let Some((owner, replay)) = choose(&world.replays, replay) else { return Ok(()) };
            change(world.caller(owner, caller), replay, Change::Asked(command), pair, world).await
        }
        ReplayOperation::End { replay, reason } => {
            let Some((owner, replay)) = choose(&world.replays, replay) else { return Ok(()) };
            change(owner, replay, Change::Ended(reason), pair, world).await
        }
    }
}

/// Its target may come to have deliveries of any event.
async fn create(replay: Replay, pair: &Pair<'_>, world: &mut World) -> Compared {
    if pair.both(|store| store.create_replay(replay.clone())).await?.is_err() {
        return Ok(());
    }
    world.replays.push((replay.workspace, replay.id));
    let of_its = world.deliveries.iter().rev().take(4).map(|(owner, id)| (*owner, id.event));
    let further = of_its.map(|(owner, event)| (owner, DeliveryId { event, webhook: replay.target }));
    let further: Vec<_> = further.filter(|known| !world.deliveries.contains(known)).collect();
    world.deliveries.extend(further);
    Ok(())
}

async fn plan(params: PlanReplay, pair: &Pair<'_>) -> Compared {
    pair.both(|store| store.plan_replay(params.clone())).await.map(drop)
}

async fn change(
    workspace: WorkspaceId,
    replay: ReplayId,
    change: Change,
    pair: &Pair<'_>,
    world: &mut World,
) -> Compared {
    let params = ChangeReplay { workspace, replay, change, by: Principal::Operator, at: world.now() };
    pair.both(|store| store.change_replay(params.clone())).await.map(drop)
}

/// How far the model has come, as far as the caller knows it.
async fn progress(
    told: Told,
    workspace: WorkspaceId,
    replay: ReplayId,
    pair: &Pair<'_>,
) -> Result<Progress, String> {
    let [model, _] = pair.stores();
    let found = model.replay(workspace, replay).await.map_err(|error| format!("replay: {error}"))?;
    Ok(found.filter(|_| matches!(told, Told::Where)).map(|replay| replay.progress).unwrap_or_default())
}
