//! What happens is counted, and stored now and then: whatever the store says to that, nothing else waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signalpost_core::figures::{Figures, FiguresOf, HOUR_MS, MINUTE_MS};
use signalpost_core::id::WebhookId;
use signalpost_core::principal::Principal;
use signalpost_core::profile::PauseRule;
use signalpost_core::time::Timestamp;
use signalpost_engine::webhooks::Activity;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::faulty::{Call, Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;

use crate::rig::{Rig, delivered, pending};

/// All that was stored of somebody, added up.
fn stored(rig: &mut Rig, of: FiguresOf) -> Figures {
    let until = rig.clock_ms(HOUR_MS);
    let rows = rig.call(async |engine, _| engine.figures(of, Timestamp::from_ms(0), until).await);
    let mut sum = Figures::default();
    rows.expect("it reads").iter().for_each(|(_, row)| sum.add(row));
    sum
}

fn of_webhook(rig: &mut Rig, webhook: &str) -> FiguresOf {
    let id: WebhookId = rig.look(webhook).id;
    FiguresOf::Webhook(rig.view.workspace.id, id)
}

#[test]
fn what_happens_is_stored_within_seconds_and_of_webhooks_within_a_minute() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.keep_figures();
    let webhook = rig.webhook();
    let (webhook, workspace) = (of_webhook(&mut rig, &webhook), FiguresOf::Workspace(rig.view.workspace.id));
    rig.receiver.status.set(Some(500));
    rig.publish(2);
    rig.receiver.status.set(Some(204));
    rig.publish(1);
    let nothing = stored(&mut rig, FiguresOf::Installation);
    assert_eq!(nothing, Figures::default(), "not with every outcome");
    rig.advance_s(10);
    // The retries have come by now.
    let mut expected = Figures {
        events: 3,
        attempts_succeeded: 1,
        attempts_failed: 2,
        delivered: 1,
        retries: 2,
        ..Figures::default()
    };
    expected.latency.saw(0);
    assert_eq!(stored(&mut rig, workspace).events, 3);
    assert_eq!(stored(&mut rig, webhook), Figures::default(), "once a minute");
    rig.advance_s(50);
    assert_eq!(rig.count(delivered), 3);
    rig.advance_s(10);
    expected.attempts_succeeded += 2;
    expected.delivered += 2;
    [10_000, 10_000].into_iter().for_each(|ms| {
        expected.latency.saw(ms);
    });
    for of in [workspace, FiguresOf::Installation] {
        let found = Figures { latency: expected.latency, ..stored(&mut rig, of) };
        assert_eq!(found, expected, "{of:?}");
    }
    let latency = stored(&mut rig, workspace).latency;
    assert_eq!(
        (latency.count(), latency.percentile_ms(1)),
        (3, Some(1)),
        "the first had nothing to wait for"
    );
    let found = Figures { latency: expected.latency, ..stored(&mut rig, webhook) };
    assert_eq!(found, Figures { events: 0, ..expected });
}

#[test]
fn each_minute_has_its_own_row() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.keep_figures();
    rig.webhook();
    rig.receiver.status.set(Some(204));
    for _ in 0..2 {
        rig.publish(1);
        rig.advance_ms(MINUTE_MS);
    }
    let until = rig.clock_ms(HOUR_MS);
    let all = FiguresOf::Installation;
    let rows = rig.call(async |engine, _| engine.figures(all, Timestamp::from_ms(0), until).await);
    let rows: Vec<_> = rows.expect("it reads").iter().map(|(at, row)| (at.as_ms(), row.events)).collect();
    let [(first, 1), (second, 1)] = rows[..] else { panic!("{rows:?}") };
    assert_eq!((first % MINUTE_MS, second - first), (0, MINUTE_MS));
}

/// Nothing is lost and nothing counts twice, and what was to be delivered was.
#[test]
fn a_store_that_takes_no_figures_holds_nobody_up() {
    let refuses = Arc::new(AtomicBool::new(true));
    let plan = Arc::clone(&refuses);
    let fails = move |call: Call| match call.verb {
        "add_figures" if plan.load(Ordering::SeqCst) => Fault::Before,
        _ => Fault::Pass,
    };
    let mut rig = Rig::on(Arc::new(FaultyStore::new(MemoryStore::new(), Box::new(fails))));
    rig.keep_figures();
    rig.webhook();
    rig.receiver.status.set(Some(204));
    for _ in 0..5 {
        rig.publish(2);
        rig.advance_s(30);
    }
    assert_eq!((rig.count(delivered), stored(&mut rig, FiguresOf::Installation)), (10, Figures::default()));
    refuses.store(false, Ordering::SeqCst);
    rig.advance_s(60);
    let workspace = FiguresOf::Workspace(rig.view.workspace.id);
    let Figures { events, delivered, .. } = stored(&mut rig, workspace);
    assert_eq!((events, delivered), (10, 10));
}

#[test]
fn what_was_counted_last_is_stored_when_the_cores_have_ended() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    let webhook = rig.webhook();
    let webhook = of_webhook(&mut rig, &webhook);
    rig.receiver.status.set(Some(204));
    rig.publish(3);
    rig.engine.stop();
    assert_eq!(rig.run_out(), 0, "they end");
    block_on(rig.engine.store_last_figures());
    let until = rig.clock_ms(HOUR_MS);
    let rows = block_on(rig.engine.figures(webhook, Timestamp::from_ms(0), until)).expect("it reads");
    assert_eq!(rows.iter().map(|(_, row)| row.delivered).sum::<u64>(), 3);
}

#[test]
fn what_ends_with_its_webhook_is_dropped() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.keep_figures();
    let webhook = rig.webhook();
    rig.receiver.status.set(Some(500));
    rig.publish(3);
    rig.switch(&webhook, Activity::Paused);
    rig.advance_s(60);
    let of = of_webhook(&mut rig, &webhook);
    let Figures { dropped, retries, .. } = stored(&mut rig, of);
    assert_eq!((dropped, retries), (3, 3));
}

#[test]
fn what_ends_with_a_webhook_that_is_deleted_is_dropped_as_well() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    rig.keep_figures();
    let webhook = rig.webhook();
    let of = of_webhook(&mut rig, &webhook);
    rig.receiver.status.set(Some(500));
    rig.publish(3);
    let deleted =
        rig.call(async |engine, view| engine.delete_webhook(&view, &webhook, &Principal::Operator).await);
    deleted.expect("it is there");
    rig.advance_s(60);
    assert_eq!(stored(&mut rig, of).dropped, 3);
}

#[test]
fn what_ends_with_a_webhook_that_its_failures_switch_off_is_dropped() {
    let mut rig = Rig::new(PauseRule::Holds, Some(6));
    rig.keep_figures();
    let webhook = rig.webhook();
    rig.publish(50);
    (0..6).for_each(|_| {
        rig.receiver.answer(500);
        rig.settle();
    });
    rig.advance_s(60);
    let of = of_webhook(&mut rig, &webhook);
    let Figures { dropped, retries, attempts_failed, .. } = stored(&mut rig, of);
    assert_eq!((dropped, retries, attempts_failed), (50, 6, 6), "those that were to be repeated as well");
    assert_eq!(rig.count(pending), 0);
}

/// It waits until the webhook is on again, and is delivered then.
#[test]
fn what_a_pause_holds_is_not_dropped() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    rig.keep_figures();
    let webhook = rig.webhook();
    rig.receiver.status.set(Some(500));
    rig.publish(3);
    rig.switch(&webhook, Activity::Paused);
    rig.advance_s(60);
    rig.receiver.status.set(Some(204));
    rig.switch(&webhook, Activity::Active);
    rig.advance_s(60);
    let of = of_webhook(&mut rig, &webhook);
    let Figures { dropped, delivered, .. } = stored(&mut rig, of);
    assert_eq!((dropped, delivered), (0, 3));
}

#[test]
fn how_far_behind_deliveries_are_is_in_the_figures() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.keep_figures();
    rig.webhook();
    rig.watch_owed();
    rig.receiver.status.set(None);
    rig.publish(1);
    rig.advance_s(40);
    rig.advance_s(20);
    let Figures { oldest_due_ms, .. } = stored(&mut rig, FiguresOf::Installation);
    assert!((30_000..=60_000).contains(&oldest_due_ms), "{oldest_due_ms} ms");
    let workspace = FiguresOf::Workspace(rig.view.workspace.id);
    assert_eq!(stored(&mut rig, workspace).oldest_due_ms, 0);
}

/// Nobody knows any more, and what was known is not told as if it were news.
#[test]
fn how_far_behind_deliveries_were_is_not_told_for_ever() {
    let refuses = Arc::new(AtomicBool::new(false));
    let plan = Arc::clone(&refuses);
    let fails = move |call: Call| match call.verb {
        "due_lanes" if plan.load(Ordering::SeqCst) => Fault::Before,
        _ => Fault::Pass,
    };
    let mut rig = Rig::on(Arc::new(FaultyStore::new(MemoryStore::new(), Box::new(fails))));
    rig.keep_figures();
    rig.webhook();
    rig.watch_owed();
    rig.receiver.status.set(None);
    rig.publish(1);
    rig.advance_s(40);
    refuses.store(true, Ordering::SeqCst);
    (0..20).for_each(|_| rig.advance_s(60));
    let until = rig.clock_ms(HOUR_MS);
    let all = FiguresOf::Installation;
    let rows = rig.call(async |engine, _| engine.figures(all, Timestamp::from_ms(0), until).await);
    let rows = rows.expect("it reads");
    let told = rows.iter().filter(|(_, row)| row.oldest_due_ms > 0).count();
    assert!((10..=12).contains(&told), "for ten minutes: {told}");
}

#[test]
fn webhooks_that_fail_are_found_without_a_look_at_history() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.keep_figures();
    let webhook = rig.webhook();
    rig.receiver.status.set(Some(500));
    rig.publish(2);
    rig.advance_s(60);
    let (workspace, since) = (rig.view.workspace.id, Timestamp::from_ms(0));
    let found = rig.call(async |engine, _| engine.top_failing(Some(workspace), since, 9).await);
    let [worst] = &found.expect("it reads")[..] else { panic!("one of them") };
    assert_eq!((&worst.webhook, worst.attempts_succeeded), (&webhook, 0));
    assert!(worst.attempts_failed >= 4, "{worst:?}");
}
