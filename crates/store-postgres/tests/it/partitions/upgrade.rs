//! A database from before there were such tables, and one that another store is moved into.

use signalpost_store::ledger::EventKey;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::conformance::Harness;
use signalpost_store::testing::sample;

use signalpost_core::id::EventId;

use super::stage::{MINUTE_MS, Stage};
use crate::support::{Fresh, ask, say};

/// As the version before this one has made it.
const BEFORE: [(&str, &str); 4] = [
    ("initial", include_str!("../../../migrations/0001_initial.sql")),
    ("moves", include_str!("../../../migrations/0002_moves.sql")),
    ("nodes", include_str!("../../../migrations/0003_nodes.sql")),
    ("changes", include_str!("../../../migrations/0004_changes.sql")),
];

fn make_as_before(schema: &str) {
    say(&format!(
        "CREATE SCHEMA {schema}; SET search_path = {schema};
         CREATE TABLE schema_migration (number bigint PRIMARY KEY, name text NOT NULL, sha256 bytea NOT NULL)"
    ));
    for (place, (name, sql)) in BEFORE.into_iter().enumerate() {
        say(&format!(
            "SET search_path = {schema}; {sql};
             INSERT INTO schema_migration VALUES ({}, '{name}', sha256(convert_to($migration${sql}$migration$, 'UTF8')))",
            place + 1
        ));
    }
}

#[test]
fn what_was_stored_before_is_where_it_was_and_goes_as_everything_does() {
    let place = Fresh::new();
    let schema = place.schema.clone();
    make_as_before(&schema);
    say(&format!(
        "SET search_path = {schema};
         INSERT INTO message (id, workspace, sequence, accepted_at, time, type, targets, data)
             SELECT (((extract(epoch FROM now())::bigint - 3600) * 1000) << 22) + g, 1, g,
                 (extract(epoch FROM now())::bigint - 3600) * 1000, 0, 't', decode('0b00000000000000', 'hex'), '{{}}'
             FROM generate_series(1, 3) AS g;
         INSERT INTO attempt (webhook, event, n, at, verdict, outcome, detail)
             SELECT 11, id, 1, 0, 0, '200', ''::bytea FROM message"
    ));
    let file = |table: &str| {
        ask(&format!("SELECT relfilenode::text FROM pg_class WHERE oid = '{schema}.{table}'::regclass"))
    };
    let before = [file("message_other"), file("attempt_other")];
    let stage = Stage::at(place);
    assert_eq!([file("message_p1"), file("attempt_p1")], before, "nothing was rewritten");
    assert_eq!(
        [stage.count("message_p1"), stage.count("attempt_p1"), stage.count("message_other")],
        [3, 3, 0]
    );
    assert_eq!(stage.kinds(), ["before", "ahead", "ahead"]);
    let workspace = stage.create(sample::workspace(1), &[11]);
    let found = stage.ask("SELECT id::text FROM {s}.message ORDER BY id");
    let id = EventId::from_raw(found[0].parse().expect("a number"));
    let event = block_on(stage.store().event(workspace, EventKey::Ours(id))).expect("it reads");
    assert!(event.is_some());
    assert_eq!(stage.walk(Stage::over(-2 * 24 * 60 * MINUTE_MS)), 0, "they are young");
    assert_eq!(stage.walk(Stage::over(-MINUTE_MS)), 3, "row by row");
}

/// They would all go wrong the same way: what has other columns cannot take the place of what it is a copy of.
#[test]
fn tables_that_take_each_others_places_have_the_same_columns() {
    let place = Fresh::new();
    drop(place.open());
    let columns = |table: &str| {
        ask(&format!(
            "SELECT attname || ' ' || format_type(atttypid, atttypmod) || attnotnull FROM pg_attribute
             WHERE attrelid = '{}.{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            place.schema
        ))
    };
    for tree in ["message", "attempt"] {
        let wanted = columns(tree);
        assert!(wanted.len() > 8, "{wanted:?}");
        for other in ["carried", "gone"] {
            assert_eq!(columns(&format!("{tree}_{other}")), wanted);
        }
    }
}
