//! What a move takes along of this schema, and what it leaves.

use std::collections::BTreeSet;

use signalpost_store::transfer::TABLES;
use signalpost_testkit::TempDir;

use super::*;

/// Listing indexes, and what belongs to this database alone.
const LEFT: [&str; 4] = ["ix_event", "ix_delivery", "unlisted", "schema_migration"];

fn in_memory() -> Connection {
    let mut connection = Connection::open_in_memory().expect("memory");
    schema::migrate(&mut connection).expect("it migrates");
    connection
}

fn names(connection: &Connection, sql: &str) -> BTreeSet<String> {
    let mut statement = connection.prepare(sql).expect("a query");
    let rows = statement.query_map([], |row| row.get(0)).expect("names");
    rows.collect::<Result<_, _>>().expect("texts")
}

/// A table or a column that nobody moves would be forgotten.
#[test]
fn everything_is_moved_or_left_on_purpose() {
    let connection = in_memory();
    let tables = names(
        &connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    );
    let made = ["place", untried::TABLE];
    let moved = TABLES.iter().map(|table| table.name).filter(|name| !made.contains(name));
    assert_eq!(tables, moved.chain(LEFT).map(str::to_owned).collect());
    for table in TABLES.iter().filter(|table| !made.contains(&table.name)) {
        let columns = names(&connection, &format!("SELECT name FROM pragma_table_info('{}')", table.name));
        // It stands in `place`.
        // The place is a row of `place` there, and how far an erasure has come is found anew.
        let left = match table.name {
            "head" => Some("sequence"),
            "rest" => Some("upto"),
            _ => None,
        };
        let moved = table.columns.iter().map(|column| column.name);
        assert_eq!(columns, moved.chain(left).map(str::to_owned).collect(), "{}", table.name);
    }
}

/// Pages go by an index: a table is never sorted.
#[test]
fn pages_are_read_in_the_order_of_their_keys() {
    let connection = in_memory();
    for table in TABLES.iter().filter(|table| table.name != untried::TABLE) {
        let key = Key(table.key().iter().map(|_| Cell::Integer(0)).collect());
        let sql = format!("EXPLAIN QUERY PLAN {}", select::page(table, Some(&key)));
        let mut statement = connection.prepare(&sql).expect("a page");
        let values = Values::behind(Some(&key), 1);
        let steps = statement.query_map(params_from_iter(values.iter()), |row| row.get::<_, String>(3));
        let plan: Vec<String> = steps.expect("a plan").collect::<Result<_, _>>().expect("texts");
        let is_sorted = plan.iter().any(|step| step.contains("TEMP B-TREE") && !step.contains("LAST TERM"));
        assert!(!is_sorted, "{}: {plan:?}", table.name);
    }
}

#[test]
fn a_directory_that_is_left_opens_for_nobody_but_another_move() {
    let directory = TempDir::new().expect("a folder");
    let open = || crate::SqliteStore::open_inline(directory.path()).map(drop);
    open().expect("a new store");
    let moving = MoveOut::open(directory.path(), Bounds::default()).expect("nobody works on it");
    assert!(matches!(open(), Err(OpenError::InUse(_))));
    let marker = moving.leave("It went far away.").expect("it is left");
    drop(moving);
    let said = open().expect_err("it is left").to_string();
    assert!(said.contains(&marker.display().to_string()), "{said}");
    assert!(MoveOut::open(directory.path(), Bounds::default()).expect("it may be finished").is_left());
    std::fs::remove_file(marker).expect("it is a file");
    open().expect("somebody went back");
}

#[test]
fn a_directory_without_a_database_or_in_use_is_refused() {
    let directory = TempDir::new().expect("a folder");
    let refused = |directory: &Path| {
        MoveOut::open(directory, Bounds::default()).map(drop).expect_err("refused").to_string()
    };
    assert!(refused(directory.path()).starts_with("there is no database in"));
    assert!(!directory.path().join("signalpost.lock").exists(), "nothing is made");
    let store = crate::SqliteStore::open_inline(directory.path()).expect("a store");
    assert!(refused(directory.path()).contains("is in use by another process"));
    drop(store);
    let connection = Connection::open(directory.path().join(DATABASE_FILE)).expect("a database");
    connection.execute("DELETE FROM schema_migration WHERE number = 24", []).expect("an earlier one");
    assert!(refused(directory.path()).contains("earlier version (schema 23"));
}
