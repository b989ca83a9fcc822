//! Signing in, and another password at the same moment: whichever is first, nobody is let in by the former one.

use std::time::Duration;

use signalpost_core::credential::CredentialHash;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_session::Opener;
use signalpost_core::password::PasswordHash;
use signalpost_store::desk::{ListOperatorSessions, UpdateOperatorAccount};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::conformance::Harness;
use signalpost_store::testing::sample;
use signalpost_store::{Store, StoreError};
use signalpost_testkit::wait_for;

use crate::faults::strangers::Stranger;
use crate::support::{Fresh, ask, server_url};

const PATIENCE: Duration = Duration::from_secs(30);

fn password(text: &str) -> PasswordHash {
    PasswordHash::from_phc(text.to_owned())
}

/// An account with the password `first`.
fn account(store: &dyn Store) -> OperatorAccount {
    let account = sample::operator_account(31);
    block_on(store.create_operator_account(account.clone(), password("first"))).expect("a new account");
    account
}

/// Lets `work` come to where it waits for the stranger, and the stranger go on.
fn behind<T: Send>(stranger: Stranger, statement: &str, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|threads| {
        let working = threads.spawn(work);
        let waits = format!(
            "SELECT 'it does' FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '{statement}'"
        );
        wait_for("somebody who waits", PATIENCE, || !ask(&waits).is_empty()).expect("the stranger is first");
        stranger.commit();
        working.join().expect("nobody panics")
    })
}

fn open(store: &dyn Store, account: &OperatorAccount, n: i64) -> Result<(), StoreError> {
    let session = sample::operator_session(Opener::Account(account.id), n);
    block_on(store.open_operator_session(session, CredentialHash::of(b"token"), Some(password("first"))))
}

#[test]
fn a_sign_in_waits_for_a_password_that_is_being_changed() {
    let place = Fresh::new();
    let store = place.open();
    let account = account(&*store);
    let changing =
        format!("BEGIN; UPDATE {}.operator_account SET password = 'second' WHERE id = 31", place.schema);
    let changing = Stranger::who_says(&server_url(), &changing);
    let opened = behind(changing, "SELECT%FROM operator_account%FOR SHARE", || open(&*store, &account, 41));
    assert!(matches!(opened, Err(StoreError::Missing("operator account"))), "{opened:?}");
}

#[test]
fn a_change_waits_for_who_is_signing_in_and_ends_that_session_too() {
    let place = Fresh::new();
    let store = place.open();
    let account = account(&*store);
    let signing_in = format!(
        "BEGIN; SELECT 1 FROM {0}.operator_account WHERE id = 31 FOR SHARE;
         INSERT INTO {0}.operator_session (id, hash, opener, opener_id, created_at, expires_at)
            VALUES (41, 'token', 'account', 31, 0, 9000000000000000)",
        place.schema
    );
    let signing_in = Stranger::who_says(&server_url(), &signing_in);
    let replacement = UpdateOperatorAccount {
        account: account.id,
        role: None,
        password: Some(password("second")),
        at: sample::at(50),
    };
    let changed = behind(signing_in, "UPDATE operator_account%", || {
        block_on(store.update_operator_account(replacement))
    });
    changed.expect("it is there");
    let all = ListOperatorSessions { at: sample::at(0), before: None, limit: 9 };
    assert_eq!(block_on(store.list_operator_sessions(all)).expect("it reads"), []);
}
