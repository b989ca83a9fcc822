//! Steps of replays: a part of a plan is owed once more, in one commit with how far the job has come.

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::DeliveryState;
use signalpost_core::health::{Health, Hold};
use signalpost_core::id::{DeliveryId, EventId};
use signalpost_core::principal::Principal;
use signalpost_core::replay::{Command, Phase, Replay, Which};
use signalpost_core::retention::RetentionRules;

use super::Harness;
use super::kit::{Kit, delivery, refusal};
use super::replay_kit::{STEP_MS, counts, step};
use crate::ledger::{Backlog, HealthChange, ListDeliveries};
use crate::replays::{StepReplay, Stepped, Waits};
use crate::testing::notes::{Notes, Told};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

const RETRY: Verdict = Verdict::RetryAt(sample::at(90_000));

pub async fn a_step_owes_what_failed_and_passes_over_the_rest(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source]) = kit.tenant().await;
    let other = kit.workspace(2).await;
    let foreign = kit.subscribe(other, 21).await;
    kit.publish_and_attempt(other, 30, foreign, Verdict::GiveUp).await;
    // One failed, one arrived meanwhile, one is pending, and one has lost its payload.
    let verdicts = [Verdict::GiveUp, Verdict::GiveUp, Verdict::Delivered, RETRY];
    kit.history(workspace, source, &verdicts).await;
    let rules = RetentionRules {
        event_age_max: None,
        payload_age_max: Some(std::time::Duration::from_millis(60)),
        bytes_max: None,
    };
    assert_eq!(kit.retain_all(92, &rules).await.1, 3, "of the foreign event, too");
    kit.publish_and_attempt(workspace, 35, source, Verdict::GiveUp).await;
    kit.publish_and_attempt(workspace, 36, source, Verdict::Delivered).await;

    let notes = Notes::on(&*kit);
    let running = kit.run(sample::replay(workspace, 60, source), &[29, 30, 31, 33, 34, 35, 36]).await;
    let first = kit.step(StepReplay { take: 5, ..step(&running) }).await;
    assert_eq!((counts(&first.replay), first.waits), ((7, 0, 5), None));
    assert_eq!(first.replay.progress.done_to, Some(EventId::from_raw(34)));
    assert_eq!(notes.take(), [], "nothing was owed");
    let last = kit.step(step(&first.replay)).await;
    assert_eq!((last.replay.phase, counts(&last.replay), last.waits), (Phase::Done, (7, 1, 6), None));
    assert_eq!((&last.replay.changed_by, last.replay.changed_at), (&Principal::Engine, sample::at(STEP_MS)));
    assert_eq!(kit.replay_now(&running).await, last.replay);
    let due = kit.owed(source).await[0];
    assert_eq!((due.id, due.due_at, due.steps), (delivery(35, source), sample::at(STEP_MS), 2));
    assert_eq!(notes.take(), [Told::Requeued(due, workspace)]);
    assert_eq!(kit.owed_events(foreign).await, [0; 0]);
    assert_eq!(kit.replay_sample(workspace, running.id, 9).await.expect("it reads"), [], "the plan is gone");
}

pub async fn a_step_is_done_once(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source]) = kit.tenant().await;
    kit.history(workspace, source, &[Verdict::GiveUp; 3]).await;
    let running = kit.run(sample::replay(workspace, 41, source), &[31, 32, 33]).await;
    let params = StepReplay { take: 1, ..step(&running) };
    let first = kit.step(params).await;
    assert_eq!(kit.owed_events(source).await, [31]);
    let before = kit.snapshot().await;
    assert_eq!(refusal(kit.step_replay(params).await), Refusal::WrongState);
    let paused = kit.ask(&running, Command::Pause, 1_001).await.expect("it runs");
    assert_eq!(refusal(kit.step_replay(step(&first.replay)).await), Refusal::WrongState, "it is paused");
    kit.ask(&paused, Command::Resume, 1_002).await.expect("it is paused");
    kit.attempt(workspace, kit.owed_one(source).await, Verdict::Delivered).await;
    let second = kit.step(step(&first.replay)).await;
    assert_eq!((second.replay.phase, counts(&second.replay)), (Phase::Done, (3, 3, 0)));
    assert_eq!(kit.owed_events(source).await, [32, 33], "what was sent is not sent again");
    assert!(before.difference(&kit.snapshot().await).is_some());
    assert_eq!(refusal(kit.step_replay(step(&second.replay)).await), Refusal::WrongState);
}

pub async fn all_that_ended_may_be_sent_again(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source]) = kit.tenant().await;
    kit.history(workspace, source, &[Verdict::GiveUp, Verdict::Delivered, RETRY]).await;
    let mut replay = sample::replay(workspace, 41, source);
    replay.selection.which = Which::All;
    let running = kit.run(replay, &[31, 32, 33]).await;
    let stepped = kit.step(step(&running)).await;
    assert_eq!((stepped.replay.phase, counts(&stepped.replay)), (Phase::Done, (3, 2, 1)));
    assert_eq!(kit.owed_events(source).await, [31, 32, 33], "33 is due for its retry as it was");
    assert_eq!(kit.owed(source).await[2].due_at, sample::at(90_000));
}

pub async fn another_webhook_gets_what_was_not_meant_for_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace_with_feed(1).await;
    let source = kit.subscribe(workspace, 11).await;
    let mut ordered = sample::webhook(workspace, 12);
    ordered.order.by_key = true;
    let target = kit.add(ordered).await;
    for n in [31, 32] {
        let mut event = kit.draft(workspace, n, &[source]).await;
        event.content.ordering_key = Some("key".to_owned());
        kit.accept_one(event).await;
    }
    // One of them stands in the listing indexes, if there are any, and the other does not.
    kit.tidy_up(40).await;
    kit.publish(workspace, 33, &[source]).await;
    let usage = kit.usage(workspace).await.expect("it reads").expect("it exists");
    let running = kit.run(Replay { target, ..sample::replay(workspace, 41, source) }, &[31, 33]).await;
    let stepped = kit.step(step(&running)).await;
    assert_eq!((stepped.replay.phase, counts(&stepped.replay)), (Phase::Done, (2, 2, 0)));

    let owed = kit.owed(target).await;
    assert_eq!(owed.iter().map(|due| due.id.event.raw()).collect::<Vec<_>>(), [31, 33]);
    assert!(owed.iter().all(|due| due.order.is_none() && due.steps == 1));
    for n in [31, 33] {
        let record = kit.look(workspace, delivery(n, target)).await;
        assert_eq!(record.event.targets, [source, target]);
        assert_eq!(record.summary.state, DeliveryState::Pending { next_at: sample::at(STEP_MS) });
    }
    assert_eq!(kit.owed_events(source).await, [31, 32, 33], "the source is owed what it was");
    let params = ListDeliveries {
        workspace,
        webhook: Some(target),
        event: None,
        status: None,
        before: None,
        limit: 9,
    };
    let listed = || async {
        let page = kit.list_deliveries(params.clone()).await.expect("it reads");
        page.rows.iter().map(|row| row.id).collect::<Vec<DeliveryId>>()
    };
    let expected = [delivery(33, target), delivery(31, target)];
    assert_eq!(listed().await, expected);
    kit.tidy_up(50).await;
    assert_eq!(listed().await, expected);
    let now = kit.usage(workspace).await.expect("it reads").expect("it exists");
    assert!(now.bytes > usage.bytes && now.events == usage.events);
    kit.attempt(workspace, owed[0], Verdict::GiveUp).await;
    let again = kit.run(Replay { target, ..sample::replay(workspace, 42, source) }, &[31, 33]).await;
    let stepped = kit.step(step(&again)).await;
    assert_eq!(counts(&stepped.replay), (2, 1, 1), "it is a delivery like any other by now");
}

pub async fn a_step_takes_what_is_left_to_its_target(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source]) = kit.tenant().await;
    kit.history(workspace, source, &[Verdict::GiveUp; 5]).await;
    // What a cut has ended does not count.
    let ended = kit.run(sample::replay(workspace, 41, source), &[34, 35]).await;
    kit.step(step(&ended)).await;
    kit.disable(workspace, source, 42).await;
    kit.enable(workspace, source, 43).await;
    let running = kit.run(sample::replay(workspace, 44, source), &[31, 32, 33]).await;
    let full = kit.step(StepReplay { due_max: 0, ..step(&running) }).await;
    assert_eq!(full, Stepped { replay: running.clone(), waits: Some(Waits::Busy) });
    let first = kit.step(StepReplay { due_max: 1, ..step(&running) }).await;
    assert_eq!((counts(&first.replay), first.waits), ((3, 1, 0), Some(Waits::Busy)));
    assert_eq!(kit.owed_events(source).await, [31]);
    let full = kit.step(StepReplay { due_max: 1, ..step(&first.replay) }).await;
    assert_eq!(full, Stepped { replay: first.replay.clone(), waits: Some(Waits::Busy) });
    let taken = kit.step(StepReplay { due_max: 9, take: 1, ..step(&first.replay) }).await;
    assert_eq!((counts(&taken.replay), taken.waits), ((3, 2, 0), None), "it took what it was to take");
    let last = kit.step(StepReplay { due_max: 3, ..step(&taken.replay) }).await;
    assert_eq!((last.replay.phase, last.waits), (Phase::Done, None));
}

/// A webhook that always has something to do would never be replayed to.
pub async fn what_was_not_asked_for_again_takes_no_room(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source]) = kit.tenant().await;
    let retry_now = Verdict::RetryAt(sample::at(100));
    let verdicts = [Verdict::GiveUp, Verdict::GiveUp, Verdict::GiveUp, retry_now, retry_now];
    kit.history(workspace, source, &verdicts).await;
    for n in 50..70 {
        kit.publish(workspace, n, &[source]).await;
    }
    let running = kit.run(sample::replay(workspace, 71, source), &[31, 32, 33]).await;
    let first = kit.step(StepReplay { due_max: 1, ..step(&running) }).await;
    assert_eq!((counts(&first.replay), first.waits), ((3, 1, 0), Some(Waits::Busy)));
    let owed = kit.owed(source).await;
    let again = *owed.iter().find(|due| due.id == delivery(31, source)).expect("it was asked for");
    assert_eq!(owed.len(), 23);
    // It was tried, and is retried as a new one is.
    kit.attempt(workspace, again, Verdict::RetryAt(sample::at(STEP_MS))).await;
    let second = kit.step(StepReplay { due_max: 1, ..step(&first.replay) }).await;
    assert_eq!((counts(&second.replay), second.waits), ((3, 2, 0), Some(Waits::Busy)));
    let last = kit.step(StepReplay { due_max: 2, ..step(&second.replay) }).await;
    assert_eq!((last.replay.phase, last.waits), (Phase::Done, None));
}

pub async fn a_replay_waits_while_its_target_is_off(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [source]) = kit.tenant().await;
    kit.history(workspace, source, &[Verdict::GiveUp; 2]).await;
    let running = kit.run(sample::replay(workspace, 41, source), &[31, 32]).await;
    let waits = Stepped { replay: running.clone(), waits: Some(Waits::TargetOff) };
    kit.pause(workspace, source, 50).await;
    assert_eq!(kit.step(step(&running)).await, waits);
    kit.enable(workspace, source, 51).await;

    kit.publish(workspace, 33, &[source]).await;
    let hold = Some(Hold { since: sample::at(52), probes: 1, probe_at: sample::at(99) });
    let health = Health { consecutive_failures: 9, hold, ..Health::default() };
    let change = HealthChange { health, disable: None, backlog: Backlog::Kept };
    let mut held = sample::finished(workspace, kit.owed_one(source).await, Verdict::GiveUp);
    held.health = Some(change);
    kit.record(vec![held]).await;
    assert_eq!(kit.step(step(&running)).await, waits);
    assert_eq!(kit.owed_events(source).await, [0; 0]);
    kit.disable(workspace, source, 53).await;
    kit.enable(workspace, source, 54).await;
    let stepped = kit.step(step(&running)).await;
    assert_eq!((stepped.replay.phase, counts(&stepped.replay)), (Phase::Done, (2, 2, 0)));

    let empty = kit.run(sample::replay(workspace, 42, source), &[]).await;
    kit.pause(workspace, source, 55).await;
    assert_eq!(kit.step(step(&empty)).await.replay.phase, Phase::Done, "there is nothing to wait for");
}
