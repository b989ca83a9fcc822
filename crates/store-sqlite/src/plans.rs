//! A test that SQLite answers every statement from an index: none may read a large table from end to end.

use std::path::Path;

use rusqlite::{Connection, Statement};
use signalpost_store::testing::statements::assert_all_listed;

use crate::{catalog, desk, ledger, portal, replays, retention, rollups, schema, vault};

#[test]
fn every_statement_is_listed() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_all_listed(
        &source,
        &["catalog", "desk", "ledger", "portal", "replays", "retention", "rollups", "vault"],
    );
}

#[test]
fn no_statement_reads_a_large_table_from_end_to_end() {
    let mut connection = Connection::open_in_memory().expect("memory");
    schema::migrate(&mut connection).expect("it migrates");
    let statements = [
        catalog::STATEMENTS,
        desk::STATEMENTS,
        ledger::STATEMENTS,
        portal::STATEMENTS,
        replays::STATEMENTS,
        retention::STATEMENTS,
        rollups::STATEMENTS,
        vault::STATEMENTS,
    ];
    for sql in statements.into_iter().flatten() {
        let mut plan =
            connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap_or_else(|e| panic!("{sql}: {e}"));
        for step in steps(&mut plan) {
            assert!(!is_unbounded(sql, &step), "{sql}\nis answered by\n{step}");
        }
    }
}

fn steps(plan: &mut Statement<'_>) -> Vec<String> {
    let parameters = plan.parameter_count();
    for parameter in 1..=parameters {
        plan.raw_bind_parameter(parameter, 1).expect("it binds");
    }
    let mut rows = plan.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().expect("a plan") {
        steps.push(row.get::<_, String>(3).expect("text"));
    }
    steps
}

/// A scan is fine where a `LIMIT` or the order of a key ends it at once; a sort of what was found never is,
/// unless it is bounded by one key.
fn is_unbounded(sql: &str, step: &str) -> bool {
    let scans = step.starts_with("SCAN") && !step.contains("CONSTANT ROW") && !is_short(sql, step);
    let sorts = step.contains("TEMP B-TREE") && !sql.contains("FROM event_key k");
    scans || sorts
}

/// Ends at a `LIMIT`, or sums up one small row for each workspace.
fn is_short(sql: &str, step: &str) -> bool {
    sql.contains("LIMIT") || step == "SCAN head"
}
