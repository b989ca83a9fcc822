//! Tests that need a hand inside: how large steps are, what an erasure that was cut off leaves, and a full disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{CredentialId, EventId, WebhookId, WorkspaceId};
use signalpost_core::limits::{IDEMPOTENCY_KEPT_MS, UPKEEP_ROWS_MAX};
use signalpost_core::policy::PolicyChange;
use signalpost_core::principal::Principal;
use signalpost_core::retention::RetentionRules;
use signalpost_store::catalog::{
    DeleteWebhook, EraseWorkspace, ListWebhooks, UpdateWebhook, UpdateWorkspace,
};
use signalpost_store::ledger::{
    DiskSpace, DueOrder, DuePage, EventKey, Requeue, RequeueRule, Retain, Retained, Room,
};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Effect, Ledger, StoreError};
use signalpost_testkit::TempDir;

use crate::SqliteStore;
use crate::catalog::erase_workspace::{self, BURIED_MAX};
use crate::copy::check;
use crate::queue::Admission;

const LANE: WebhookId = WebhookId::from_raw(11);
const MIB: u64 = 1024 * 1024;

fn events_kept_s(age_s: u64) -> RetentionRules {
    RetentionRules { event_age_max: Some(Duration::from_secs(age_s)), payload_age_max: None, bytes_max: None }
}

fn step(store: &SqliteStore, now_ms: i64, rules: RetentionRules) -> Retained {
    block_on(store.retain(Retain { now: sample::at(now_ms), rules })).expect("retention works")
}

fn number(store: &SqliteStore, sql: &'static str) -> i64 {
    let read = |connection: &rusqlite::Connection| Ok(connection.query_row(sql, [], |row| row.get(0))?);
    block_on(store.read(read)).expect("it reads")
}

/// A workspace 1 with webhook 11.
fn tenant(store: &SqliteStore) -> WorkspaceId {
    let workspace = sample::workspace(1).id;
    block_on(store.create_workspace(sample::workspace(1))).expect("a workspace");
    block_on(store.create_webhook(sample::webhook(workspace, LANE.raw()).into())).expect("a webhook");
    workspace
}

/// Events from `first` on, delivered.
fn deliver(store: &SqliteStore, workspace: WorkspaceId, first: i64, count: usize) {
    let version = block_on(store.fan_out(workspace)).expect("it reads").expect("it exists").version;
    let events = (first..).take(count).map(|n| sample::event(workspace, n, version, &[LANE]));
    block_on(store.accept(events.collect())).expect("they are accepted");
    let owed =
        block_on(store.due_page(DuePage { webhook: LANE, limit: count, order: DueOrder::OLDEST_FIRST }))
            .expect("it reads");
    let finished = owed.into_iter().map(|due| sample::finished(workspace, due, Verdict::Delivered));
    block_on(store.finish(Arc::new(finished.collect()))).expect("they are recorded");
}

#[test]
fn steps_are_bounded_and_leave_nothing_behind() {
    let directory = TempDir::new().expect("a directory");
    let store = SqliteStore::open_inline(directory.path()).expect("it opens");
    let workspace = tenant(&store);
    deliver(&store, workspace, 1_000, 3_000);
    while block_on(store.upkeep(sample::at(0))).expect("upkeep") {}
    let (mut steps, mut removed) = (0, 0);
    loop {
        let done = step(&store, 60_000, events_kept_s(1));
        (steps, removed) = (steps + 1, removed + done.events);
        let rows_each = 4;
        let most = u64::try_from(UPKEEP_ROWS_MAX / rows_each).expect("small") + 1;
        assert!(done.events <= most, "{} events in a step", done.events);
        if !done.more {
            break;
        }
    }
    assert_eq!(removed, 3_000);
    while block_on(store.upkeep(sample::at(0))).expect("upkeep") {}
    assert!(steps >= 12, "{steps} steps");
    for sql in
        ["SELECT count(*) FROM message", "SELECT count(*) FROM attempt", "SELECT count(*) FROM ix_delivery"]
    {
        assert_eq!(number(&store, sql), 0, "{sql}");
    }
    assert_eq!(check(directory.path(), &mut |_| {}).expect("it reads").problems, [] as [String; 0]);
}

#[test]
fn what_is_known_to_be_young_is_not_looked_at_again() {
    let directory = TempDir::new().expect("a directory");
    let store = SqliteStore::open_inline(directory.path()).expect("it opens");
    let workspace = tenant(&store);
    deliver(&store, workspace, 1_000, 10);
    while block_on(store.upkeep(sample::at(0))).expect("upkeep") {}
    let done = step(&store, 30_000, events_kept_s(60));
    assert_eq!((done.events, done.more, done.next_at), (0, false, Some(sample::at(61_000))));
    // Were it looked into again, the damage would be found.
    let damage = "UPDATE message SET accepted_at = 'never'";
    block_on(store.write(Admission::Always, 1, move |write| Ok(write.connection.execute(damage, [])?)))
        .expect("it is damaged");
    assert_eq!(step(&store, 30_001, events_kept_s(60)).looked, 0);
    let later = block_on(store.retain(Retain { now: sample::at(61_000), rules: events_kept_s(60) }));
    assert!(matches!(later, Err(StoreError::Corrupt { column: "accepted_at", .. })), "{later:?}");
}

#[test]
fn an_erasure_that_was_cut_off_is_brought_to_its_end() {
    let directory = TempDir::new().expect("a directory");
    let store = SqliteStore::open_inline(directory.path()).expect("it opens");
    let workspace = tenant(&store);
    let many = i64::try_from(BURIED_MAX).expect("small") + 100;
    for n in 100..100 + many {
        block_on(store.create_webhook(sample::webhook(workspace, n).into())).expect("a webhook");
    }
    let hash = |n: i64| CredentialHash::of(&n.to_be_bytes());
    for n in 1_000..1_000 + many {
        let credential = sample::credential(workspace, n);
        block_on(store.create_credential(credential, hash(n))).expect("a credential");
    }
    for name in 0..200 {
        let webhook = sample::webhook(workspace, 2_000 + i64::from(name));
        let once = sample::once(Some(workspace), name, 1, 5);
        let effect = Effect::CreateWebhook(Box::new(webhook.into()));
        block_on(store.do_once(effect, once, sample::sealed(1))).expect("it is done");
    }
    deliver(&store, workspace, 10_000, 5);
    let version = block_on(store.fan_out(workspace)).expect("it reads").expect("it exists").version;
    let event = sample::event(workspace, 15_000, version, &[]);
    block_on(store.accept_once(vec![event], sample::once(Some(workspace), 201, 1, 5))).expect("accepted");
    let late = WebhookId::from_raw(99 + many);
    let version = block_on(store.fan_out(workspace)).expect("it reads").expect("it exists").version;
    block_on(store.accept(vec![sample::event(workspace, 20_000, version, &[late])])).expect("it is accepted");
    let params = EraseWorkspace { workspace, at: sample::at(50) };
    let begin = store
        .write(Admission::Always, 1, move |write| erase_workspace::begin(write, params.workspace, params.at));
    assert_eq!(block_on(begin).expect("it begins").buried.len(), BURIED_MAX);
    drop(store);

    let store = SqliteStore::open_inline(directory.path()).expect("it opens");
    assert!(number(&store, "SELECT count(*) FROM webhook WHERE deleted_at IS NULL") > 0, "it was cut off");
    let list = ListWebhooks { workspace, subject: None, active: None, before: None, offset: 0, limit: 9 };
    assert_eq!(block_on(store.list_webhooks(list)).expect("it reads").total, 0);
    let public_id = format!("wh-{}", late.raw());
    assert_eq!(block_on(store.webhook(workspace, public_id)).expect("it reads"), None);
    assert_eq!(block_on(store.lane(late)).expect("it reads"), None);
    let last = 999 + many;
    assert_eq!(number(&store, "SELECT count(*) FROM credential"), 100, "a step is bounded");
    assert_eq!(block_on(store.credential_by_hash(hash(last))).expect("it reads"), None);
    assert_eq!(block_on(store.list_credentials(workspace)).expect("it reads"), []);
    let revoked = block_on(store.revoke_credential(workspace, CredentialId::from_raw(last)));
    assert!(matches!(revoked, Err(StoreError::Missing("credential"))), "{revoked:?}");
    let once = sample::once(Some(workspace), 199, 1, 5);
    assert_eq!(block_on(store.done_before(once)).expect("it reads"), None);
    while step(&store, 60, events_kept_s(1_000_000)).more {}
    for table in [
        "SELECT count(*) FROM webhook",
        "SELECT count(*) FROM cut",
        "SELECT count(*) FROM sweep",
        "SELECT count(*) FROM due",
        "SELECT count(*) FROM message",
        "SELECT count(*) FROM rest",
        "SELECT count(*) FROM head",
        "SELECT count(*) FROM credential",
        "SELECT count(*) FROM once",
    ] {
        assert_eq!(number(&store, table), 0, "{table}");
    }
    assert_eq!(number(&store, "SELECT count(*) FROM workspace"), 1, "its public id stays taken");
    drop(store);
    let store = SqliteStore::open_inline(directory.path()).expect("it opens");
    assert_eq!(store.highest_id(), 20_000, "nor are ids given out again");
}

/// What is known of others is not looked into again: were it, the damage would be found.
#[test]
fn a_change_of_one_workspaces_rules_concerns_no_other() {
    let directory = TempDir::new().expect("a directory");
    let store = SqliteStore::open_inline(directory.path()).expect("it opens");
    let workspace = tenant(&store);
    deliver(&store, workspace, 1_000, 10);
    let own = sample::workspace(2).id;
    block_on(store.create_workspace(sample::workspace(2))).expect("a workspace");
    let set = |age_s: Option<u64>| {
        let age = Some(age_s.map(Duration::from_secs));
        let policy = PolicyChange { event_age_max: age, ..PolicyChange::default() };
        let params = UpdateWorkspace { workspace: own, name: None, features: None, policy };
        block_on(store.update_workspace(params)).expect("it is set");
    };
    set(Some(40));
    let version = block_on(store.fan_out(own)).expect("it reads").expect("it exists").version;
    block_on(store.accept(vec![sample::event(own, 2_000, version, &[])])).expect("it is accepted");
    while block_on(store.upkeep(sample::at(0))).expect("upkeep") {}
    let done = step(&store, 30_000, events_kept_s(60));
    assert_eq!((done.events, done.more), (0, false));
    let damage = "UPDATE message SET accepted_at = 'never' WHERE workspace = 1";
    block_on(store.write(Admission::Always, 1, move |write| Ok(write.connection.execute(damage, [])?)))
        .expect("it is damaged");
    set(Some(20));
    assert_eq!(step(&store, 30_001, events_kept_s(60)).events, 1, "the new rule holds");
    set(None);
    assert_eq!(step(&store, 30_002, events_kept_s(60)).looked, 0);
}

/// Old calls go as old events do: in the background, so many in a step.
#[test]
fn calls_expire_in_steps_of_retention() {
    const CALLS: i64 = 1_200;
    let directory = TempDir::new().expect("a directory");
    let store = SqliteStore::open_inline(directory.path()).expect("it opens");
    let workspace = tenant(&store);
    for n in 0..CALLS {
        let mut once = sample::once(Some(workspace), 0, 1, 5);
        once.call.name[..8].copy_from_slice(&n.to_be_bytes());
        let update = UpdateWebhook::nothing(workspace, LANE, sample::at(5));
        let effect = Effect::UpdateWebhook(Box::new(update));
        block_on(store.do_once(effect, once, sample::sealed(n))).expect("it is done");
    }
    let kept = || number(&store, "SELECT count(*) FROM once");
    let later = 6 + IDEMPOTENCY_KEPT_MS;
    let no_rules = RetentionRules { event_age_max: None, payload_age_max: None, bytes_max: None };
    assert!(!step(&store, later - 1, no_rules.clone()).more);
    assert_eq!(kept(), CALLS, "a millisecond too young");
    assert!(step(&store, later, no_rules.clone()).more);
    assert_eq!(kept(), CALLS - i64::try_from(UPKEEP_ROWS_MAX / 2).expect("small"), "one step is bounded");
    while step(&store, later, no_rules.clone()).more {}
    assert_eq!(kept(), 0);
    assert_eq!(check(directory.path(), &mut |_| {}).expect("it reads").problems, [] as [String; 0]);
}

#[test]
fn a_bound_that_cannot_be_kept_is_told_once_until_it_is_kept() {
    let directory = TempDir::new().expect("a directory");
    let store = SqliteStore::open_inline(directory.path()).expect("it opens");
    let workspace = tenant(&store);
    let version = block_on(store.fan_out(workspace)).expect("it reads").expect("it exists").version;
    let mut pending = sample::event(workspace, 1_000, version, &[LANE]);
    pending.content.data = vec![b'7'; 3_000_000].into();
    block_on(store.accept(vec![pending])).expect("it is accepted");
    let told = || {
        let look = |write: &mut crate::write::Write<'_>| Ok(write.caches.overfull_told);
        block_on(store.write(Admission::Always, 1, look)).expect("it reads")
    };
    let within =
        |bytes_max| RetentionRules { event_age_max: None, payload_age_max: None, bytes_max: Some(bytes_max) };
    assert!(!told());
    step(&store, 2_000, within(MIB));
    assert!(told());
    step(&store, 2_000, within(1_000 * MIB));
    assert!(!told());
}

#[test]
fn while_the_disk_is_full_only_what_grows_is_refused() {
    let directory = TempDir::new().expect("a directory");
    let free = Arc::new(AtomicU64::new(1_000 * MIB));
    let seen = Arc::clone(&free);
    let probe = move || Some(DiskSpace { free_bytes: seen.load(Ordering::SeqCst), total_bytes: 2_000 * MIB });
    let store = SqliteStore::open_inline_on(directory.path(), Box::new(probe)).expect("it opens");
    let workspace = tenant(&store);
    block_on(store.create_webhook(sample::webhook(workspace, 12).into())).expect("a webhook");
    deliver(&store, workspace, 1_000, 1);
    let version = block_on(store.fan_out(workspace)).expect("it reads").expect("it exists").version;
    let event = |n| sample::event(workspace, n, version, &[LANE]);
    block_on(store.accept(vec![event(1_001)])).expect("there is room");

    free.store(MIB, Ordering::SeqCst);
    let ended = signalpost_core::id::DeliveryId { event: EventId::from_raw(1_000), webhook: LANE };
    let params = Requeue { workspace, delivery: ended, at: sample::at(5), rule: RequeueRule::Ended };
    let requeue = store.requeue(params);
    let once = |effect, name| {
        block_on(store.do_once(effect, sample::once(Some(workspace), name, 1, 5), sample::sealed(1)))
    };
    let webhook = Effect::CreateWebhook(Box::new(sample::webhook(workspace, 14).into()));
    let refused = [
        once(Effect::Requeue(params), 1).map(drop),
        once(webhook, 2).map(drop),
        block_on(store.accept(vec![event(1_002)])).map(drop),
        block_on(requeue).map(drop),
        block_on(store.create_workspace(sample::workspace(2))),
        block_on(store.create_webhook(sample::webhook(workspace, 13).into())),
    ];
    for answer in refused {
        assert!(matches!(answer, Err(StoreError::Full)), "{answer:?}");
    }
    let update = UpdateWebhook::nothing(workspace, LANE, sample::at(5));
    once(Effect::UpdateWebhook(Box::new(update)), 3).expect("changes go on, by whatever verb");
    assert_eq!(block_on(store.storage()).expect("it reads").room, Room::Full);
    let due = block_on(store.due_page(DuePage { webhook: LANE, limit: 9, order: DueOrder::OLDEST_FIRST }))
        .expect("it reads");
    assert_eq!(due.len(), 1, "nothing is owed anew");
    let finished = sample::finished(workspace, due[0], Verdict::Delivered);
    block_on(store.finish(Arc::new(vec![finished]))).expect("outcomes are recorded");
    let (at, by) = (sample::at(6), Principal::Operator);
    let gone = DeleteWebhook { workspace, webhook: WebhookId::from_raw(12), at, by };
    block_on(store.delete_webhook(gone)).expect("deletions go on");
    block_on(store.probe(sample::at(7))).expect("it can be written to");
    let mut removed = 0;
    loop {
        let done = step(&store, 60_000, events_kept_s(1));
        removed += done.events;
        if !done.more {
            break;
        }
    }
    assert_eq!(removed, 2, "retention goes on");

    free.store(1_000 * MIB, Ordering::SeqCst);
    let version = block_on(store.fan_out(workspace)).expect("it reads").expect("it exists").version;
    block_on(store.accept(vec![sample::event(workspace, 1_003, version, &[])])).expect("there is room again");
    let refused = block_on(store.event(workspace, EventKey::Ours(EventId::from_raw(1_002))));
    assert_eq!(refused.expect("it reads"), None, "nothing of it was stored");
}

/// What waits in the queue when the room ends is judged when its turn comes.
#[test]
fn what_was_queued_before_the_disk_was_full_is_refused_too() {
    let directory = TempDir::new().expect("a directory");
    let free = Arc::new(AtomicU64::new(1_000 * MIB));
    let seen = Arc::clone(&free);
    let probe = move || Some(DiskSpace { free_bytes: seen.load(Ordering::SeqCst), total_bytes: 2_000 * MIB });
    let store = SqliteStore::open_inline_on(directory.path(), Box::new(probe)).expect("it opens");
    let workspace = tenant(&store);
    let version = block_on(store.fan_out(workspace)).expect("it reads").expect("it exists").version;
    let publish = store.accept(vec![sample::event(workspace, 1_000, version, &[LANE])]);
    let probe = store.probe(sample::at(1));
    free.store(MIB, Ordering::SeqCst);
    assert!(matches!(block_on(publish), Err(StoreError::Full)));
    block_on(probe).expect("its neighbour is needed");
}
