//! Replays as they run: at what rate, what goes before them, and where they go on after a pause, a wait and a restart.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::ceilings::{Ceilings, MaxInFlight};
use signalpost_core::error::ErrorCode;
use signalpost_core::policy::{Patience, RetrySchedule};
use signalpost_core::principal::Principal;
use signalpost_core::profile::PauseRule;
use signalpost_core::replay::{CancelReason, Command, Phase, Start, Which};
use signalpost_core::time::Timestamp;
use signalpost_engine::Waits;
use signalpost_engine::replay::{NewReplay, ShownReplay};
use signalpost_engine::webhooks::{Activity, NewWebhook};
use signalpost_store::testing::memory::MemoryStore;

use crate::rig::{Rig, delivered};

/// Of everything that failed, started as soon as it is planned.
pub(crate) fn failed(per_second: u64) -> NewReplay {
    NewReplay {
        source: None,
        which: Which::Failed,
        since: Timestamp::from_ms(0),
        until: None,
        types: Vec::new(),
        subject: None,
        per_second,
        start: Start::WhenPlanned,
    }
}

/// A webhook whose deliveries have one attempt.
pub(crate) fn impatient(rig: &mut Rig, ceilings: Ceilings) -> String {
    let retry = Some(RetrySchedule::from_seconds(&[]).expect("short"));
    let patience = Patience { retry, timeout: None };
    rig.webhook_like(|new| NewWebhook { patience, ceilings, ..new })
}

/// So many deliveries that have failed, and a receiver that takes everything from now on.
fn failures(rig: &mut Rig, count: usize) -> String {
    let webhook = impatient(rig, Ceilings::default());
    rig.receiver.status.set(Some(500));
    rig.publish(count);
    rig.receiver.status.set(Some(204));
    webhook
}

/// Its public id. What was accepted in the same millisecond is not before it.
pub(crate) fn ask(rig: &mut Rig, webhook: &str, new: NewReplay) -> String {
    rig.advance_ms(1);
    let made = rig.call(async |engine, view| {
        engine.create_replay(&view, webhook, new, Principal::Operator, None).await
    });
    made.expect("it is made").now().expect("not a repetition").replay.id.to_public()
}

pub(crate) fn look(rig: &mut Rig, replay: &str) -> ShownReplay {
    rig.call(async |engine, view| engine.replay(view.workspace.id, replay).await).expect("it exists").0
}

pub(crate) fn command(rig: &mut Rig, replay: &str, command: Command) -> Result<Phase, ErrorCode> {
    let changed = rig.call(async |engine, view| {
        engine.command_replay(view.workspace.id, replay, command, Principal::Operator).await
    });
    changed.map(|shown| shown.replay.phase).map_err(|error| error.code)
}

/// Lets so much time pass, a little at a time.
pub(crate) fn pass_ms(rig: &mut Rig, ms: i64) {
    (0..ms / 10).for_each(|_| rig.advance_ms(10));
}

#[test]
fn a_rate_is_kept_within_a_twentieth_and_everything_is_sent_once() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.watch_replays();
    let webhook = failures(&mut rig, 300);
    let replay = ask(&mut rig, &webhook, failed(25));
    let before = rig.receiver.requests();
    for second in 1..=11 {
        pass_ms(&mut rig, 1_000);
        let sent = rig.receiver.requests() - before;
        let expected = second * 25;
        assert!(sent <= expected + 1 && sent + 2 >= expected, "{sent} after {second} s");
    }
    pass_ms(&mut rig, 2_000);
    let progress = look(&mut rig, &replay).replay.progress;
    assert_eq!((progress.planned, progress.sent, progress.passed_over), (300, 300, 0));
    assert_eq!(look(&mut rig, &replay).replay.phase, Phase::Done);
    assert_eq!((rig.receiver.requests() - before, rig.count(delivered)), (300, 300));
    let metrics = rig.engine.metrics();
    assert_eq!((metrics.deliveries_replayed.get(), metrics.replays_busy.get()), (300, 0));
    let timed = |rig: &Rig| rig.engine.metrics().delivery_latency.buckets().iter().sum::<u64>();
    assert_eq!(timed(&rig), 0, "how late a replay was asked for is no latency");
    rig.publish(1);
    assert_eq!(timed(&rig), 1);
}

/// The receiver takes one request at a time, and all of the replay is due already.
#[test]
fn first_attempts_go_before_what_is_replayed() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.watch_replays();
    let one = Ceilings { in_flight: Some(MaxInFlight::new(1).expect("within its bounds")), rate: None };
    let webhook = impatient(&mut rig, one);
    rig.receiver.status.set(Some(500));
    rig.publish(6);
    rig.receiver.status.set(None);
    let before = rig.receiver.requests();
    ask(&mut rig, &webhook, failed(1_000));
    pass_ms(&mut rig, 200);
    rig.publish(6);
    while rig.receiver.in_flight() > 0 {
        rig.receiver.answer(204);
        rig.settle();
    }
    let deliveries = rig.deliveries();
    let live: Vec<String> = deliveries[..6].iter().map(|row| row.id.to_public()).collect();
    let order: String =
        rig.receiver.sent()[before..].iter().map(|id| if live.contains(id) { 'L' } else { 'r' }).collect();
    assert_eq!(order, "rLLLLrLLrrrr");
}

#[test]
fn a_restart_in_the_middle_sends_nothing_twice() {
    let store = MemoryStore::new();
    let mut rig = Rig::on(Arc::new(store.reopen()));
    rig.watch_replays();
    let webhook = failures(&mut rig, 60);
    let replay = ask(&mut rig, &webhook, failed(20));
    for at_ms in [730, 1_110] {
        pass_ms(&mut rig, at_ms);
        let phase = look(&mut rig, &replay).replay.phase;
        assert_eq!(phase, Phase::Running);
        rig.restart(Arc::new(store.reopen()));
    }
    pass_ms(&mut rig, 5_000);
    assert_eq!(look(&mut rig, &replay).replay.phase, Phase::Done);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    rig.receiver.sent().into_iter().for_each(|id| *times.entry(id).or_default() += 1);
    assert_eq!(times.len(), 60);
    assert!(times.values().all(|times| *times == 2), "once in vain, and once more: {times:?}");
}

#[test]
fn a_pause_holds_and_what_was_saved_up_meanwhile_is_no_burst() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.watch_replays();
    let webhook = failures(&mut rig, 100);
    let replay = ask(&mut rig, &webhook, NewReplay { start: Start::WhenTold, ..failed(10) });
    let before = rig.receiver.requests();
    pass_ms(&mut rig, 3_000);
    assert_eq!(rig.receiver.requests(), before, "a preview sends nothing");
    assert_eq!(command(&mut rig, &replay, Command::Pause), Err(ErrorCode::Conflict));
    assert_eq!(command(&mut rig, &replay, Command::Start), Ok(Phase::Running));
    pass_ms(&mut rig, 2_000);
    assert_eq!(command(&mut rig, &replay, Command::Pause), Ok(Phase::Paused));
    let paused = rig.receiver.requests() - before;
    assert!((19..=21).contains(&paused), "{paused}");
    pass_ms(&mut rig, 60_000);
    assert_eq!(rig.receiver.requests() - before, paused);
    assert_eq!(command(&mut rig, &replay, Command::Resume), Ok(Phase::Running));
    pass_ms(&mut rig, 1_000);
    let resumed = rig.receiver.requests() - before - paused;
    assert!((9..=11).contains(&resumed), "{resumed}");
    assert_eq!(command(&mut rig, &replay, Command::Cancel), Ok(Phase::Cancelled(CancelReason::Asked)));
    let cancelled = rig.receiver.requests();
    pass_ms(&mut rig, 5_000);
    assert_eq!(rig.receiver.requests(), cancelled);
    assert_eq!(command(&mut rig, &replay, Command::Resume), Err(ErrorCode::Conflict));
}

#[test]
fn it_waits_for_a_target_that_is_off_or_has_enough_to_do() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    rig.watch_replays();
    let webhook = failures(&mut rig, 40);
    rig.switch(&webhook, Activity::Paused);
    let replay = ask(&mut rig, &webhook, failed(20));
    pass_ms(&mut rig, 5_000);
    let shown = look(&mut rig, &replay);
    assert_eq!((shown.waits, shown.replay.progress.sent), (Some(Waits::TargetOff), 0));
    rig.receiver.status.set(None);
    rig.switch(&webhook, Activity::Active);
    // What is live does not keep it.
    rig.publish(30);
    pass_ms(&mut rig, 5_000);
    let shown = look(&mut rig, &replay);
    assert_eq!(
        (shown.waits, shown.replay.progress.sent),
        (Some(Waits::Busy), 20),
        "a second of the rate is due"
    );
    rig.receiver.status.set(Some(204));
    while rig.receiver.in_flight() > 0 {
        rig.receiver.answer(204);
        rig.settle();
    }
    pass_ms(&mut rig, 5_000);
    let shown = look(&mut rig, &replay);
    assert_eq!((shown.waits, shown.replay.phase), (None, Phase::Done));
    assert_eq!(rig.count(delivered), 70);
}

#[test]
fn it_ends_with_its_webhooks() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.watch_replays();
    let (source, target) = (failures(&mut rig, 30), rig.webhook());
    let to_target = || NewReplay { source: Some(source.clone()), ..failed(10) };
    let running = ask(&mut rig, &target, to_target());
    pass_ms(&mut rig, 1_000);
    rig.call(async |engine, view| engine.delete_webhook(&view, &target, &Principal::Operator).await)
        .expect("it is deleted");
    pass_ms(&mut rig, 1_000);
    let shown = look(&mut rig, &running);
    assert_eq!(shown.replay.phase, Phase::Cancelled(CancelReason::WebhookDeleted));
    assert_eq!((shown.source, shown.target), (Some(source.clone()), Some(target.clone())));
    let gone = rig.call(async |engine, view| {
        engine.create_replay(&view, &target, to_target(), Principal::Operator, None).await
    });
    assert_eq!(gone.map(|_| ()).map_err(|error| error.code), Err(ErrorCode::NotFound));
}
