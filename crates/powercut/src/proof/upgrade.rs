//! A database of an earlier version that is opened by this one, with the power cut at every moment of its migrations.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use signalpost_core::credential::CredentialHash;
use signalpost_store::Catalog;
use signalpost_store::testing::block_on::block_on;
use signalpost_testkit::{Rng, TempDir};

use super::course::Course;
use super::judge;
use super::place::{Place, Syncing, data};

/// As the store's own schema has it.
const CLAIM: &str = "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA application_id = 1397182548;
    CREATE TABLE schema_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 BLOB NOT NULL)";
const INSERT_APPLIED: &str = "INSERT INTO schema_migration (number, name, sha256) VALUES (?1, ?2, ?3)";
const OBJECTS: &str = "INSERT INTO workspace (id, public_id, dialect, name, features, created_at)
        VALUES (1, 'ws-1', 'native', 'First', x'00', 5);
    INSERT INTO head (workspace, version, sequence) VALUES (1, 1, 41)";
/// The oldest version that is begun with, by its newest migration.
const OLDEST: u64 = 1;

pub(super) fn record(seed: u64, syncing: Syncing) -> Result<Course, String> {
    let migrations = migrations()?;
    let mut rng = Rng::new(seed);
    let version = OLDEST + rng.below(migrations.len() as u64 - OLDEST);
    let folder = TempDir::new().expect("the system has a temporary folder");
    let version = usize::try_from(version).expect("few migrations");
    build(&data(folder.path()), &migrations[..version]).map_err(|error| error.to_string())?;
    let place = Place::at(folder, syncing);
    let store = place.open_inline();
    judge::close(&store)?;
    drop(store);
    Ok(Course {
        log: place.watch.log(),
        judge: Box::new(move |folder, _| {
            let store = judge::open(folder)?;
            judge::check_whole(&data(folder))?;
            let found = block_on(store.workspace_by_public_id("ws-1".to_owned()));
            let found = found.map_err(|error| error.to_string())?;
            // Tables that only the newest version has can be asked.
            block_on(store.session_by_hash(CredentialHash::of(b"nobody's")))
                .map_err(|error| error.to_string())?;
            found.map(|_| 1).ok_or_else(|| "the workspace of then is gone".to_owned())
        }),
    })
}

/// Names and texts, in order.
fn migrations() -> Result<Vec<(String, String)>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store-sqlite/migrations");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let text = fs::read_to_string(entry.path()).map_err(|error| error.to_string())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        found.push((name, text));
    }
    found.sort();
    Ok(found)
}

fn build(directory: &Path, migrations: &[(String, String)]) -> rusqlite::Result<()> {
    fs::create_dir_all(directory).expect("a temporary folder can be written to");
    let connection = Connection::open(directory.join("signalpost.db"))?;
    connection.execute_batch(CLAIM)?;
    for (number, (name, text)) in (1i64..).zip(migrations) {
        connection.execute_batch(text)?;
        let checksum: [u8; 32] = Sha256::digest(text).into();
        connection.execute(INSERT_APPLIED, params![number, name, checksum])?;
    }
    connection.execute_batch(OBJECTS)
}
