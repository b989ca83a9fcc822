//! What is old goes with its tables, and leaves what going row by row would have left.

use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::DeliveryState;
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_core::policy::PolicyChange;
use signalpost_core::principal::Principal;
use signalpost_store::catalog::{DeleteWebhook, UpdateWorkspace};
use signalpost_store::ledger::{EventKey, Feed, ListEvents, ReadFeed, Requeue, RequeueRule};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;

use super::stage::{HOUR_MS, MINUTE_MS, Stage};

/// What is left of two workspaces after their events have gone but for one that is pending.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    gone: u64,
    usages: Vec<(u64, u64)>,
    expired: Vec<String>,
    rows: Vec<(&'static str, i64)>,
}

const TABLES: [&str; 6] = ["message", "attempt", "feed", "event_key", "dropped", "due"];

/// Events in every state, whose time begins so long after the first tables have ended.
fn fill(stage: &Stage, begins: i64) -> [WorkspaceId; 2] {
    let plain = stage.create(sample::workspace(1), &[11, 12]);
    let fed = stage.create(sample::workspace_with_feed(2), &[21, 22]);
    for n in 0..20 {
        stage.publish(plain, begins + n * 1_000, n, &[11, 12]);
        stage.publish(fed, begins + n * 1_000, 100 + n, if n == 7 { &[] } else { &[21, 22] });
    }
    stage.attempt(plain, 11, |event| {
        Some(match event.raw() % 3 {
            0 => Verdict::Delivered,
            1 => Verdict::GiveUp,
            _ => Verdict::RetryAt(stage.time(begins + HOUR_MS)),
        })
    });
    stage.deliver(plain, 11);
    let pending = stage.owed(12)[5];
    stage.attempt(plain, 12, |event| (event != pending).then_some(Verdict::Delivered));
    stage.deliver(fed, 21);
    // Never tried, and ended by the cut.
    let delete = DeleteWebhook {
        workspace: fed,
        webhook: WebhookId::from_raw(22),
        at: stage.time(begins),
        by: Principal::Operator,
    };
    block_on(stage.store().delete_webhook(delete)).expect("it exists");
    while block_on(stage.store().upkeep(stage.time(begins))).expect("upkeep") {}
    [plain, fed]
}

fn left(stage: &Stage, workspaces: [WorkspaceId; 2], over: i64) -> Left {
    let gone = stage.walk(over);
    while block_on(stage.store().upkeep(stage.time(over))).expect("upkeep") {}
    let usage = |workspace| stage.usage(workspace);
    Left {
        gone,
        usages: workspaces.map(usage).iter().map(|usage| (usage.events, usage.bytes)).collect(),
        expired: stage.ask("SELECT expired_through::text FROM {s}.head ORDER BY workspace"),
        rows: TABLES.map(|table| (table, stage.count(table))).to_vec(),
    }
}

#[test]
fn what_goes_with_its_table_leaves_what_going_row_by_row_leaves() {
    let by_rows = Stage::new();
    let workspaces = fill(&by_rows, -HOUR_MS);
    let rows = left(&by_rows, workspaces, Stage::over(-MINUTE_MS));
    assert_eq!(by_rows.kinds()[0], "before", "they went row by row");
    let by_table = Stage::new();
    let workspaces = fill(&by_table, 0);
    let tables_before = by_table.kinds().len();
    assert_eq!(by_table.walk(Stage::over(HOUR_MS) - 1), 0, "a moment too young");
    let table = left(&by_table, workspaces, Stage::over(HOUR_MS));
    assert_eq!(table, rows);
    assert_eq!((table.gone, table.usages[0].0, table.rows[0].1), (39, 1, 1), "one is pending");
    assert_eq!(by_table.count("departure"), 0);
    assert!(by_table.kinds().len() > tables_before, "others were made meanwhile: {:?}", by_table.kinds());
    assert!(!by_table.is_there("message_p2") && !by_table.is_there("attempt_p2"), "its tables are gone");
}

#[test]
fn what_is_pending_is_carried_and_goes_when_it_has_ended() {
    let stage = Stage::new();
    let workspace = stage.create(sample::workspace(1), &[11]);
    let pending = stage.publish(workspace, 0, 1, &[11]);
    stage.attempt(workspace, 11, |_| Some(Verdict::RetryAt(stage.time(MINUTE_MS))));
    for n in 2..6 {
        stage.publish(workspace, n * 1_000, n, &[]);
    }
    let over = Stage::over(HOUR_MS);
    assert_eq!(stage.walk(over), 4);
    assert_eq!(stage.owed(11), [pending]);
    let delivery = DeliveryId { event: pending, webhook: WebhookId::from_raw(11) };
    let record =
        block_on(stage.store().delivery(workspace, delivery)).expect("it reads").expect("it is there");
    assert_eq!((record.steps.len(), record.event.content.producer_id.as_deref()), (1, Some("p1")));
    stage.deliver(workspace, 11);
    let record =
        block_on(stage.store().delivery(workspace, delivery)).expect("it reads").expect("it is there");
    assert!(matches!(record.summary.state, DeliveryState::Delivered { .. }), "{:?}", record.summary.state);
    assert_eq!(stage.walk(over), 1, "row by row");
    let usage = stage.usage(workspace);
    assert_eq!((usage.events, usage.bytes, stage.count("message"), stage.count("attempt")), (0, 0, 0, 0));
}

#[test]
fn workspaces_with_longer_ages_keep_what_is_theirs() {
    let stage = Stage::new();
    let plain = stage.create(sample::workspace(1), &[11]);
    let longer = stage.create(sample::workspace(2), &[]);
    let kept = stage.create(Stage::for_ever(3), &[31]);
    let policy = PolicyChange {
        event_age_max: Some(Some(Duration::from_secs(48 * 3_600))),
        ..PolicyChange::default()
    };
    let change = UpdateWorkspace { workspace: longer, name: None, features: None, policy };
    block_on(stage.store().update_workspace(change)).expect("it exists");
    for n in 0..5 {
        stage.publish(plain, n * 1_000, n, &[11]);
        stage.publish(longer, n * 1_000, 10 + n, &[]);
        stage.publish(kept, n * 1_000, 20 + n, &[31]);
    }
    stage.deliver(plain, 11);
    stage.deliver(kept, 31);
    let before = stage.usage(kept);
    assert_eq!(stage.walk(Stage::over(HOUR_MS)), 5);
    assert_eq!((stage.usage(plain).events, stage.usage(longer).events), (0, 5));
    assert_eq!(stage.usage(kept), before);
    let read = ReadFeed { workspace: kept, after: None, types: Vec::new(), limit: 10 };
    match block_on(stage.store().feed(read)).expect("it reads") {
        Some(Feed::Page { events, .. }) => assert_eq!(events.len(), 5, "from the beginning"),
        other => panic!("{other:?}"),
    }
    assert_eq!(stage.walk(49 * HOUR_MS), 5, "row by row, by its own age");
    assert_eq!(stage.usage(longer).events, 0);
    // What is kept for good does not come to lie in ever more tables.
    for hour in 1..12 {
        stage.publish(kept, 49 * HOUR_MS + hour * HOUR_MS, 100 + hour, &[]);
        stage.walk(49 * HOUR_MS + hour * HOUR_MS);
    }
    stage.walk(Stage::over(60 * HOUR_MS));
    let held = stage.kinds().iter().filter(|kind| *kind == "kept").count();
    assert_eq!(stage.usage(kept).events, 16);
    assert!(held <= 3, "as many as it has doubled: {:?}", stage.kinds());
}

/// Whatever was done is not done again, and what was not is.
#[test]
fn a_departure_that_is_cut_off_after_each_step_goes_on_where_it_was() {
    let mut stage = Stage::new();
    let workspace = stage.create(sample::workspace_with_feed(1), &[11]);
    let drafts: Vec<_> =
        (0..2_400).map(|n| stage.event(workspace, n, n, if n % 400 == 0 { &[11] } else { &[] })).collect();
    for some in drafts.chunks(400) {
        block_on(stage.store().accept(some.to_vec())).expect("accepted");
    }
    let (mut gone, mut phases) = (0, Vec::new());
    loop {
        let (events, more) = stage.step(Stage::over(HOUR_MS));
        gone += events;
        phases.extend(stage.ask("SELECT phase FROM {s}.departure"));
        if !more {
            break;
        }
        stage.open_anew();
    }
    phases.dedup();
    assert!(phases.windows(2).any(|pair| pair == ["carrying", "counting"]), "{phases:?}");
    assert_eq!((gone, stage.owed(11).len(), stage.usage(workspace).events), (2_394, 6, 6));
    assert_eq!([stage.count("event_key"), stage.count("feed"), stage.count("message")], [6; 3]);
    let all = ListEvents { workspace, event_type: None, subject: None, before: None, limit: 100 };
    assert_eq!(block_on(stage.store().list_events(all)).expect("it reads").rows.len(), 6);
}

/// Before anybody can miss an event of it, a feed says that it has expired so far.
#[test]
fn a_feed_never_passes_over_what_is_going() {
    let stage = Stage::new();
    let workspace = stage.create(sample::workspace_with_feed(1), &[]);
    let drafts: Vec<_> = (0..1_500).map(|n| stage.event(workspace, n, n, &[])).collect();
    for some in drafts.chunks(500) {
        block_on(stage.store().accept(some.to_vec())).expect("accepted");
    }
    stage.publish(workspace, 2 * HOUR_MS, 9_999, &[]);
    loop {
        let (_, more) = stage.step(Stage::over(HOUR_MS));
        let mut after = Some(Sequence(0));
        // From the oldest place on: either all is there behind it, or it is said that it is not.
        match read(&stage, workspace, after) {
            Feed::Expired { oldest } => after = Some(oldest),
            Feed::Page { events, .. } => assert_eq!(events[0].sequence, Sequence(1)),
        }
        match read(&stage, workspace, after) {
            Feed::Page { events, .. } => {
                let first = events.first().expect("the last is always there").sequence;
                assert_eq!(first, Sequence(after.expect("it was said").0 + 1), "none is passed over");
            }
            Feed::Expired { .. } => panic!("it was said that it begins there"),
        }
        if !more {
            break;
        }
    }
    assert_eq!((stage.usage(workspace).events, stage.count("feed")), (1, 1));
}

fn read(stage: &Stage, workspace: WorkspaceId, after: Option<Sequence>) -> Feed {
    let read = ReadFeed { workspace, after, types: Vec::new(), limit: 10 };
    block_on(stage.store().feed(read)).expect("it reads").expect("it exists")
}

/// A producer's id leads to nothing that is gone, and may be used anew.
#[test]
fn an_event_that_went_with_its_table_is_gone_for_everybody() {
    let mut stage = Stage::new();
    let workspace = stage.create(sample::workspace(1), &[11]);
    let id = stage.publish(workspace, 0, 1, &[11]);
    stage.deliver(workspace, 11);
    assert_eq!(stage.walk(Stage::over(HOUR_MS)), 1);
    stage.open_anew();
    assert!(stage.store().highest_id() >= id.raw(), "its id does not come again");
    let found = |key| block_on(stage.store().event(workspace, key)).expect("it reads");
    assert_eq!(found(EventKey::Ours(id)), None);
    assert_eq!(found(EventKey::Producer("p1".to_owned())), None);
    let requeue = Requeue {
        workspace,
        delivery: DeliveryId { event: id, webhook: WebhookId::from_raw(11) },
        at: stage.time(Stage::over(HOUR_MS)),
        rule: RequeueRule::Ended,
    };
    block_on(stage.store().requeue(requeue)).expect_err("there is nothing to send");
    stage.publish(workspace, 20 * HOUR_MS, 1, &[]);
    assert_ne!(found(EventKey::Producer("p1".to_owned())).map(|event| event.id), None::<EventId>);
}
