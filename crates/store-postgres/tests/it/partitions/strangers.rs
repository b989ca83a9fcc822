//! Others at work while tables are to go: a stranger who reads them, and whoever writes to what they hold.

use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_store::ledger::{EventKey, Requeue, RequeueRule};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;

use super::stage::{AGE_H, HOUR_MS, MINUTE_MS, Stage};
use crate::faults::strangers::Stranger;
use crate::support::server_url;

/// A departure in which all that stays is copied, and which a stranger keeps from its end.
fn kept_waiting(stage: &Stage) -> Stranger {
    let sql = format!("BEGIN; SELECT count(*) FROM {}.message_p2", stage.place.schema);
    let stranger = Stranger::who_says(&server_url(), &sql);
    stage.walk(Stage::over(HOUR_MS));
    let looked =
        stage.ask("SELECT (come_to >= (SELECT max(id) FROM {s}.message_p2))::text FROM {s}.departure");
    assert_eq!(looked, ["true"], "all was looked at");
    stranger
}

fn again(stage: &Stage, workspace: WorkspaceId, event: EventId, webhook: i64) {
    let delivery = DeliveryId { event, webhook: WebhookId::from_raw(webhook) };
    let at = stage.time(Stage::over(HOUR_MS));
    let requeue = Requeue { workspace, delivery, at, rule: RequeueRule::Ended };
    block_on(stage.store().requeue(requeue)).expect("it has ended, and is there");
}

#[test]
fn a_stranger_delays_the_end_of_tables_and_nothing_else() {
    let stage = Stage::new();
    let workspace = stage.create(sample::workspace(1), &[]);
    let id = stage.publish(workspace, 0, 1, &[]);
    let stranger = kept_waiting(&stage);
    stage.publish(workspace, HOUR_MS, 2, &[]);
    let found = block_on(stage.store().event(workspace, EventKey::Ours(id))).expect("it reads");
    assert!(found.is_some(), "it goes with the others");
    stranger.commit();
    assert_eq!(stage.walk(Stage::over(HOUR_MS) + MINUTE_MS), 1);
    assert_eq!((stage.usage(workspace).events, stage.count("departure")), (1, 0));
}

/// They are not kept for as long as the stranger likes. What goes meanwhile is counted once.
#[test]
fn events_of_a_table_that_is_late_go_row_by_row() {
    let stage = Stage::new();
    let workspace = stage.create(sample::workspace(1), &[]);
    for n in 0..10 {
        stage.publish(workspace, HOUR_MS - 1, n, &[]);
    }
    let stranger = kept_waiting(&stage);
    let late = (AGE_H + 3) * HOUR_MS;
    assert_eq!(stage.walk(late - 2), 0);
    assert_eq!(stage.walk(late - 1), 10);
    assert!(stage.is_there("message_p2"), "the stranger has it");
    stranger.commit();
    assert_eq!(stage.walk(late + MINUTE_MS), 0);
    let usage = stage.usage(workspace);
    assert_eq!((usage.events, usage.bytes, stage.is_there("message_p2")), (0, 0, false));
}

/// Whatever is written to an event after it was looked at is seen before its table goes.
#[test]
fn what_somebody_has_written_to_meanwhile_is_looked_at_again() {
    let mut stage = Stage::new();
    let workspace = stage.create(sample::workspace(1), &[11, 12]);
    let ids: Vec<EventId> = (0..6).map(|n| stage.publish(workspace, n * 1_000, n, &[11, 12])).collect();
    stage.deliver(workspace, 11);
    // The last two are pending, and carried.
    stage.attempt(workspace, 12, |event| {
        (event < ids[4]).then_some(signalpost_core::attempt::Verdict::Delivered)
    });
    let stranger = kept_waiting(&stage);
    // One that was to go is owed once more, one that was to stay has ended, and one has ended for its other webhook.
    again(&stage, workspace, ids[0], 11);
    stage.attempt(workspace, 12, |event| {
        (event == ids[4]).then_some(signalpost_core::attempt::Verdict::Delivered)
    });
    again(&stage, workspace, ids[5], 11);
    stage.open_anew();
    stranger.commit();
    assert_eq!(stage.walk(Stage::over(HOUR_MS) + MINUTE_MS), 4);
    assert_eq!(stage.owed(11), [ids[0], ids[5]]);
    assert_eq!(stage.owed(12), [ids[5]]);
    assert_eq!(stage.usage(workspace).events, 2);
    stage.deliver(workspace, 11);
    stage.deliver(workspace, 12);
    assert_eq!(stage.walk(Stage::over(HOUR_MS) + MINUTE_MS), 2, "row by row");
    let usage = stage.usage(workspace);
    assert_eq!((usage.events, usage.bytes), (0, 0), "counted out as it was counted in");
    assert_eq!((stage.count("attempt"), stage.count("event_key"), stage.count("due")), (0, 0, 0));
}

/// Rows that go by other rules while their table departs are not counted twice, and do not come back.
#[test]
fn what_is_removed_meanwhile_is_gone() {
    let stage = Stage::new();
    let workspace = stage.create(sample::workspace(1), &[11]);
    let ids: Vec<EventId> = (0..4).map(|n| stage.publish(workspace, n * 1_000, n, &[11])).collect();
    stage.attempt(workspace, 11, |event| {
        (event != ids[3]).then_some(signalpost_core::attempt::Verdict::Delivered)
    });
    let stranger = kept_waiting(&stage);
    let least = signalpost_core::retention::RetentionRules { bytes_max: Some(0), ..Stage::rules() };
    // By the bound on bytes, row by row.
    let retain = signalpost_store::ledger::Retain { now: stage.time(Stage::over(HOUR_MS)), rules: least };
    let mut removed = 0;
    loop {
        let done = block_on(stage.store().retain(retain.clone())).expect("a step");
        removed += done.events;
        if !done.more {
            break;
        }
    }
    assert_eq!(removed, 3);
    stage.deliver(workspace, 11);
    let retain = signalpost_store::ledger::Retain { now: retain.now.plus_ms(1), ..retain };
    while block_on(stage.store().retain(retain.clone())).expect("a step").more {}
    assert_eq!(stage.usage(workspace).events, 0, "that, too, which was to stay");
    stranger.commit();
    assert_eq!(stage.walk(Stage::over(HOUR_MS) + MINUTE_MS), 0);
    let usage = stage.usage(workspace);
    assert_eq!((usage.events, usage.bytes, stage.count("message"), stage.count("attempt")), (0, 0, 0, 0));
}
