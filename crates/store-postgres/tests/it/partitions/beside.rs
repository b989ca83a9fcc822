//! A departure beside somebody who sends once more what departs, and ends it, as fast as they can; and beside other nodes.

use std::sync::atomic::{AtomicBool, Ordering};

use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_store::ledger::{Requeue, RequeueRule, Retain};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Ledger, StoreError};
use signalpost_store_postgres::PostgresStore;

use super::stage::{HOUR_MS, Stage};

const EVENTS: i64 = 400;
/// Between two steps, so that one which was in somebody's way is tried again.
const STEP_MS: i64 = 11_000;
const STEPS_MAX: i64 = 2_000;
const LANE: i64 = 11;

/// Whatever was owed is there and is delivered, and in the end nothing is left of anything: what was counted twice, or not at all,
/// would show.
#[test]
fn what_departs_may_be_written_to_at_any_moment() {
    for _ in 0..4 {
        let stage = Stage::new();
        let workspace = stage.create(sample::workspace(1), &[LANE]);
        let drafts: Vec<_> = (0..EVENTS).map(|n| stage.event(workspace, n, n, &[LANE])).collect();
        let ids: Vec<EventId> = drafts.iter().map(|event| event.id).collect();
        block_on(stage.store().accept(drafts)).expect("accepted");
        stage.deliver(workspace, LANE);
        let over = AtomicBool::new(false);
        let mut gone = 0;
        let sent = std::thread::scope(|threads| {
            let sending = threads.spawn(|| send_again(&stage, workspace, &ids, &over));
            gone += depart(&stage);
            over.store(true, Ordering::SeqCst);
            sending.join().expect("nobody panics")
        });
        assert!(sent > 0, "somebody was at work");
        let there = stage.count("message");
        assert_eq!(u64::try_from(EVENTS - there), Ok(gone));
        stage.deliver(workspace, LANE);
        stage.walk(Stage::over(HOUR_MS) + STEPS_MAX * STEP_MS);
        let usage = stage.usage(workspace);
        assert_eq!((usage.events, usage.bytes), (0, 0));
        assert_eq!([stage.count("message"), stage.count("attempt"), stage.count("due")], [0; 3]);
    }
}

/// Steps until the departure is over; the events that went.
fn depart(stage: &Stage) -> u64 {
    let mut gone = 0;
    for n in 0..STEPS_MAX {
        let (events, _) = stage.step(Stage::over(HOUR_MS) + n * STEP_MS);
        gone += events;
        // What it left may depart with what others have left, and is counted out at the end of that.
        if !stage.is_there("message_p2") && stage.count("departure") == 0 {
            return gone;
        }
    }
    panic!("the departure has no end");
}

/// How many were owed once more, each of which was delivered, but for some at the end.
fn send_again(stage: &Stage, workspace: WorkspaceId, ids: &[EventId], over: &AtomicBool) -> usize {
    let mut sent = 0;
    for event in ids.iter().cycle() {
        if over.load(Ordering::SeqCst) {
            return sent;
        }
        let delivery = DeliveryId { event: *event, webhook: WebhookId::from_raw(LANE) };
        let at = stage.time(Stage::over(HOUR_MS));
        match block_on(stage.store().requeue(Requeue { workspace, delivery, at, rule: RequeueRule::Ended })) {
            Ok(_) => sent += 1,
            Err(StoreError::Missing("delivery") | StoreError::WrongState(_)) => {}
            Err(other) => panic!("{other}"),
        }
        if sent % 7 == 0 {
            stage.deliver(workspace, LANE);
        }
    }
    sent
}

/// Each step is one node's, and whoever comes next goes on.
#[test]
fn nodes_that_walk_at_once_let_each_event_go_once() {
    let stage = Stage::new();
    let workspace = stage.create(sample::workspace_with_feed(1), &[]);
    let drafts: Vec<_> = (0..3_000).map(|n| stage.event(workspace, n, n, &[])).collect();
    for some in drafts.chunks(500) {
        block_on(stage.store().accept(some.to_vec())).expect("accepted");
    }
    let others: Vec<PostgresStore> = (0..2).map(|_| stage.place.try_open().expect("another node")).collect();
    let gone: u64 = std::thread::scope(|threads| {
        let walks: Vec<_> =
            others.iter().map(|node| threads.spawn(|| walk_until_idle(&stage, node))).collect();
        walks.into_iter().map(|walk| walk.join().expect("nobody panics")).sum()
    });
    assert_eq!(gone, 3_000);
    for node in others {
        block_on(node.close()).expect("it closes");
    }
    assert_eq!((stage.usage(workspace).events, stage.usage(workspace).bytes), (0, 0));
    assert_eq!([stage.count("message"), stage.count("feed"), stage.count("event_key")], [0; 3]);
}

/// The events that went in the steps of this node.
fn walk_until_idle(stage: &Stage, node: &PostgresStore) -> u64 {
    let mut gone = 0;
    for n in 0..STEPS_MAX {
        let now = stage.time(Stage::over(HOUR_MS) + n * STEP_MS);
        gone += block_on(node.retain(Retain { now, rules: Stage::rules() })).expect("a step").events;
        if !stage.is_there("message_p2") && stage.count("departure") == 0 {
            return gone;
        }
    }
    panic!("the departure has no end");
}
