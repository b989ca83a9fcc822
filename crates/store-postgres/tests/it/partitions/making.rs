//! Tables are there before their time, and an event without one is kept all the same.

use std::time::{Duration, Instant};

use signalpost_core::retention::RetentionRules;
use signalpost_store::ledger::{EventKey, Retain};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_testkit::wait_for;

use super::stage::{AGE_H, HOUR_MS, MINUTE_MS, Stage};
use crate::faults::strangers::Stranger;
use crate::support::server_url;

#[test]
fn tables_are_made_ahead_once_whoever_asks_and_events_lie_in_them() {
    let mut stage = Stage::new();
    let ends = |stage: &Stage| stage.ask("SELECT ended::text FROM {s}.span ORDER BY first");
    let made = ends(&stage);
    assert_eq!(stage.kinds(), ["before", "ahead", "ahead"]);
    stage.walk(0);
    stage.open_anew();
    stage.walk(0);
    assert_eq!(ends(&stage), made, "once is enough");
    stage.walk(HOUR_MS);
    assert_eq!(ends(&stage).len(), 4);

    let workspace = stage.create(sample::workspace(1), &[11]);
    for (n, ms) in [(1, -MINUTE_MS), (2, 0), (3, HOUR_MS), (4, 90 * 24 * HOUR_MS)] {
        let id = stage.publish(workspace, ms, n, &[11]);
        let found = block_on(stage.store().event(workspace, EventKey::Ours(id))).expect("it reads");
        assert_eq!(found.expect("it is there").id, id);
    }
    stage.deliver(workspace, 11);
    let lie =
        |table: &str| stage.ask(&format!("SELECT tableoid::regclass::text FROM {{s}}.{table} ORDER BY 1"));
    let schema = &stage.place.schema;
    let tables =
        |name: &str| ["other", "p1", "p2", "p3"].map(|table| format!("{schema}.{name}_{table}")).to_vec();
    assert_eq!(lie("message"), tables("message"));
    assert_eq!(lie("attempt"), tables("attempt"));
}

#[test]
fn where_events_go_row_by_row_one_table_is_enough_for_long() {
    let stage = Stage::new();
    let rules = RetentionRules { event_age_max: None, ..Stage::rules() };
    let spans = stage.kinds().len();
    for day in [30, 60] {
        let params = Retain { now: stage.time(day * 24 * HOUR_MS), rules: rules.clone() };
        while block_on(stage.store().retain(params.clone())).expect("a step").more {}
    }
    assert_eq!(stage.kinds().len(), spans + 1);
    // Under other rules its events would wait for its end for too long.
    let workspace = stage.create(sample::workspace(1), &[]);
    let (begins, over) = (100 * 24 * HOUR_MS, 100 * 24 * HOUR_MS + AGE_H * HOUR_MS);
    stage.publish(workspace, begins, 1, &[]);
    stage.publish(workspace, begins + 1, 2, &[]);
    let lie = stage.ask("SELECT DISTINCT tableoid::regclass::text FROM {s}.message");
    assert!(lie.len() == 1 && lie[0].contains("message_p"), "{lie:?}");
    assert_eq!(stage.walk(over), 1, "to the millisecond");
}

/// Far above the bound, and far below that of other waits for locks.
const PATIENCE: Duration = Duration::from_secs(5);

/// They would wait behind whoever waits for the stranger.
#[test]
fn nobody_waits_for_tables_that_a_stranger_keeps_from_being_made() {
    let stage = Stage::new();
    let workspace = stage.create(sample::workspace(1), &[]);
    let sql = format!("BEGIN; SELECT count(*) FROM {}.message", stage.place.schema);
    let stranger = Stranger::who_says(&server_url(), &sql);
    let (spans, now, began) = (stage.kinds().len(), HOUR_MS / 2, Instant::now());
    stage.walk(now);
    assert!(began.elapsed() < PATIENCE, "whoever wants to read or write would wait for as long");
    assert_eq!(stage.kinds().len(), spans, "it was tried in vain");
    stage.publish(workspace, 0, 1, &[]);
    stranger.commit();
    stage.walk(now + 1);
    assert_eq!(stage.kinds().len(), spans, "not at once again");
    stage.walk(now + MINUTE_MS);
    assert_eq!(stage.kinds().len(), spans + 1);
}

/// It was on its way to where it would have lain without one.
#[test]
fn an_event_whose_table_is_made_at_that_moment_is_taken() {
    let stage = Stage::new();
    let (workspace, ms) = (stage.create(sample::workspace(1), &[]), 50 * HOUR_MS);
    let mut event = stage.event(workspace, ms, 1, &[]);
    (event.content.producer_id, event.dedupe) = (None, None);
    let (schema, id) = (&stage.place.schema, event.id.raw());
    let making = format!(
        "BEGIN; CREATE TABLE {schema}.message_now (LIKE {schema}.message);
         ALTER TABLE {schema}.message ATTACH PARTITION {schema}.message_now FOR VALUES FROM ({id}) TO ({})",
        id + 1
    );
    let making = Stranger::who_says(&server_url(), &making);
    std::thread::scope(|threads| {
        let publishing = threads.spawn(|| block_on(stage.store().accept(vec![event])));
        let waits =
            "SELECT 1::text FROM pg_locks WHERE NOT granted AND relation = '{s}.message_other'::regclass";
        wait_for("a publisher who waits", PATIENCE, || !stage.ask(waits).is_empty())
            .expect("it is on its way");
        making.commit();
        publishing.join().expect("no panic").expect("it is accepted");
    });
    assert_eq!([stage.count("message_now"), stage.count("message")], [1, 1]);
}

/// Nobody has made any for so long that all that comes lies in one table. It goes row by row.
#[test]
fn tables_that_come_too_late_leave_what_is_there_where_it_is() {
    let stage = Stage::new();
    let workspace = stage.create(sample::workspace(1), &[]);
    let late = 50 * HOUR_MS;
    stage.publish(workspace, late, 1, &[]);
    stage.walk(late);
    stage.publish(workspace, late + HOUR_MS, 2, &[]);
    let lie = stage.ask("SELECT tableoid::regclass::text FROM {s}.message ORDER BY id");
    assert!(lie[0].ends_with("message_other") && lie[1].contains("message_p"), "{lie:?}");
    let over = Stage::over(late + 2 * HOUR_MS);
    assert_eq!((stage.walk(over), stage.usage(workspace).events), (2, 0));
}
