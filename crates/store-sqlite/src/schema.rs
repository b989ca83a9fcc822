//! The schema's versions: embedded, applied once, each in its own transaction, and checked for changes.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use crate::open::OpenError;

struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

/// In order, numbers from 1 without a gap. A released one never changes.
const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "initial", sql: include_str!("../migrations/0001_initial.sql") },
    Migration { number: 2, name: "key_check", sql: include_str!("../migrations/0002_key_check.sql") },
    Migration { number: 3, name: "retention", sql: include_str!("../migrations/0003_retention.sql") },
    Migration { number: 4, name: "unlisted", sql: include_str!("../migrations/0004_unlisted.sql") },
    Migration { number: 5, name: "keys", sql: include_str!("../migrations/0005_keys.sql") },
    Migration {
        number: 6,
        name: "webhook_options",
        sql: include_str!("../migrations/0006_webhook_options.sql"),
    },
    Migration { number: 7, name: "kept_answers", sql: include_str!("../migrations/0007_kept_answers.sql") },
    Migration {
        number: 8,
        name: "operator_key_ends",
        sql: include_str!("../migrations/0008_operator_key_ends.sql"),
    },
    Migration { number: 9, name: "feed", sql: include_str!("../migrations/0009_feed.sql") },
    Migration { number: 10, name: "for_ever", sql: include_str!("../migrations/0010_for_ever.sql") },
    Migration { number: 11, name: "leaving", sql: include_str!("../migrations/0011_leaving.sql") },
    Migration { number: 12, name: "filter", sql: include_str!("../migrations/0012_filter.sql") },
    Migration { number: 13, name: "settled", sql: include_str!("../migrations/0013_settled.sql") },
    Migration { number: 14, name: "numbers", sql: include_str!("../migrations/0014_numbers.sql") },
    Migration { number: 15, name: "signing_keys", sql: include_str!("../migrations/0015_signing_keys.sql") },
    Migration { number: 16, name: "users", sql: include_str!("../migrations/0016_users.sql") },
    Migration { number: 17, name: "filtered", sql: include_str!("../migrations/0017_filtered.sql") },
    Migration { number: 18, name: "ceilings", sql: include_str!("../migrations/0018_ceilings.sql") },
    Migration { number: 19, name: "order_by_key", sql: include_str!("../migrations/0019_order_by_key.sql") },
    Migration { number: 20, name: "health", sql: include_str!("../migrations/0020_health.sql") },
    Migration { number: 21, name: "replay", sql: include_str!("../migrations/0021_replay.sql") },
    Migration { number: 22, name: "desk", sql: include_str!("../migrations/0022_desk.sql") },
    Migration { number: 23, name: "portal", sql: include_str!("../migrations/0023_portal.sql") },
    Migration { number: 24, name: "figures", sql: include_str!("../migrations/0024_figures.sql") },
];

/// Marks a file as ours: "SGPT" in ASCII (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x5347_5054;

const CREATE_JOURNAL: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 BLOB NOT NULL)";
const SELECT_NEWEST: &str = "SELECT max(number) FROM schema_migration";
const SELECT_CHECKSUM: &str = "SELECT sha256 FROM schema_migration WHERE number = ?1";
const INSERT_APPLIED: &str = "INSERT INTO schema_migration (number, name, sha256) VALUES (?1, ?2, ?3)";

/// Brings a database up to the newest version that this program knows.
///
/// Refuses a file of another program, one written by a newer version, and one whose history is not ours.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    claim(connection)?;
    let newest: Option<i64> = connection.query_row(SELECT_NEWEST, [], |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).expect("few migrations");
    let found = newest.unwrap_or(0);
    if found > known {
        return Err(OpenError::NewerSchema { found, known });
    }
    for migration in MIGRATIONS {
        apply(connection, migration)?;
    }
    Ok(())
}

/// Whether a database is ours and of a version that this program knows; its newest migration. Changes nothing.
pub(crate) fn recognise(connection: &Connection) -> Result<i64, OpenError> {
    let application_id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if application_id != APPLICATION_ID {
        return Err(OpenError::ForeignFile);
    }
    let found: i64 =
        connection.query_row(SELECT_NEWEST, [], |row| row.get::<_, Option<i64>>(0))?.unwrap_or(0);
    let known = i64::try_from(MIGRATIONS.len()).expect("few migrations");
    if found > known { Err(OpenError::NewerSchema { found, known }) } else { Ok(found) }
}

/// The newest migration that this program knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.number).max().unwrap_or(0)
}

/// Marks an empty file as ours and refuses one that is somebody else's.
fn claim(connection: &mut Connection) -> Result<(), OpenError> {
    let transaction = begin(connection)?;
    let application_id: i64 = transaction.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application_id != APPLICATION_ID {
        if application_id != 0 || tables != 0 {
            return Err(OpenError::ForeignFile);
        }
        transaction.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}"))?;
    }
    transaction.execute_batch(CREATE_JOURNAL)?;
    Ok(transaction.commit()?)
}

fn apply(connection: &mut Connection, migration: &Migration) -> Result<(), OpenError> {
    let checksum: [u8; 32] = Sha256::digest(migration.sql).into();
    let transaction = begin(connection)?;
    let applied: Option<Vec<u8>> =
        transaction.query_row(SELECT_CHECKSUM, [migration.number], |row| row.get(0)).optional()?;
    match applied {
        Some(applied) if applied == checksum => return Ok(()),
        Some(_) => return Err(OpenError::ChangedMigration { number: migration.number }),
        None => {}
    }
    transaction.execute_batch(migration.sql)?;
    transaction.execute(INSERT_APPLIED, params![migration.number, migration.name, checksum])?;
    transaction.commit()?;
    tracing::info!(number = migration.number, name = migration.name, "schema migrated");
    Ok(())
}

fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrated() -> Connection {
        let mut connection = Connection::open_in_memory().expect("memory");
        migrate(&mut connection).expect("an empty database migrates");
        connection
    }

    #[test]
    fn numbers_have_no_gap() {
        for (position, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(usize::try_from(migration.number), Ok(position + 1), "{}", migration.name);
        }
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = migrated();
        let version = |connection: &Connection| -> i64 {
            connection.query_row("PRAGMA schema_version", [], |row| row.get(0)).expect("a version")
        };
        let before = version(&connection);
        migrate(&mut connection).expect("again");
        assert_eq!(version(&connection), before);
    }

    /// Calls that were kept before there was a bound count like those that come after.
    #[test]
    fn answers_kept_before_they_were_counted_are_counted() {
        let mut connection = Connection::open_in_memory().expect("memory");
        claim(&mut connection).expect("it is empty");
        MIGRATIONS[..6].iter().for_each(|one| apply(&mut connection, one).expect("an earlier version"));
        let calls = "INSERT INTO head (workspace, version, sequence) VALUES (7, 1, 0), (8, 1, 0);
            INSERT INTO once (workspace, name, at, request, accepted, sealed) VALUES
                (7, x'01', 0, x'00', zeroblob(10), NULL), (7, x'02', 0, x'00', NULL, zeroblob(20)),
                (0, x'01', 0, x'00', NULL, zeroblob(30)), (9, x'01', 0, x'00', zeroblob(40), NULL);";
        connection.execute_batch(calls).expect("calls of then");
        migrate(&mut connection).expect("it migrates");
        let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
        for (sql, bytes) in [
            ("SELECT kept_bytes FROM head WHERE workspace = 7", 2 * 256 + 30),
            ("SELECT kept_bytes FROM head WHERE workspace = 8", 0),
            ("SELECT value FROM meta WHERE name = 'kept_bytes_outside'", 256 + 30),
            ("SELECT value FROM meta WHERE name = 'kept_bytes'", 4 * 256 + 100),
        ] {
            assert_eq!(number(sql), bytes, "{sql}");
        }
    }

    /// What a webhook was before is not known, but for when it was deleted.
    #[test]
    fn webhooks_made_before_they_were_settled_are_settled_now() {
        let mut connection = Connection::open_in_memory().expect("memory");
        claim(&mut connection).expect("it is empty");
        MIGRATIONS[..12].iter().for_each(|one| apply(&mut connection, one).expect("an earlier version"));
        let webhooks = "INSERT INTO head (workspace, version, sequence) VALUES (7, 1, 30), (8, 1, 40);
            INSERT INTO webhook (id, workspace, public_id, url, consecutive_failures, created_at, updated_at, deleted_at)
            VALUES (1, 7, 'a', '', 0, 0, 0, NULL), (2, 7, 'b', '', 0, 0, 0, 5), (3, 8, 'c', '', 0, 0, 0, NULL);
            INSERT INTO cut (webhook, n, upto, at, reason) VALUES
                (1, 1, 10, 0, 'webhook_disabled'), (2, 1, 21, 0, 'webhook_disabled'), (2, 2, 20, 5, 'webhook_deleted');";
        connection.execute_batch(webhooks).expect("webhooks of then");
        migrate(&mut connection).expect("it migrates");
        let settled = |id: i64| {
            let select = "SELECT created_after, settled_after, deleted_by IS NULL FROM webhook WHERE id = ?1";
            let row = connection.query_row(select, [id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
            row.expect("a webhook of then")
        };
        assert_eq!([1, 2, 3].map(settled), [(0, 30, true), (0, 20, true), (0, 40, true)]);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = migrated();
        connection.execute(INSERT_APPLIED, params![99, "from the future", [0u8; 32]]).expect("insert");
        let error = migrate(&mut connection).expect_err("newer");
        assert!(matches!(error, OpenError::NewerSchema { found: 99, .. }), "{error}");
        assert!(error.to_string().contains("newer version"), "{error}");
    }

    #[test]
    fn another_history_is_refused() {
        let mut connection = migrated();
        connection.execute("UPDATE schema_migration SET sha256 = zeroblob(32)", []).expect("update");
        let error = migrate(&mut connection).expect_err("changed");
        assert!(matches!(error, OpenError::ChangedMigration { number: 1 }), "{error}");
    }

    #[test]
    fn a_file_of_another_program_is_refused() {
        for sql in ["CREATE TABLE other (x)", "PRAGMA application_id = 7"] {
            let mut connection = Connection::open_in_memory().expect("memory");
            connection.execute_batch(sql).expect("foreign");
            let error = migrate(&mut connection).expect_err("foreign");
            assert!(matches!(error, OpenError::ForeignFile), "{sql}: {error}");
        }
    }
}
