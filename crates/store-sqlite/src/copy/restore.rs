//! `restore`: a backup becomes the database of an empty data directory.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use signalpost_core::limits::{
    PUBLIC_NUMBER_MAX, RESTORE_NUMBER_STEP_MAX, RESTORE_SEQUENCE_STEP_MIN, SEQUENCE_NUMBERS_PER_S_MAX,
};
use signalpost_core::time::Timestamp;

use super::{
    COUNT_EVENTS, COUNT_OWED, COUNT_WORKSPACES, CopyError, PARTIAL, digest, failed, make_empty, number,
    or_remove, put_in_place,
};
use crate::open::{DATABASE_FILE, Existing, create_private};
use crate::schema;

const ADVANCE: &str = "UPDATE head SET sequence = sequence + ?1";
/// Those that nothing was taken from by then too: something may have been since.
const ADVANCE_COUNTERS: &str = "UPDATE counter SET last = min(last + ?1, ?2)";

/// Ids of what is gone are not given out again. An answer that is kept for a call may hold a key.
const REVOKE: &str = "
    UPDATE meta SET value = max(value,
            (SELECT coalesce(max(id), 0) FROM operator_key), (SELECT coalesce(max(id), 0) FROM operator_session),
            (SELECT coalesce(max(id), 0) FROM operator_account), (SELECT coalesce(max(id), 0) FROM credential),
            (SELECT coalesce(max(id), 0) FROM portal_session), (SELECT coalesce(max(id), 0) FROM user), (SELECT coalesce(max(id), 0) FROM user_right))
        WHERE name = 'highest_deleted_id';
    DELETE FROM operator_session;
    DELETE FROM operator_key;
    DELETE FROM operator_account;
    DELETE FROM portal_session;
    DELETE FROM credential;
    DELETE FROM session;
    DELETE FROM user_right;
    DELETE FROM user;
    DELETE FROM once WHERE sealed IS NOT NULL;
    UPDATE head SET kept_bytes = (SELECT coalesce(sum(256 + coalesce(length(accepted), 0)), 0)
        FROM once WHERE once.workspace = head.workspace);
    UPDATE meta SET value = (SELECT coalesce(sum(256 + coalesce(length(accepted), 0)), 0) FROM once)
        WHERE name = 'kept_bytes';
    UPDATE meta SET value = (SELECT coalesce(sum(256 + coalesce(length(accepted), 0)), 0)
        FROM once WHERE workspace = 0) WHERE name = 'kept_bytes_outside';";
/// Links to the portal are signed and not stored: those that were made until then open no session.
const END_PORTAL_LINKS: &str = "UPDATE workspace SET portal_ended_at = max(ifnull(portal_ended_at, ?1), ?1)";
const COUNT_OPERATOR_KEYS: &str = "SELECT count(*) FROM operator_key";
const COUNT_CREDENTIALS: &str = "SELECT count(*) FROM credential";
const COUNT_USERS: &str = "SELECT count(*) FROM user";

/// What becomes of operator keys, of customers' credentials and links to the portal, and of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// They are as they were when the backup was taken: what was revoked since opens again.
    AsTheyWere,
    /// None of them opens anything. Users go too: who was removed since the backup would have a password again.
    Revoked,
}

#[derive(Clone, Copy, Debug)]
pub struct RestoreOptions {
    /// What the backup's manifest says of its file.
    pub sha256: Option<[u8; 32]>,
    /// How long ago the backup was begun.
    pub age: Duration,
    /// When this is.
    pub now: Timestamp,
    pub keys: Keys,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreReport {
    pub bytes: u64,
    pub workspaces: u64,
    pub events: u64,
    /// Deliveries that the backup still owed: they go out again, also those that were delivered after it was taken.
    pub owed: u64,
    /// How far every sequence was taken ahead.
    pub sequence_step: i64,
    /// Operator keys that were there, revoked or as they were.
    pub operator_keys: u64,
    /// The same of customers' credentials.
    pub credentials: u64,
    /// The same of users who log in.
    pub users: u64,
}

/// How far a sequence goes ahead for a backup of this age: what was handed out since is below, so that a consumer that
/// has seen it skips nothing that is published from here on.
pub fn sequence_step(age: Duration) -> i64 {
    let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX).saturating_add(1);
    seconds.saturating_mul(SEQUENCE_NUMBERS_PER_S_MAX).max(RESTORE_SEQUENCE_STEP_MIN)
}

/// How far the counters of ids go ahead for a backup of this age: an id that was given to something since must not name
/// something else.
pub fn number_step(age: Duration) -> i64 {
    sequence_step(age).min(RESTORE_NUMBER_STEP_MAX)
}

/// Copies the database of the backup `from` into the data directory `to`, which must be empty or missing.
///
/// Everything is checked before the database gets its name; after an error `to` holds no database.
pub fn restore(from: &Path, to: &Path, options: &RestoreOptions) -> Result<RestoreReport, CopyError> {
    let backup = from.join(DATABASE_FILE);
    if !backup.is_file() {
        return Err(CopyError::NoDatabase(from.to_owned()));
    }
    make_empty(to)?;
    let partial = to.join(PARTIAL);
    let report = or_remove(&partial, || write(&backup, &partial, options))?;
    put_in_place(&partial, &to.join(DATABASE_FILE))?;
    Ok(report)
}

fn write(backup: &Path, partial: &Path, options: &RestoreOptions) -> Result<RestoreReport, CopyError> {
    let bytes = copy(backup, partial)?;
    let (sha256, _) = digest(partial)?;
    if options.sha256.is_some_and(|expected| expected != sha256) {
        let problem = "its checksum is not the one in the manifest".to_owned();
        return Err(CopyError::Damaged { path: backup.to_owned(), problem });
    }
    let mut connection = Connection::open(partial)?;
    // The file is ours alone and is synced as a whole at the end. Nobody waits, so what is revoked is overwritten everywhere.
    connection.execute_batch(
        "PRAGMA journal_mode = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;",
    )?;
    schema::recognise(&connection)?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(CopyError::Damaged { path: backup.to_owned(), problem: verdict });
    }
    // A backup of an earlier version may lack tables that are asked for below.
    schema::migrate(&mut connection)?;
    let sequence_step = sequence_step(options.age);
    connection.execute(ADVANCE, [sequence_step])?;
    connection.execute(ADVANCE_COUNTERS, [number_step(options.age), PUBLIC_NUMBER_MAX])?;
    let report = RestoreReport {
        bytes,
        workspaces: number(&connection, COUNT_WORKSPACES)?,
        events: number(&connection, COUNT_EVENTS)?,
        owed: number(&connection, COUNT_OWED)?,
        sequence_step,
        operator_keys: number(&connection, COUNT_OPERATOR_KEYS)?,
        credentials: number(&connection, COUNT_CREDENTIALS)?,
        users: number(&connection, COUNT_USERS)?,
    };
    if options.keys == Keys::Revoked {
        connection.execute_batch(REVOKE)?;
        connection.execute(END_PORTAL_LINKS, [options.now.as_ms()])?;
    }
    connection.close().map_err(|(_, error)| error)?;
    Ok(report)
}

/// The bytes alone: a copy of the file would take the backup's permissions along.
fn copy(backup: &Path, partial: &Path) -> Result<u64, CopyError> {
    let mut source = File::open(backup).map_err(failed(backup))?;
    let mut target = create_private(partial, Existing::Refused).map_err(failed(partial))?;
    io::copy(&mut source, &mut target).map_err(failed(backup))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_go_ahead_of_what_a_backup_of_its_age_can_have_missed() {
        let day = 24 * 3_600;
        for (age_s, step) in [
            (0, 1 << 20),
            (9, 1 << 20),
            (10, 1_100_000),
            (day, 8_640_100_000),
            (365 * day, 3_153_600_100_000),
            (u64::MAX, i64::MAX),
        ] {
            assert_eq!(sequence_step(Duration::from_secs(age_s)), step, "{age_s}");
        }
        assert!(sequence_step(Duration::from_secs(1_000 * 365 * day)) < 1 << 53);
    }

    /// As sequences do, but for what a wrong clock would make of it.
    #[test]
    fn counters_last_for_thousands_of_restores() {
        let day = 24 * 3_600;
        for (age_s, step) in [
            (0, 1 << 20),
            (day, 8_640_100_000),
            (254 * day, 2_194_560_100_000),
            (255 * day, 1 << 41),
            (u64::MAX, 1 << 41),
        ] {
            assert_eq!(number_step(Duration::from_secs(age_s)), step, "{age_s}");
        }
    }
}
