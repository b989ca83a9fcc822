//! Retention beside everything else: while events are accepted and delivered, lists stay exact.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::retention::RetentionRules;
use signalpost_store::Store;
use signalpost_store::ledger::{DueOrder, DuePage, ListDeliveries, ListEvents, Retain};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::testing::snapshot::{all_deliveries, all_events};
use signalpost_store_sqlite::copy::check;

use crate::support::Threaded;

const ROUNDS: i64 = 150;
const EVENTS_A_ROUND: i64 = 40;
/// Two rounds are kept: each takes a second of the time that the store is told.
const KEPT: Duration = Duration::from_secs(2);

/// The time that the store is told, and whether to go on.
struct Course {
    now_ms: AtomicI64,
    over: AtomicBool,
}

/// Asks for one step after the other until the course is over and nothing is left to do. Returns how many events went.
fn retain(store: &dyn Store, course: &Course) -> u64 {
    let rules = RetentionRules { event_age_max: Some(KEPT), payload_age_max: None, bytes_max: None };
    let mut removed = 0;
    loop {
        let over = course.over.load(Ordering::SeqCst);
        let now = sample::at(course.now_ms.load(Ordering::SeqCst));
        let done = block_on(store.retain(Retain { now, rules: rules.clone() })).expect("retention works");
        removed += done.events;
        if over && !done.more {
            return removed;
        }
    }
}

/// Publishes a round for every webhook and records that all was delivered.
fn publish(store: &dyn Store, workspace: WorkspaceId, lanes: &[WebhookId], round: i64) {
    let version = block_on(store.fan_out(workspace)).expect("it reads").expect("it exists").version;
    let events = (0..EVENTS_A_ROUND).map(|n| {
        let mut event = sample::event(workspace, 1_000 + round * EVENTS_A_ROUND + n, version, lanes);
        event.accepted_at = sample::at(round * 1_000);
        event.content.producer_id = Some(format!("p-{n}"));
        event
    });
    block_on(store.accept(events.collect())).expect("they are accepted");
    for lane in lanes {
        let owed =
            block_on(store.due_page(DuePage { webhook: *lane, limit: 1_000, order: DueOrder::OLDEST_FIRST }))
                .expect("it reads");
        let ended = owed.into_iter().map(|due| sample::finished(workspace, due, Verdict::Delivered));
        block_on(store.finish(Arc::new(ended.collect()))).expect("they are recorded");
    }
}

/// What is listed is the newest part of what was published, without a gap, and holds everything that is young.
fn check_lists(store: &dyn Store, workspace: WorkspaceId, lanes: &[WebhookId], round: i64) {
    let newest = 1_000 + (round + 1) * EVENTS_A_ROUND - 1;
    let kept_rounds = i64::try_from(KEPT.as_secs()).expect("small");
    let must_be_there = EVENTS_A_ROUND * kept_rounds.min(round + 1);
    let all = ListEvents { workspace, event_type: None, subject: None, before: None, limit: 50 };
    let events = block_on(all_events(store, all)).expect("it reads");
    let ids: Vec<i64> = events.iter().map(|event| event.id.raw()).collect();
    let expected: Vec<i64> = (0..i64::try_from(ids.len()).expect("few")).map(|n| newest - n).collect();
    assert_eq!(ids, expected, "round {round}");
    assert!(i64::try_from(ids.len()).expect("few") >= must_be_there, "{} events in round {round}", ids.len());
    for lane in lanes {
        let webhook = Some(*lane);
        let all = ListDeliveries { workspace, webhook, event: None, status: None, before: None, limit: 50 };
        let deliveries = block_on(all_deliveries(store, all)).expect("it reads");
        let ids: Vec<i64> = deliveries.iter().map(|row| row.id.event.raw()).collect();
        let expected: Vec<i64> = (0..i64::try_from(ids.len()).expect("few")).map(|n| newest - n).collect();
        assert_eq!(ids, expected, "webhook {lane:?} in round {round}");
    }
}

#[test]
fn lists_stay_exact_while_retention_works_beside_publishers() {
    let place = Threaded::new();
    let store: Arc<dyn Store> = Arc::new(place.try_open().expect("it opens"));
    let workspace = sample::workspace(1).id;
    block_on(store.create_workspace(sample::workspace(1))).expect("a workspace");
    let lanes = [11, 12].map(WebhookId::from_raw);
    for lane in lanes {
        block_on(store.create_webhook(sample::webhook(workspace, lane.raw()).into())).expect("a webhook");
    }
    let course = Arc::new(Course { now_ms: AtomicI64::new(0), over: AtomicBool::new(false) });
    let (beside, its_course) = (Arc::clone(&store), Arc::clone(&course));
    let retainer = std::thread::spawn(move || retain(&*beside, &its_course));
    for round in 0..ROUNDS {
        publish(&*store, workspace, &lanes, round);
        course.now_ms.store(round * 1_000, Ordering::SeqCst);
        check_lists(&*store, workspace, &lanes, round);
    }
    course.over.store(true, Ordering::SeqCst);
    let removed = retainer.join().expect("the retainer does not panic");
    let left = EVENTS_A_ROUND * i64::try_from(KEPT.as_secs()).expect("small");
    assert_eq!(removed, u64::try_from(ROUNDS * EVENTS_A_ROUND - left).expect("more than nothing"));
    check_lists(&*store, workspace, &lanes, ROUNDS - 1);
    block_on(store.close()).expect("it closes");
    let found = check(place.directory.path(), &mut |_| {}).expect("it reads");
    assert_eq!((found.problems, found.events), (Vec::new(), u64::try_from(left).expect("positive")));
}
