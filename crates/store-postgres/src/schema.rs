//! The schema's versions: embedded, applied once, each in its own transaction, and checked for changes.
//!
//! While nodes are replaced one after the other, programs of two versions work on one schema, which is the newer one's. So
//! each version says which older programs may go on beside it; the journal keeps that for programs that do not know it yet
//! (`docs/adr/0032-a-schema-says-whom-it-bears.md`).

use sha2::{Digest, Sha256};
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::locks::{self, Locked};
use crate::open::OpenError;
use crate::session::Session;

#[derive(Clone, Copy)]
struct Migration {
    number: i64,
    name: &'static str,
    /// Programs that know the schema up to here, at least, may work beside this version: the one before, unless it takes
    /// something away that they need. Never less than an earlier migration says.
    bears: i64,
    sql: &'static str,
}

/// In order, numbers from 1 without a gap. A released one never changes.
const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "initial", bears: 1, sql: include_str!("../migrations/0001_initial.sql") },
    Migration { number: 2, name: "moves", bears: 2, sql: include_str!("../migrations/0002_moves.sql") },
    // Older programs know nothing of leases, and tell nobody what they change.
    Migration { number: 3, name: "nodes", bears: 3, sql: include_str!("../migrations/0003_nodes.sql") },
    Migration { number: 4, name: "changes", bears: 4, sql: include_str!("../migrations/0004_changes.sql") },
    // Older programs find and write everything by the tables above these, and remove events from there row by row.
    Migration {
        number: 5,
        name: "partitions",
        bears: 4,
        sql: include_str!("../migrations/0005_partitions.sql"),
    },
    // Older programs know nothing of cells, nor of workspaces that move between them; the first cell shuts them out.
    Migration { number: CELLS, name: "cells", bears: 5, sql: include_str!("../migrations/0006_cells.sql") },
    // Older programs revoke keys, and erase workspaces, without a look at sessions: these are looked at with their keys.
    Migration { number: 7, name: "desk", bears: 5, sql: include_str!("../migrations/0007_desk.sql") },
    // Older programs erase workspaces without a look at the portal's sessions: these are looked at with their workspaces.
    Migration { number: 8, name: "portal", bears: 5, sql: include_str!("../migrations/0008_portal.sql") },
    // Older programs leave what is added up of the workspaces that they erase: it goes when it is old.
    Migration { number: 9, name: "figures", bears: 5, sql: include_str!("../migrations/0009_figures.sql") },
];

/// The version from which on programs know of cells.
const CELLS: i64 = 6;

/// The newest version that this program knows.
const KNOWN: i64 = newest(MIGRATIONS);

/// A migration takes as long as it takes: a bound would make a large database one that cannot be opened.
const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = 0";
const CREATE_JOURNAL: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number bigint PRIMARY KEY, name text NOT NULL, sha256 bytea NOT NULL, bears bigint)";
const JOURNAL_EXISTS: &str = "SELECT 1 WHERE to_regclass('schema_migration') IS NOT NULL";
/// It is no migration: what reads it must be able to before it knows which there were.
const ADD_BEARS: &str = "ALTER TABLE schema_migration ADD COLUMN bears bigint";
const BEARS_EXISTS: &str = "SELECT 1 FROM pg_attribute
    WHERE attrelid = to_regclass('schema_migration') AND attname = 'bears'";
const SELECT_CHECKSUM: &str = "SELECT sha256 FROM schema_migration WHERE number = $1";
const INSERT_APPLIED: &str =
    "INSERT INTO schema_migration (number, name, sha256, bears) VALUES ($1, $2, $3, $4)";
/// Whoever has written no `bears` knew of no older program that could go on.
const SELECT_STANDING: &str = "SELECT coalesce(max(number), 0), coalesce(max(coalesce(bears, number)), 0)
    FROM schema_migration";

/// Of one's own version.
const RAISE_BEARS: &str = "UPDATE schema_migration SET bears = number WHERE number = $1";
const SELECT_APPLIED: &str = "SELECT coalesce(max(number), 0) FROM schema_migration";

/// How far a schema has come, and whom it bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    newest: i64,
    /// The least that a program must know to work on it.
    bears: i64,
}

impl Standing {
    async fn read(session: &Session) -> Result<Self, OpenError> {
        let read = |row: &signalpost_store::row::Row<'_>| {
            let mut fields = Fields::new(row, "schema_migration", 0);
            Ok(Self { newest: fields.integer("number")?, bears: fields.integer("bears")? })
        };
        let standing = session.one(SELECT_STANDING, &[], read).await?;
        Ok(standing.unwrap_or(Self { newest: 0, bears: 0 }))
    }

    /// `NewerSchema` for a program that must not work on it.
    const fn admit(self, known: i64) -> Result<(), OpenError> {
        let Self { newest: found, bears } = self;
        if known < bears { Err(OpenError::NewerSchema { found, known, bears }) } else { Ok(()) }
    }
}

/// Brings the schema up to the newest version that this program knows, and leaves a newer one that bears it as it is. Nodes
/// that start at once wait for each other.
pub(crate) async fn migrate(session: &Session) -> Result<(), OpenError> {
    bring_up(session, MIGRATIONS).await
}

/// Says, for as long as the connection lasts, which version of a program works here: no migration that it could not bear is
/// made meanwhile. Refuses one that the schema does not bear by now.
pub(crate) async fn stay(session: &Session, schema_key: i64) -> Result<(), OpenError> {
    if !locks::try_hold_shared(session, schema_key, Locked::Program(KNOWN)).await? {
        return Err(OpenError::Migrating);
    }
    Standing::read(session).await?.admit(KNOWN)
}

/// From the end of this transaction on no program works here that knows nothing of cells; `OlderAtWork` while one does.
pub(crate) async fn shut_out_before_cells(session: &Session) -> Result<(), OpenError> {
    outlast_older_programs(session, Standing::read(session).await?, CELLS).await?;
    session.execute(RAISE_BEARS, &[&CELLS]).await?;
    Ok(())
}

/// The newest version that was applied.
pub(crate) async fn applied(session: &Session) -> Result<i64, Failure> {
    session.number(SELECT_APPLIED, &[]).await
}

async fn bring_up(session: &Session, migrations: &[Migration]) -> Result<(), OpenError> {
    session.wait_for_ever();
    session.batch(BEGIN).await?;
    let done = bring_up_locked(session, migrations).await;
    session.batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    done
}

async fn bring_up_locked(session: &Session, migrations: &[Migration]) -> Result<(), OpenError> {
    // The schema need not exist yet, so it cannot say which it is.
    locks::take(session, 0, &[Locked::Schema]).await?;
    keep_journal(session).await?;
    let (standing, known) = (Standing::read(session).await?, newest(migrations));
    standing.admit(known)?;
    if standing.newest > known {
        let Standing { newest, bears } = standing;
        tracing::info!(newest, known, bears, "the schema is a newer version's, and this one may work on it");
    }
    let pending = migrations.iter().filter(|migration| migration.number > standing.newest);
    let bears = pending.map(|migration| migration.bears).max();
    outlast_older_programs(session, standing, bears.unwrap_or(standing.bears)).await?;
    for migration in migrations {
        apply(session, migration).await?;
    }
    Ok(())
}

async fn keep_journal(session: &Session) -> Result<(), OpenError> {
    if !session.exists(JOURNAL_EXISTS, &[]).await? {
        session.batch("DO $$ BEGIN EXECUTE 'CREATE SCHEMA IF NOT EXISTS ' || current_setting('search_path'); END $$").await?;
        session.batch(CREATE_JOURNAL).await?;
    } else if !session.exists(BEARS_EXISTS, &[]).await? {
        session.batch(ADD_BEARS).await?;
    }
    Ok(())
}

/// `OlderAtWork` while a program works here that would not be borne any more. None can begin to before the commit.
async fn outlast_older_programs(session: &Session, now: Standing, bears: i64) -> Result<(), OpenError> {
    let schema_key = locks::schema_key(session).await?;
    for known in now.bears..bears {
        if !locks::try_take(session, schema_key, Locked::Program(known)).await? {
            return Err(OpenError::OlderAtWork { known, bears });
        }
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
    let Migration { number, name, bears, .. } = *migration;
    session.execute(INSERT_APPLIED, &[&number, &name, &checksum.as_slice(), &bears]).await?;
    tracing::info!(number, name, bears, "schema migrated");
    Ok(())
}

const fn newest(migrations: &[Migration]) -> i64 {
    match migrations.last() {
        Some(migration) => migration.number,
        None => 0,
    }
}

#[cfg(test)]
mod tests;
