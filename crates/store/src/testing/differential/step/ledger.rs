//! Events, attempts and requeues of a sequence.

use std::sync::Arc;

use bytes::Bytes;
use signalpost_core::attempt::Verdict;
use signalpost_core::event::EventContent;
use signalpost_core::health::{Health, Hold};
use signalpost_core::id::{DeliveryId, EventId, WorkspaceId};
use signalpost_core::limits::EVENT_ID_KEPT_MS;
use signalpost_core::matching::wants;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::{DisableReason, Webhook};

use super::Compared;
use crate::catalog::CloseWorkspace;
use crate::ledger::{
    AcceptEvent, Accepted, Backlog, Dedupe, DueOrder, DuePage, Finished, HealthChange, Repeated, Requeue,
    RequeueLost, RequeueRule,
};
use crate::testing::differential::operation::{
    Afterwards, Call, Caller, Choice, Draft, End, Ended, EndedAs, IdOrder, Meaning, Version,
};
use crate::testing::differential::pair::Pair;
use crate::testing::differential::world::{World, choose, place};
use crate::testing::sample;
use crate::{Done, Store};

/// Publishes drafts in one call, each to the webhooks that want it.
pub(super) async fn accept(drafts: &[Draft], pair: &Pair<'_>, world: &mut World) -> Compared {
    let Some(calls) = calls_of(drafts, pair, world).await? else { return Ok(()) };
    let told = calls[0].clone();
    let answer =
        pair.each(calls.map(|call| move |store: &dyn crate::Store| store.accept(call.clone()))).await?;
    note_deliveries(told, answer.unwrap_or_default(), world);
    Ok(())
}

/// Closes a workspace with an event of the first type.
pub(super) async fn close(
    workspace: Choice,
    version: Version,
    pair: &Pair<'_>,
    world: &mut World,
) -> Compared {
    let draft = Draft {
        workspace,
        event_type: 0,
        subject: None,
        producer: None,
        ordering_key: None,
        version,
        id: IdOrder::Next,
    };
    let Some(calls) = calls_of(&[draft], pair, world).await? else { return Ok(()) };
    let told = calls[0].clone();
    let close = |call: Vec<AcceptEvent>| {
        let farewell = call.into_iter().next().expect("one draft makes one event");
        move |store: &dyn crate::Store| store.close_workspace(CloseWorkspace { farewell: farewell.clone() })
    };
    let answer = pair.each(calls.map(close)).await?;
    note_deliveries(told, answer.ok().flatten().into_iter().collect(), world);
    Ok(())
}

/// As [`accept`], once; the workspace of the first draft is the call's.
pub(super) async fn accept_once(
    drafts: &[Draft],
    call: Call,
    pair: &Pair<'_>,
    world: &mut World,
) -> Compared {
    let Some(calls) = calls_of(drafts, pair, world).await? else { return Ok(()) };
    let told = calls[0].clone();
    let once = world.once(told[0].workspace, call);
    let answer = pair
        .each(calls.map(|call| move |store: &dyn crate::Store| store.accept_once(call.clone(), once)))
        .await?;
    if let Ok(Done::Now(answers)) = answer {
        note_deliveries(told, answers, world);
    }
    pair.both(|store| store.done_before(once)).await.map(drop)
}

/// The same call for each store, at its own versions; `None` while there is no workspace.
async fn calls_of(
    drafts: &[Draft],
    pair: &Pair<'_>,
    world: &mut World,
) -> Result<Option<[Vec<AcceptEvent>; 2]>, String> {
    let mut calls: [Vec<AcceptEvent>; 2] = Default::default();
    let now = world.now();
    for draft in drafts {
        let Some(workspace) = choose(&world.workspaces, draft.workspace) else { return Ok(None) };
        let event = event_of(draft, workspace, pair, world, now).await?;
        let versions = pair.versions_of(workspace).await?;
        for (call, version) in calls.iter_mut().zip(versions) {
            // Of a workspace that is gone any number will do.
            let current = version.unwrap_or_default();
            let version = match draft.version {
                Version::Current => current,
                Version::Wrong => current.wrapping_add(1),
            };
            call.push(AcceptEvent { version, ..event.clone() });
        }
    }
    Ok(Some(calls))
}

fn note_deliveries(events: Vec<AcceptEvent>, answers: Vec<Accepted>, world: &mut World) {
    for (event, answer) in events.into_iter().zip(answers) {
        if answer.repeated == Repeated::No {
            let ids = event.targets.iter().map(|webhook| DeliveryId { event: event.id, webhook: *webhook });
            world.deliveries.extend(ids.map(|id| (event.workspace, id)));
        }
    }
}

async fn event_of(
    draft: &Draft,
    workspace: WorkspaceId,
    pair: &Pair<'_>,
    world: &mut World,
    accepted_at: Timestamp,
) -> Result<AcceptEvent, String> {
    let id = world.mint(draft.id);
    let accepted_at = world.accepted_at(draft.id, accepted_at);
    let mut event = sample::event(workspace, id, 0, &[]);
    let dedupe = draft.producer.and_then(|producer| match producer.meaning {
        Meaning::Label => None,
        Meaning::Identity(said) => {
            let not_before = accepted_at.plus_ms(-EVENT_ID_KEPT_MS);
            Some(Dedupe { fingerprint: [said; 32], not_before })
        }
    });
    event.content = EventContent {
        producer_id: draft.producer.map(|producer| format!("producer-{}", producer.id)),
        event_type: format!("type.{}", draft.event_type),
        subject: draft.subject.map(|n| format!("subject {n}")),
        ordering_key: draft.ordering_key.map(|n| format!("key {n}")),
        time: accepted_at,
        data: Bytes::from(format!("[{id}]")),
        ..event.content
    };
    let wanting = wanting(&event.content, workspace, pair).await?;
    let targets = wanting.iter().map(|webhook| webhook.id).collect();
    let ordered = wanting.iter().filter(|webhook| webhook.order.by_key).map(|webhook| webhook.id).collect();
    Ok(AcceptEvent { id: EventId::from_raw(id), targets, ordered, accepted_at, dedupe, ..event })
}

async fn wanting(
    content: &EventContent,
    workspace: WorkspaceId,
    pair: &Pair<'_>,
) -> Result<Vec<Webhook>, String> {
    let [model, _] = pair.stores();
    let fan_out = model.fan_out(workspace).await.map_err(|error| format!("fan-out: {error}"))?;
    let webhooks = fan_out.map(|fan_out| fan_out.webhooks).unwrap_or_default();
    let wanting = |hook: &Webhook| wants(hook, &content.event_type, content.subject.as_deref());
    Ok(webhooks.into_iter().filter(wanting).collect())
}

pub(super) async fn start(
    webhook: Choice,
    limit: usize,
    from: End,
    pair: &Pair<'_>,
    world: &mut World,
) -> Compared {
    let order = match from {
        End::Oldest => DueOrder::OLDEST_FIRST,
        End::OldestSince { ms } => DueOrder::OldestFirst { from: world.now().plus_ms(-ms) },
        End::Newest => DueOrder::NewestFirst { until: world.now() },
    };
    let Some((owner, webhook)) = choose(&world.webhooks, webhook) else { return Ok(()) };
    let rows = pair.both(|store| store.due_page(DuePage { webhook, limit, order })).await?;
    world.in_flight.extend(rows.unwrap_or_default().into_iter().map(|due| (owner, due)));
    Ok(())
}

pub(super) async fn finish(ended: &[Ended], pair: &Pair<'_>, world: &mut World) -> Compared {
    let now = world.now();
    let mut finished = Vec::new();
    for ended in ended {
        let Some(place) = place(&world.in_flight, ended.in_flight) else { break };
        let (workspace, due) = match ended.afterwards {
            Afterwards::Forget => world.in_flight.remove(place),
            Afterwards::Repeat => world.in_flight[place],
        };
        let verdict = match ended.verdict {
            EndedAs::Delivered => Verdict::Delivered,
            EndedAs::RetryIn { ms } => Verdict::RetryAt(now.plus_ms(ms)),
            EndedAs::HeldFor { ms } => Verdict::HeldUntil(now.plus_ms(ms)),
            EndedAs::GaveUp => Verdict::GiveUp,
        };
        let health = ended.health.map(|health| health_change(health, now));
        let concurrency = ended.concurrency;
        let mut one = Finished { health, concurrency, ..sample::finished(workspace, due, verdict) };
        one.attempt.at = now;
        finished.push(one);
    }
    let begun = |store: &dyn Store| Arc::new(sample::begun_by(store, finished.clone()));
    pair.both(|store| store.finish(begun(store))).await.map(drop)
}

/// Of a webhook that is paused after its third failure in a row, and skips what was held with its first success.
fn health_change((failures, disable): (u32, Option<DisableReason>), now: Timestamp) -> HealthChange {
    let change = sample::health(failures, disable);
    let hold =
        (failures == 3).then_some(Hold { since: now, probes: failures, probe_at: now.plus_ms(60_000) });
    let backlog = if failures == 0 { Backlog::Skipped } else { Backlog::Kept };
    let health = Health { failing_since: (failures > 0).then_some(now), hold, ..change.health };
    HealthChange { health, backlog, ..change }
}

pub(super) async fn requeue(
    delivery: Choice,
    caller: Caller,
    rule: RequeueRule,
    pair: &Pair<'_>,
    world: &mut World,
) -> Compared {
    let Some((owner, delivery)) = choose(&world.deliveries, delivery) else { return Ok(()) };
    let params = Requeue { workspace: world.caller(owner, caller), delivery, at: world.now(), rule };
    pair.both(|store| store.requeue(params)).await.map(drop)
}

pub(super) async fn requeue_lost(
    deliveries: usize,
    caller: Caller,
    pair: &Pair<'_>,
    world: &mut World,
) -> Compared {
    let Some((owner, _)) = choose(&world.deliveries, 0) else { return Ok(()) };
    let newest = world.deliveries.iter().rev().take(deliveries).map(|(_, id)| *id).collect();
    let params = RequeueLost { workspace: world.caller(owner, caller), deliveries: newest, at: world.now() };
    pair.both(|store| store.requeue_lost(params.clone())).await.map(drop)
}
