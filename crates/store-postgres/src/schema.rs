//! The schema's versions: embedded, applied once, each in its own transaction, and checked for changes.

use sha2::{Digest, Sha256};
use signalpost_store::row::Fields;

use crate::locks::{self, Locked};
use crate::open::OpenError;
use crate::session::Session;

struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

/// In order, numbers from 1 without a gap. A released one never changes.
const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "initial", sql: include_str!("../migrations/0001_initial.sql") },
    Migration { number: 2, name: "moves", sql: include_str!("../migrations/0002_moves.sql") },
    Migration { number: 3, name: "nodes", sql: include_str!("../migrations/0003_nodes.sql") },
    Migration { number: 4, name: "changes", sql: include_str!("../migrations/0004_changes.sql") },
];

/// A migration takes as long as it takes: a bound would make a large database one that cannot be opened.
const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = 0";
const CREATE_JOURNAL: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number bigint PRIMARY KEY, name text NOT NULL, sha256 bytea NOT NULL)";
const SELECT_NEWEST: &str = "SELECT coalesce(max(number), 0) FROM schema_migration";
const SELECT_CHECKSUM: &str = "SELECT sha256 FROM schema_migration WHERE number = $1";
const INSERT_APPLIED: &str = "INSERT INTO schema_migration (number, name, sha256) VALUES ($1, $2, $3)";
const JOURNAL_EXISTS: &str = "SELECT 1 WHERE to_regclass('schema_migration') IS NOT NULL";

/// Brings the schema up to the newest version that this program knows. Nodes that start at once wait for each other.
pub(crate) async fn migrate(session: &Session) -> Result<(), OpenError> {
    session.wait_for_ever();
    session.batch(BEGIN).await?;
    let migrated = migrate_locked(session).await;
    session.batch(if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    migrated
}

async fn migrate_locked(session: &Session) -> Result<(), OpenError> {
    // The schema need not exist yet, so it cannot say which it is.
    locks::take(session, 0, &[Locked::Schema]).await?;
    if !session.exists(JOURNAL_EXISTS, &[]).await? {
        session.batch("DO $$ BEGIN EXECUTE 'CREATE SCHEMA IF NOT EXISTS ' || current_setting('search_path'); END $$").await?;
        session.batch(CREATE_JOURNAL).await?;
    }
    let found = session.number(SELECT_NEWEST, &[]).await?;
    let known = i64::try_from(MIGRATIONS.len()).expect("few migrations");
    if found > known {
        return Err(OpenError::NewerSchema { found, known });
    }
    for migration in MIGRATIONS {
        apply(session, migration).await?;
    }
    Ok(())
}

async fn apply(session: &Session, migration: &Migration) -> Result<(), OpenError> {
    let checksum: [u8; 32] = Sha256::digest(migration.sql).into();
    let applied = session
        .one(SELECT_CHECKSUM, &[&migration.number], |row| {
            Fields::new(row, "schema_migration", 0).blob("sha256").map(<[u8]>::to_vec)
        })
        .await?;
    match applied {
        Some(applied) if applied == checksum => return Ok(()),
        Some(_) => return Err(OpenError::ChangedMigration { number: migration.number }),
        None => {}
    }
    session.batch(migration.sql).await?;
    session.execute(INSERT_APPLIED, &[&migration.number, &migration.name, &checksum.as_slice()]).await?;
    tracing::info!(number = migration.number, name = migration.name, "schema migrated");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_gap() {
        for (position, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(usize::try_from(migration.number), Ok(position + 1), "{}", migration.name);
        }
    }
}
