//! A database of an earlier version that is opened by this one, with the power cut at every moment of its migrations: it
//! shows afterwards what the memory model shows of the same objects.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use signalpost_core::credential::CredentialHash;
use signalpost_core::id::WebhookId;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::DisableReason;
use signalpost_core::workspace::Workspace;
use signalpost_store::catalog::{Switch, UpdateWebhook};
use signalpost_store::ledger::AcceptEvent;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::memory::MemoryStore;
use signalpost_store::testing::sample;
use signalpost_store::testing::snapshot::Snapshot;
use signalpost_store::{Catalog, Ledger, StoreError};
use signalpost_testkit::{Rng, TempDir};

use super::course::Course;
use super::judge;
use super::place::{Place, Syncing, data};

/// As the store's own schema has it.
const CLAIM: &str = "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA application_id = 1397182548;
    CREATE TABLE schema_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 BLOB NOT NULL)";
const INSERT_APPLIED: &str = "INSERT INTO schema_migration (number, name, sha256) VALUES (?1, ?2, ?3)";
const INSERT_WORKSPACE: &str = "INSERT INTO workspace (id, public_id, dialect, name, features, created_at)
    VALUES (?1, ?2, ?3, ?4, x'00', ?5)";
const INSERT_HEAD: &str = "INSERT INTO head (workspace, version, sequence) VALUES (?1, 1, ?2)";
const INSERT_WEBHOOK: &str = "INSERT INTO webhook
    (id, workspace, public_id, name, url, secret, consecutive_failures, created_at, updated_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)";
const INSERT_MESSAGE: &str = "INSERT INTO message
    (id, workspace, sequence, accepted_at, time, type, targets, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const INSERT_DUE: &str =
    "INSERT INTO due (webhook, due_at, event, born, steps, tries) VALUES (?1, ?2, ?3, ?4, 0, 0)";

const WEBHOOK: WebhookId = WebhookId::from_raw(10);
const EVENTS: [i64; 3] = [20, 30, 40];

pub(super) fn record(seed: u64, syncing: Syncing) -> Result<Course, String> {
    let migrations = migrations()?;
    let mut rng = Rng::new(seed);
    // Every version but this one, the oldest too.
    let version = usize::try_from(rng.below(migrations.len() as u64 - 1)).expect("few migrations") + 1;
    let folder = TempDir::new().expect("the system has a temporary folder");
    build(&data(folder.path()), &migrations[..version]).map_err(|error| error.to_string())?;
    let place = Place::at(folder, syncing);
    let store = place.open_inline();
    judge::close(&store)?;
    drop(store);
    let expected = shown().map_err(|error| format!("the model: {error}"))?;
    Ok(Course {
        log: place.watch.log(),
        judge: Box::new(move |folder, _| {
            let store = judge::open(folder)?;
            judge::check_whole(&data(folder))?;
            judge::check_same(&expected, &store)?;
            // Tables that only the newest version has can be asked.
            block_on(store.session_by_hash(CredentialHash::of(b"nobody's")))?;
            Ok(expected.rows())
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

/// The objects are as old as the first version: those after it have migrated them already.
fn build(directory: &Path, migrations: &[(String, String)]) -> rusqlite::Result<()> {
    fs::create_dir_all(directory).expect("a temporary folder can be written to");
    let connection = Connection::open(directory.join("signalpost.db"))?;
    connection.execute_batch(CLAIM)?;
    for (number, (name, text)) in (1i64..).zip(migrations) {
        connection.execute_batch(text)?;
        let checksum: [u8; 32] = Sha256::digest(text).into();
        connection.execute(INSERT_APPLIED, params![number, name, checksum])?;
        if number == 1 {
            fill(&connection)?;
        }
    }
    Ok(())
}

fn workspace() -> Workspace {
    Workspace { features: Vec::new(), ..sample::workspace(1) }
}

fn event(id: i64, version: u64) -> AcceptEvent {
    let mut event = sample::event(workspace().id, id, version, &[WEBHOOK]);
    event.content.attributes = Vec::new();
    event
}

fn fill(connection: &Connection) -> rusqlite::Result<()> {
    let owner = workspace();
    let (id, created_at) = (owner.id.raw(), owner.created_at.as_ms());
    connection
        .execute(INSERT_WORKSPACE, params![id, owner.public_id, owner.dialect, owner.name, created_at])?;
    connection.execute(INSERT_HEAD, [id, EVENTS.len() as i64])?;
    let webhook = sample::webhook(owner.id, WEBHOOK.raw());
    connection.execute(
        INSERT_WEBHOOK,
        params![
            WEBHOOK.raw(),
            id,
            webhook.public_id,
            webhook.name,
            webhook.url,
            sample::sealed(WEBHOOK.raw()).as_bytes(),
            webhook.created_at.as_ms(),
            switched_at().as_ms(),
        ],
    )?;
    for (sequence, event) in (1i64..).zip(EVENTS.map(|id| event(id, 0))) {
        let (event_id, accepted_at) = (event.id.raw(), event.accepted_at.as_ms());
        let (content, targets) = (event.content, WEBHOOK.raw().to_le_bytes());
        let (time, text) = (content.time.as_ms(), content.event_type);
        let data = content.data.as_ref();
        connection.execute(
            INSERT_MESSAGE,
            params![event_id, id, sequence, accepted_at, time, text, targets, data],
        )?;
        connection.execute(INSERT_DUE, params![WEBHOOK.raw(), accepted_at, event_id, sequence])?;
    }
    Ok(())
}

const fn switched_at() -> Timestamp {
    sample::at(50)
}

/// What the model shows of the same objects. Nobody has kept since when a webhook of then selects what it selects: it counts
/// as if that had been changed last.
fn shown() -> Result<Snapshot, StoreError> {
    let (model, owner) = (MemoryStore::new(), workspace());
    block_on(async {
        model.create_workspace(owner.clone()).await?;
        model.create_webhook(sample::webhook(owner.id, WEBHOOK.raw()).into()).await?;
        for id in EVENTS {
            let version = model.fan_out(owner.id).await?.map_or(0, |fan_out| fan_out.version);
            model.accept(vec![event(id, version)]).await?;
        }
        // Off and on again without a cut.
        for switch in [Switch::Disable(DisableReason::Paused), Switch::Enable] {
            let nothing = UpdateWebhook::nothing(owner.id, WEBHOOK, switched_at());
            model.update_webhook(UpdateWebhook { switch: Some(switch), ..nothing }).await?;
        }
        Snapshot::of(&model).await
    })
}
