//! Backups of a store at work, restores, and what a check finds.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use signalpost_core::attempt::Verdict;
use signalpost_core::credential::CredentialHash;
use signalpost_core::event::Sequence;
use signalpost_core::id::{SigningKeyId, WebhookId, WorkspaceId};
use signalpost_core::id_form::Counter;
use signalpost_core::operator_session::Opener;
use signalpost_core::password::PasswordHash;
use signalpost_core::principal::Principal;
use signalpost_core::webhook::{DisableReason, Webhook};
use signalpost_store::catalog::{DeleteSigningKey, Switch, UpdateWebhook};
use signalpost_store::ledger::{DueOrder, DuePage};
use signalpost_store::portal::OpenPortalSession;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Desk, Effect, Ledger, Portal};
use signalpost_store_sqlite::SqliteStore;
use signalpost_store_sqlite::copy::{
    CopyError, Keys, RestoreOptions, back_up, check, number_step, restore, sequence_step,
};
use signalpost_testkit::TempDir;

use crate::support::{Inline, Threaded};

const DATABASE_FILE: &str = "signalpost.db";

/// A store with workspace 1, webhook 11 and events from 100 on.
fn filled(store: &SqliteStore, events: i64) {
    block_on(store.create_workspace(sample::workspace(1))).expect("a workspace");
    let workspace = sample::workspace(1).id;
    block_on(store.create_webhook(sample::webhook(workspace, 11).into())).expect("a webhook");
    for n in 0..events {
        publish(store, 100 + n);
    }
}

fn publish(store: &SqliteStore, n: i64) -> Sequence {
    let workspace = sample::workspace(1).id;
    let version = block_on(store.fan_out(workspace)).expect("it reads").expect("it lives").version;
    let event = sample::event(workspace, n, version, &[WebhookId::from_raw(11)]);
    block_on(store.accept(vec![event])).expect("it is accepted")[0].sequence
}

/// A backup of a minute ago.
fn options(sha256: Option<[u8; 32]>) -> RestoreOptions {
    RestoreOptions { sha256, age: Duration::from_secs(60), now: sample::at(90), keys: Keys::AsTheyWere }
}

fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a directory");
    let path = folder.path().join("copy");
    (folder, path)
}

#[test]
fn a_backup_under_load_is_the_state_between_two_commits() {
    let working = Threaded::new();
    let store = working.try_open().expect("it opens");
    filled(&store, 500);
    let (_folder, target) = place();
    let stop = AtomicBool::new(false);
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 10_000;
            while !stop.load(Ordering::SeqCst) {
                publish(&store, n);
                n += 1;
            }
        });
        let mut seen = Vec::new();
        let report = back_up(working.directory.path(), &target, &mut |progress| seen.push(progress));
        stop.store(true, Ordering::SeqCst);
        assert_eq!(seen.last().map(|progress| progress.done_bytes), seen.last().map(|p| p.total_bytes));
        report.expect("a backup")
    });
    assert!(report.events >= 500 && report.owed == report.events, "{report:?}");
    let checked = check(&target, &mut |_| {}).expect("it reads");
    assert_eq!((checked.problems, checked.events), (Vec::new(), report.events));
    block_on(store.close()).expect("it closes");
}

#[test]
fn a_restored_store_goes_on_above_everything_that_was_handed_out() {
    let working = Inline::new();
    let store = working.open_store();
    filled(&store, 3);
    let (_folder, backup) = place();
    let report = back_up(working.directory.path(), &backup, &mut |_| {}).expect("a backup");
    let lost = publish(&store, 104);
    let (_other, data) = place();
    let restored = restore(&backup, &data, &options(Some(report.sha256))).expect("it restores");
    assert_eq!((restored.events, restored.owed, restored.workspaces), (3, 3, 1));
    let step = sequence_step(Duration::from_secs(60));
    assert_eq!(restored.sequence_step, step);
    let store = SqliteStore::open_inline(&data).expect("it opens");
    let next = publish(&store, 105);
    assert_eq!(next, Sequence(3 + step + 1));
    assert!(next > lost);
}

/// Also a counter that had given out nothing when the backup was taken.
#[test]
fn a_restored_store_gives_out_no_number_again() {
    let working = Inline::new();
    let store = working.open_store();
    let next = |store: &SqliteStore, counter| block_on(store.next_number(counter)).expect("a number");
    next(&store, Counter::Webhook);
    let (_folder, backup) = place();
    back_up(working.directory.path(), &backup, &mut |_| {}).expect("a backup");
    let lost = Counter::ALL.map(|counter| next(&store, counter));
    let (_other, data) = place();
    restore(&backup, &data, &options(None)).expect("it restores");
    let step = number_step(Duration::from_secs(60));
    let store = SqliteStore::open_inline(&data).expect("it opens");
    let first = Counter::ALL.map(|counter| next(&store, counter));
    assert_eq!(first, [step + 1, step + 2, step + 1, step + 1]);
    assert!(first.iter().zip(lost).all(|(first, lost)| *first > lost));
}

#[test]
fn nobody_else_may_read_what_is_restored_whoever_may_read_the_backup() {
    let working = Inline::new();
    filled(&working.open_store(), 1);
    let (_folder, backup) = place();
    back_up(working.directory.path(), &backup, &mut |_| {}).expect("a backup");
    fs::set_permissions(backup.join(DATABASE_FILE), fs::Permissions::from_mode(0o644)).expect("it is ours");
    let (_other, data) = place();
    restore(&backup, &data, &options(None)).expect("it restores");
    let mode = fs::metadata(data.join(DATABASE_FILE)).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// In the backup a key and a credential are good; the restored store forgets them when it is told to.
#[test]
fn a_restore_revokes_what_opened_when_it_is_asked_to() {
    let working = Inline::new();
    let store = working.open_store();
    filled(&store, 2);
    let workspace = sample::workspace(1).id;
    let hash = |n: u8| CredentialHash::of(&[n]);
    block_on(store.create_operator_key(sample::operator_key(None, 901), hash(1))).expect("a key");
    let session = sample::operator_session(Opener::Root { fingerprint: [7; 8] }, 905);
    block_on(store.open_operator_session(session, hash(4), None)).expect("a session");
    let operator = sample::operator_account(906);
    let phc = PasswordHash::from_phc("a password's hash".to_owned());
    block_on(store.create_operator_account(operator.clone(), phc)).expect("an account");
    let customer = sample::portal_session(workspace, 900);
    let params = OpenPortalSession { session: customer, hash: hash(5), link_made_at: sample::at(1) };
    block_on(store.open_portal_session(params)).expect("a session");
    let credential = Effect::CreateCredential(sample::credential(workspace, 902), hash(2));
    let once = sample::once(Some(workspace), 1, 1, 5);
    block_on(store.do_once(credential, once, sample::sealed(1))).expect("a credential");
    block_on(store.create_user(sample::new_user(workspace, 903, hash(3)))).expect("a user");
    let (_folder, backup) = place();
    back_up(working.directory.path(), &backup, &mut |_| {}).expect("a backup");
    for keys in [Keys::AsTheyWere, Keys::Revoked] {
        let (_other, data) = place();
        let report = restore(&backup, &data, &RestoreOptions { keys, ..options(None) }).expect("it restores");
        assert_eq!((report.operator_keys, report.credentials, report.users), (1, 1, 1));
        let (opens, file) = (keys == Keys::AsTheyWere, fs::read(data.join(DATABASE_FILE)).expect("it reads"));
        let lies_there = |n: u8| file.windows(32).any(|part| part == hash(n).0);
        assert_eq!([1, 2, 3, 4, 5].map(lies_there), [opens; 5], "nor does the file hold what was revoked");
        assert_eq!(check(&data, &mut |_| {}).expect("it reads").problems, Vec::<String>::new());
        let store = SqliteStore::open_inline(&data).expect("it opens");
        let key = block_on(store.operator_key_by_hash(hash(1))).expect("it reads");
        let credential = block_on(store.credential_by_hash(hash(2))).expect("it reads");
        let session = block_on(store.session_by_hash(hash(3))).expect("it reads");
        let user = sample::user(903);
        let account = block_on(store.account(user.dialect, user.username)).expect("it reads");
        let answer = block_on(store.done_before(once)).expect("it reads");
        assert_eq!((key.is_some(), credential.is_some(), answer.is_some()), (opens, opens, opens));
        assert_eq!((session.is_some(), account.is_some()), (opens, opens));
        let signed_in = block_on(store.operator_session_by_hash(hash(4))).expect("it reads");
        let customer = block_on(store.portal_session_by_hash(hash(5))).expect("it reads");
        assert_eq!(customer.is_some(), opens);
        let signs_in = block_on(store.operator_account(operator.username.clone())).expect("it reads");
        assert_eq!((signed_in.is_some(), signs_in.is_some()), (opens, opens));
        assert_eq!(store.highest_id(), 906, "ids are not given out again");
        let lets_in = |n: u8, made_ms| {
            let session = sample::portal_session(workspace, 906 + i64::from(n));
            let link_made_at = sample::at(made_ms);
            let opened =
                store.open_portal_session(OpenPortalSession { session, hash: hash(n), link_made_at });
            block_on(opened).is_ok()
        };
        assert_eq!([lets_in(6, 2), lets_in(7, 90), lets_in(8, 91)], [opens, opens, true], "links");
    }
}

#[test]
fn a_backup_that_fails_leaves_nothing_in_the_way_of_the_next() {
    let working = Inline::new();
    filled(&working.open_store(), 1);
    let path = working.directory.path();
    let connection = Connection::open(path.join(DATABASE_FILE)).expect("it opens");
    let rename = |from, to| {
        let sql = format!("ALTER TABLE {from} RENAME TO {to}");
        connection.execute_batch(&sql).expect("it is renamed");
    };
    rename("due", "gone");
    let (_folder, backup) = place();
    back_up(path, &backup, &mut |_| {}).expect_err("a table is missing");
    assert_eq!(fs::read_dir(&backup).expect("the folder").count(), 0);
    rename("gone", "due");
    back_up(path, &backup, &mut |_| {}).expect("now it is whole");
}

#[test]
fn a_damaged_backup_leaves_no_database() {
    let working = Inline::new();
    filled(&working.open_store(), 50);
    let (_folder, backup) = place();
    let report = back_up(working.directory.path(), &backup, &mut |_| {}).expect("a backup");
    let file = backup.join(DATABASE_FILE);
    let whole = fs::read(&file).expect("it reads");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for damaged in [&flipped[..], &whole[..whole.len() / 2], &b"not a database"[..]] {
        fs::write(&file, damaged).expect("it is damaged");
        let (_other, data) = place();
        let error = restore(&backup, &data, &options(Some(report.sha256))).expect_err("it is damaged");
        assert!(matches!(error, CopyError::Damaged { .. }), "{error}");
        assert_eq!(fs::read_dir(&data).expect("the folder").count(), 0);
    }
}

#[test]
fn what_is_there_is_never_written_over() {
    let working = Inline::new();
    filled(&working.open_store(), 1);
    let (_folder, backup) = place();
    let report = back_up(working.directory.path(), &backup, &mut |_| {}).expect("a backup");
    let again = back_up(working.directory.path(), &backup, &mut |_| {}).expect_err("it is not empty");
    assert!(matches!(again, CopyError::NotEmpty(_)), "{again}");
    let onto = restore(&backup, working.directory.path(), &options(Some(report.sha256)))
        .expect_err("there is a database");
    assert!(matches!(onto, CopyError::NotEmpty(_)), "{onto}");
    let (_other, nothing) = place();
    for missing in
        [back_up(&nothing, &backup.join("x"), &mut |_| {}).map(drop), check(&nothing, &mut |_| {}).map(drop)]
    {
        assert!(matches!(missing, Err(CopyError::NoDatabase(_))), "{missing:?}");
    }
    assert!(!backup.join("x").exists(), "nothing was made for a backup of nothing");
}

#[test]
fn a_key_that_lies_ready_is_no_obstacle() {
    let working = Inline::new();
    filled(&working.open_store(), 1);
    let (_folder, backup) = place();
    back_up(working.directory.path(), &backup, &mut |_| {}).expect("a backup");
    let (_other, data) = place();
    fs::create_dir(&data).expect("a folder");
    fs::write(data.join("master.key"), "00").expect("a key");
    restore(&backup, &data, &options(None)).expect("the folder holds no data");
}

#[test]
fn a_check_finds_what_does_not_agree() {
    let working = Inline::new();
    filled(&working.open_store(), 3);
    let path = working.directory.path();
    assert_eq!(check(path, &mut |_| {}).expect("it reads").problems, Vec::<String>::new());
    let connection = Connection::open(path.join(DATABASE_FILE)).expect("it opens");
    connection.execute("DELETE FROM message WHERE id = 101", []).expect("an event vanishes");
    drop(connection);
    let problems = check(path, &mut |_| {}).expect("it reads").problems;
    assert_eq!(
        problems,
        [
            "deliveries are owed whose event is gone: 11/101",
            "workspaces count other events, or other bytes, than they have: 1"
        ]
    );
}

/// What is signed with keys of the workspace has no secret of its own; whatever else has none has lost it.
#[test]
fn a_check_tells_what_is_not_signed_from_what_has_lost_its_secret() {
    let working = Inline::new();
    let store = working.open_store();
    filled(&store, 1);
    let workspace = WorkspaceId::from_raw(1);
    for n in [901, 902, 903] {
        block_on(store.create_signing_key(sample::signing_key(workspace, n))).expect("a signing key");
    }
    let key = |n| Some(SigningKeyId::from_raw(n));
    for (n, signing_key) in [(911, None), (912, key(901)), (913, key(902))] {
        let webhook = Webhook { secret: None, signing_key, ..sample::webhook(workspace, n) };
        block_on(store.create_webhook(webhook.into())).expect("a webhook");
    }
    let (at, by) = (sample::at(50), Principal::Operator);
    let delete = DeleteSigningKey { workspace, key: SigningKeyId::from_raw(902), at, by };
    block_on(store.delete_signing_key(delete)).expect("it is deleted");
    let found = |sql: &str| {
        let path = working.directory.path();
        let connection = Connection::open(path.join(DATABASE_FILE)).expect("it opens");
        connection.execute_batch(sql).expect("it is damaged");
        check(path, &mut |_| {}).expect("it reads").problems
    };
    assert_eq!(found(""), Vec::<String>::new());
    assert_eq!(
        found(
            "UPDATE webhook SET secret = NULL WHERE id = 11; UPDATE webhook SET signing_key = 999 WHERE id = 912;
            UPDATE signing_key SET sealed = NULL WHERE id = 903; UPDATE signing_key SET sealed = x'00' WHERE id = 902;"
        ),
        [
            "webhooks that live have lost their secret: 11",
            "webhooks that live refer to signing keys that their workspace never had: 912",
            "signing keys live without a secret, or are deleted and still have it: 902, 903",
        ]
    );
}

/// Lists pass over what a cut has ended, so that a row which comes behind the sweep shows nowhere else.
#[test]
fn the_last_retry_before_a_cut_leaves_nothing_that_is_owed() {
    let folder = TempDir::new().expect("a folder");
    let store = SqliteStore::open_inline(folder.path()).expect("it opens");
    filled(&store, 2);
    let (workspace, webhook) = (sample::workspace(1).id, WebhookId::from_raw(11));
    let in_flight = block_on(store.due_page(DuePage { webhook, limit: 9, order: DueOrder::OLDEST_FIRST }))
        .expect("it reads");
    let nothing = UpdateWebhook::nothing(workspace, webhook, sample::at(200));
    let off = UpdateWebhook { switch: Some(Switch::Disable(DisableReason::ByOwner)), ..nothing };
    block_on(store.update_webhook(off)).expect("it is there");
    while block_on(store.upkeep(sample::at(201))).expect("it works") {}
    let retry = |due| sample::finished(workspace, due, Verdict::RetryAt(sample::at(300)));
    let finished: Vec<_> = in_flight.into_iter().map(retry).collect();
    assert_eq!(finished.len(), 2);
    block_on(store.finish(Arc::new(finished))).expect("it is recorded");
    let found = check(folder.path(), &mut |_| {}).expect("it reads");
    assert_eq!((found.attempts, found.owed, found.problems), (2, 0, Vec::new()));
}

/// Two requests of one attempt, as after a connection that broke: the one leaves a retry, a cut ends it, and the other was
/// taken. Neither the delivery, which is delivered, nor its event know of the row of the retry any more.
#[test]
fn a_retry_that_a_second_answer_has_settled_is_not_owed() {
    let folder = TempDir::new().expect("a folder");
    let store = SqliteStore::open_inline(folder.path()).expect("it opens");
    filled(&store, 1);
    let (workspace, webhook) = (sample::workspace(1).id, WebhookId::from_raw(11));
    let in_flight = block_on(store.due_page(DuePage { webhook, limit: 9, order: DueOrder::OLDEST_FIRST }))
        .expect("it reads");
    let record = |verdict| {
        let finished = in_flight.iter().map(|due| sample::finished(workspace, *due, verdict)).collect();
        block_on(store.finish(Arc::new(finished))).expect("it is recorded");
    };
    record(Verdict::RetryAt(sample::at(300)));
    let nothing = UpdateWebhook::nothing(workspace, webhook, sample::at(200));
    let off = UpdateWebhook { switch: Some(Switch::Disable(DisableReason::ByOwner)), ..nothing };
    block_on(store.update_webhook(off)).expect("it is there");
    record(Verdict::Delivered);
    let connection = Connection::open(folder.path().join(DATABASE_FILE)).expect("it opens");
    let rows = connection.query_row("SELECT count(*) FROM due", [], |row| row.get::<_, i64>(0));
    assert_eq!(rows.expect("it reads"), 0);
}
