//! Replays as jobs: how they are made, planned, commanded and forgotten.

use signalpost_core::attempt::Verdict;
use signalpost_core::id::{EventId, OperatorKeyId, ReplayId, WebhookId, WorkspaceId};
use signalpost_core::limits::{
    REPLAY_IDLE_MS, REPLAY_REMEMBERED_MS, REPLAYS_BUSY_MAX, REPLAYS_OPEN_MAX, REPLAYS_REMEMBERED_MAX,
};
use signalpost_core::principal::Principal;
use signalpost_core::replay::{CancelReason, Command, Phase, Replay, Start};

use super::Harness;
use super::kit::{Kit, refusal};
use super::replay_kit::{counts, events, look, step};
use crate::catalog::EraseWorkspace;
use crate::replays::{BusyReplays, Change, ListReplays, StepReplay};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

pub async fn a_replay_is_kept_as_given(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source, target]) = kit.tenant().await;
    let first = sample::replay(workspace, 41, source);
    let mut second = sample::replay(workspace, 42, source);
    second.selection.types.clear();
    second.selection.subject = None;
    let (start, made_by) = (Start::WhenPlanned, Principal::user("7", "Ann (the first)"));
    let second = Replay { target, start, made_by, ..second };
    for replay in [&first, &second] {
        kit.create_replay(replay.clone()).await.expect("a new replay");
        assert_eq!(kit.replay_now(replay).await, *replay);
        assert_eq!(kit.replay_sample(workspace, replay.id, 9).await.expect("it reads"), []);
    }
    assert_eq!(kit.highest_id(), 42);
    let page = |before, limit| kit.list_replays(ListReplays { workspace, before, limit });
    let all = [second.clone(), first.clone()];
    assert_eq!(page(None, 9).await.expect("it reads"), all);
    assert_eq!(page(None, 1).await.expect("it reads")[..], all[..1]);
    assert_eq!(page(Some(second.id), 1).await.expect("it reads")[..], all[1..]);
    assert_eq!(kit.busy().await, [41, 42]);
    let later = BusyReplays { after: Some(first.id), limit: 1 };
    assert_eq!(kit.busy_replays(later).await.expect("it reads"), [second]);
    assert_eq!(kit.replay(workspace, ReplayId::from_raw(40)).await.expect("it reads"), None);
}

pub async fn a_replay_needs_a_workspace_and_both_webhooks(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source, gone]) = kit.tenant().await;
    let other = kit.workspace(2).await;
    let foreign = kit.subscribe(other, 21).await;
    kit.delete(workspace, gone, 30).await;
    let nowhere = sample::replay(WorkspaceId::from_raw(9), 41, source);
    assert_eq!(refusal(kit.create_replay(nowhere).await), Refusal::Missing("workspace"));
    for webhook in [gone, foreign, WebhookId::from_raw(99)] {
        let from = sample::replay(workspace, 41, webhook);
        let to = Replay { target: webhook, ..sample::replay(workspace, 41, source) };
        for replay in [Replay { target: source, ..from }, to] {
            assert_eq!(refusal(kit.create_replay(replay).await), Refusal::Missing("webhook"));
        }
    }
    assert_eq!(kit.busy().await, [0; 0]);
}

pub async fn a_workspace_has_so_many_replays_and_no_more(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source]) = kit.tenant().await;
    let mut ids = 100..;
    let mut next = || sample::replay(workspace, ids.next().expect("numbers"), source);
    for _ in 0..REPLAYS_BUSY_MAX {
        kit.create_replay(next()).await.expect("there is room");
    }
    let busy = Refusal::LimitReached("replays that are being planned or run");
    assert_eq!(refusal(kit.create_replay(next()).await), busy);
    let waiting = sample::replay(workspace, 100, source);
    kit.plan_replay(look(&waiting, &[], None)).await.expect("it is planned");
    kit.create_replay(next()).await.expect("what waits makes room");
    assert_eq!(refusal(kit.ask(&waiting, Command::Start, 901).await), busy);
    let last = sample::replay(workspace, 101, source);
    kit.ask(&last, Command::Cancel, 902).await.expect("it is cancelled");
    kit.ask(&waiting, Command::Start, 903).await.expect("what has ended makes room");
    let other = kit.workspace(2).await;
    let neighbour = sample::replay(other, 50, kit.subscribe(other, 21).await);
    kit.create_replay(neighbour).await.expect("another workspace has room of its own");

    let last = sample::replay(workspace, 102, source);
    kit.ask(&last, Command::Cancel, 904).await.expect("it is cancelled");
    for _ in REPLAYS_BUSY_MAX..=REPLAYS_OPEN_MAX {
        kit.planned(next(), &[]).await;
    }
    let open = Refusal::LimitReached("replays that have not ended");
    assert_eq!(refusal(kit.create_replay(next()).await), open);
    let last = sample::replay(workspace, 103, source);
    kit.ask(&last, Command::Cancel, 905).await.expect("it is cancelled");
    // Three have ended, and one less is open than may be.
    for _ in REPLAYS_OPEN_MAX + 2..REPLAYS_REMEMBERED_MAX {
        let replay = next();
        kit.create_replay(replay.clone()).await.expect("there is room");
        kit.ask(&replay, Command::Cancel, 906).await.expect("it is cancelled");
    }
    let remembered = Refusal::LimitReached("replays that are remembered");
    assert_eq!(refusal(kit.create_replay(next()).await), remembered);
}

pub async fn a_plan_grows_with_each_look_and_is_frozen_then(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source]) = kit.tenant().await;
    let replay = sample::replay(workspace, 41, source);
    assert_eq!(refusal(kit.plan_replay(look(&replay, &[], None)).await), Refusal::Missing("replay"));
    kit.create_replay(replay.clone()).await.expect("a new replay");
    let first = look(&replay, &[39, 37], Some(36));
    let planning = kit.plan_replay(first.clone()).await.expect("it is planned");
    assert_eq!((planning.phase, planning.progress.planned), (Phase::Planning, 2));
    assert_eq!(planning.progress.planned_to, Some(EventId::from_raw(36)));
    assert_eq!((&planning.changed_by, planning.changed_at), (&replay.changed_by, replay.changed_at));
    assert_eq!(refusal(kit.plan_replay(first).await), Refusal::WrongState, "it has come further");
    assert_eq!(refusal(kit.step_replay(step(&planning)).await), Refusal::WrongState, "it does not run");

    let planned = kit.plan_replay(look(&planning, &[37, 35, 33], None)).await.expect("it is planned");
    assert_eq!((planned.phase, planned.progress.planned), (Phase::Planned, 4), "37 was found twice");
    assert_eq!((&planned.changed_by, planned.changed_at), (&Principal::Engine, sample::at(900)));
    assert_eq!(kit.replay_now(&replay).await, planned);
    let sample = kit.replay_sample(workspace, replay.id, 3).await.expect("it reads");
    assert_eq!(sample, events(&[33, 35, 37]));
    let late = look(&planned, &[31], None);
    assert_eq!(refusal(kit.plan_replay(late).await), Refusal::WrongState, "it is frozen");
    assert_eq!(kit.busy().await, [0; 0]);

    let running = kit.run(sample::replay(workspace, 42, source), &[31]).await;
    assert_eq!(running.phase, Phase::Running);
    assert_eq!(kit.busy().await, [42]);
}

pub async fn commands_lead_where_they_can(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source]) = kit.tenant().await;
    let replay = sample::replay(workspace, 41, source);
    assert_eq!(refusal(kit.ask(&replay, Command::Start, 1).await), Refusal::Missing("replay"));
    let replay = kit.planned(replay, &[31, 32]).await;
    let by = Principal::OperatorKey(OperatorKeyId::from_raw(5));
    assert_eq!(refusal(kit.ask(&replay, Command::Pause, 910).await), Refusal::WrongState);
    for (at_ms, command, phase, changed_at) in [
        (911, Command::Start, Phase::Running, 911),
        (912, Command::Start, Phase::Running, 911),
        (913, Command::Pause, Phase::Paused, 913),
        (914, Command::Resume, Phase::Running, 914),
        (915, Command::Cancel, Phase::Cancelled(CancelReason::Asked), 915),
        (916, Command::Cancel, Phase::Cancelled(CancelReason::Asked), 915),
    ] {
        let changed = kit.ask(&replay, command, at_ms).await.expect("it can be");
        assert_eq!((changed.phase, changed.changed_at), (phase, sample::at(changed_at)), "{command:?}");
        assert_eq!(changed.changed_by, by);
        assert_eq!(kit.replay_now(&replay).await, changed);
    }
    assert_eq!(refusal(kit.ask(&replay, Command::Resume, 917).await), Refusal::WrongState);
    assert_eq!(kit.replay_sample(workspace, replay.id, 9).await.expect("it reads"), []);
    let ended = Change::Ended(CancelReason::WebhookDeleted);
    let still = kit.change(&replay, ended, 918).await.expect("it has ended");
    assert_eq!(still.phase, Phase::Cancelled(CancelReason::Asked));
    let second = kit.planned(sample::replay(workspace, 42, source), &[31]).await;
    let now = kit.change(&second, ended, 919).await.expect("it is open");
    assert_eq!(now.phase, Phase::Cancelled(CancelReason::WebhookDeleted));
}

pub async fn a_replay_ends_with_its_webhooks(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source, target, stays]) = kit.tenant().await;
    kit.history(workspace, source, &[Verdict::GiveUp]).await;
    let (first, second) = (sample::replay(workspace, 41, source), sample::replay(workspace, 42, source));
    let stepping = kit.run(Replay { target, ..first }, &[31]).await;
    kit.create_replay(Replay { target, ..second.clone() }).await.expect("a new replay");
    let third = kit.run(Replay { target: stays, ..sample::replay(workspace, 43, source) }, &[31]).await;
    kit.delete(workspace, target, 50).await;
    let ended = Phase::Cancelled(CancelReason::WebhookDeleted);
    let stepped = kit.step(step(&stepping)).await;
    assert_eq!((stepped.replay.phase, stepped.waits), (ended, None));
    let planned = kit.plan_replay(look(&second, &[31], None)).await.expect("it is answered");
    assert_eq!((planned.phase, planned.changed_by), (ended, Principal::Engine));
    assert_eq!(kit.busy().await, [43]);
    kit.delete(workspace, source, 51).await;
    assert_eq!(kit.step(step(&third)).await.replay.phase, ended);
    assert_eq!(kit.owed_events(stays).await, [0; 0]);
}

pub async fn upkeep_ends_what_nobody_has_started_and_forgets_what_ended_long_ago(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source]) = kit.tenant().await;
    let waiting = kit.planned(sample::replay(workspace, 41, source), &[31]).await;
    let paused = kit.run(sample::replay(workspace, 42, source), &[31]).await;
    kit.ask(&paused, Command::Pause, 910).await.expect("it runs");
    let running = kit.run(sample::replay(workspace, 43, source), &[31]).await;
    let planning = sample::replay(workspace, 44, source);
    kit.create_replay(planning.clone()).await.expect("a new replay");
    kit.tidy_up(899 + REPLAY_IDLE_MS).await;
    assert_eq!(kit.replay_now(&waiting).await, waiting);
    let end_ms = 900 + REPLAY_IDLE_MS;
    kit.tidy_up(end_ms).await;
    let forgotten = kit.replay_now(&waiting).await;
    assert_eq!(forgotten.phase, Phase::Cancelled(CancelReason::Forgotten));
    assert_eq!((forgotten.changed_by, forgotten.changed_at), (Principal::Engine, sample::at(end_ms)));
    assert_eq!(kit.replay_now(&paused).await.phase, Phase::Paused);
    kit.tidy_up(end_ms + REPLAY_REMEMBERED_MS - 1).await;
    assert!(kit.replay(workspace, waiting.id).await.expect("it reads").is_some());
    kit.tidy_up(end_ms + REPLAY_REMEMBERED_MS).await;
    assert_eq!(kit.replay(workspace, waiting.id).await.expect("it reads"), None);
    let left = kit.list_replays(ListReplays { workspace, before: None, limit: 9 }).await.expect("it reads");
    let phases: Vec<Phase> = left.iter().map(|replay| replay.phase).collect();
    let ended = Phase::Cancelled(CancelReason::Forgotten);
    assert_eq!(phases, [Phase::Planning, Phase::Running, ended], "what is worked on goes on");
    assert_eq!(kit.replay_now(&running).await, running);
    assert_eq!(kit.highest_id(), 44);
}

pub async fn replays_go_with_their_workspace(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source]) = kit.tenant().await;
    kit.history(workspace, source, &[Verdict::GiveUp]).await;
    let running = kit.run(sample::replay(workspace, 70, source), &[31]).await;
    kit.create_replay(sample::replay(workspace, 71, source)).await.expect("a new replay");
    kit.erase_workspace(EraseWorkspace { workspace, at: sample::at(72) }).await.expect("it exists");
    assert_eq!(kit.replay(workspace, running.id).await.expect("it reads"), None);
    assert_eq!(kit.busy().await, [0; 0]);
    assert_eq!(refusal(kit.step_replay(step(&running)).await), Refusal::Missing("replay"));
    let planning = sample::replay(workspace, 71, source);
    assert_eq!(refusal(kit.plan_replay(look(&planning, &[31], None)).await), Refusal::Missing("replay"));
    assert_eq!(refusal(kit.ask(&running, Command::Cancel, 73).await), Refusal::Missing("replay"));
    kit.tidy_up(80).await;
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 71, "an id is never given out again");
}

pub async fn a_replay_outlives_a_restart(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source]) = kit.tenant().await;
    kit.history(workspace, source, &[Verdict::GiveUp; 3]).await;
    let running = kit.run(sample::replay(workspace, 41, source), &[31, 32, 33]).await;
    let stepped = kit.step(StepReplay { take: 2, ..step(&running) }).await;
    kit.planned(sample::replay(workspace, 42, source), &[31]).await;
    let before = kit.snapshot().await;
    drop(kit);
    let kit = Kit::open(harness);
    assert_eq!(before.difference(&kit.snapshot().await), None);
    let busy = kit.busy_replays(BusyReplays { after: None, limit: 9 }).await.expect("it reads");
    assert_eq!(busy, [stepped.replay], "it goes on where it was");
    let last = kit.step(step(&busy[0])).await;
    assert_eq!((last.replay.phase, counts(&last.replay)), (Phase::Done, (3, 3, 0)));
}
