//! Group commit: what shares one, and what one bad operation does to its neighbours.

use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use signalpost_core::delivery::Due;
use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_store::catalog::ListWebhooks;
use signalpost_store::ledger::{EventKey, Requeue, RequeueRule, Stored};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, CommitListener, Effect, Ledger, StoreError};
use signalpost_store_sqlite::SqliteStore;

use crate::support::{Inline, Threaded};

/// Hears one call for each commit that stored events.
#[derive(Default)]
struct Commits(Mutex<Vec<Vec<i64>>>);

impl CommitListener for Commits {
    fn accepted(&self, events: Vec<Stored>) {
        let ids = events.iter().map(|stored| stored.event.id.raw()).collect();
        self.0.lock().expect("no panic while locked").push(ids);
    }

    fn requeued(&self, _due: Vec<Due>, _workspace: WorkspaceId) {}

    fn released(&self, _due: Due) {}
}

impl Commits {
    fn heard(&self) -> Vec<Vec<i64>> {
        self.0.lock().expect("no panic while locked").clone()
    }
}

fn tenant(store: &SqliteStore) -> (WorkspaceId, u64) {
    let workspace = sample::workspace(1);
    let id = workspace.id;
    block_on(store.create_workspace(workspace)).expect("a workspace");
    let version = block_on(store.fan_out(id)).expect("it reads").expect("it exists").version;
    (id, version)
}

#[test]
fn what_waits_together_is_committed_together() {
    let place = Inline::new();
    let store = place.open_store();
    let (workspace, version) = tenant(&store);
    let commits = Arc::new(Commits::default());
    store.listen(Arc::clone(&commits) as Arc<dyn CommitListener>);
    let calls = (101..=300).map(|n| store.accept(vec![sample::event(workspace, n, version, &[])]));
    for answer in block_on(join_all(calls.collect::<Vec<_>>())) {
        answer.expect("it is accepted");
    }
    assert_eq!(commits.heard(), [(101..=300).collect::<Vec<i64>>()], "one commit, in order of the calls");
}

#[test]
fn calls_from_many_threads_share_commits() {
    const CALLS: i64 = 200;
    let place = Threaded::new();
    let store = place.try_open().expect("it opens");
    let (workspace, version) = tenant(&store);
    let commits = Arc::new(Commits::default());
    store.listen(Arc::clone(&commits) as Arc<dyn CommitListener>);
    let calls = (1..=CALLS).map(|n| store.accept(vec![sample::event(workspace, 100 + n, version, &[])]));
    for answer in block_on(join_all(calls.collect::<Vec<_>>())) {
        answer.expect("it is accepted");
    }
    let heard = commits.heard();
    assert_eq!(heard.concat(), (101..=100 + CALLS).collect::<Vec<i64>>(), "each once, in order");
    assert!(heard.len() <= 100, "{} commits for {CALLS} calls made at once", heard.len());
}

/// An event whose id exists already breaks a constraint, which rolls the whole commit back.
#[test]
fn a_poisonous_operation_fails_alone() {
    let place = Inline::new();
    let store = place.open_store();
    let (workspace, version) = tenant(&store);
    block_on(store.accept(vec![sample::event(workspace, 50, version, &[])])).expect("it is accepted");
    let commits = Arc::new(Commits::default());
    store.listen(Arc::clone(&commits) as Arc<dyn CommitListener>);
    let accept = |n| store.accept(vec![sample::event(workspace, n, version, &[])]);
    let calls = vec![accept(60), accept(50), accept(61)];
    let webhook = store.create_webhook(sample::webhook(workspace, 11).into());
    let stale = accept(62);
    let answers = block_on(join_all(calls));
    block_on(webhook).expect("a neighbour of another kind");
    assert!(matches!(block_on(stale), Err(StoreError::CatalogMoved)), "the order of calls holds");
    let [first, poison, second] = <[_; 3]>::try_from(answers).expect("three answers");
    assert!(matches!(&poison, Err(StoreError::Unavailable(_))), "{poison:?}");
    let sequences = [first, second].map(|answer| answer.expect("it is accepted")[0].sequence.0);
    assert_eq!(sequences, [2, 3], "the poison has left no gap and no trace");
    assert_eq!(commits.heard(), [vec![60], vec![61]], "nobody hears of what was rolled back");
    let list = ListWebhooks { workspace, subject: None, active: None, before: None, offset: 0, limit: 10 };
    assert_eq!(block_on(store.list_webhooks(list)).expect("it reads").total, 1);
}

/// A refusal in the middle of a batch leaves nothing and takes nothing with it.
#[test]
fn a_refusal_harms_no_neighbour() {
    let place = Inline::new();
    let store = place.open_store();
    let (workspace, version) = tenant(&store);
    let good = sample::event(workspace, 70, version, &[]);
    let stale = sample::event(workspace, 71, version + 1, &[]);
    let calls = vec![store.accept(vec![good.clone(), stale]), store.accept(vec![good])];
    let [refused, accepted] = <[_; 2]>::try_from(block_on(join_all(calls))).expect("two answers");
    assert!(matches!(refused, Err(StoreError::CatalogMoved)), "{refused:?}");
    assert_eq!(accepted.expect("it is accepted")[0].sequence.0, 1);
}

#[test]
fn publishers_are_told_to_come_back_when_too_much_waits() {
    let place = Inline::new();
    let store = place.open_store();
    let (workspace, version) = tenant(&store);
    let waiting = signalpost_core::limits::COMMIT_QUEUE_MAX;
    let first = 1_000;
    let past = first + i64::try_from(waiting).expect("small");
    let accept = |n| store.accept(vec![sample::event(workspace, n, version, &[])]);
    let queued: Vec<_> = (first..past).map(accept).collect();
    assert!(matches!(block_on(accept(past)), Err(StoreError::Overloaded)));
    // Whether or not the call is to happen once.
    let delivery = DeliveryId { event: EventId::from_raw(first), webhook: WebhookId::from_raw(11) };
    let requeue = Requeue { workspace, delivery, at: sample::at(1), rule: RequeueRule::Ended };
    let once = sample::once(Some(workspace), 1, 1, 1);
    let keyed = store.do_once(Effect::Requeue(requeue), once, sample::sealed(1));
    assert!(matches!(block_on(store.requeue(requeue)), Err(StoreError::Overloaded)));
    assert!(matches!(block_on(keyed), Err(StoreError::Overloaded)));
    let change = store.create_webhook(sample::webhook(workspace, 11).into());
    block_on(change).expect("changes of the catalogue are always taken");
    for answer in block_on(join_all(queued)) {
        answer.expect("what was queued is accepted");
    }
    let event = store.event(workspace, EventKey::Ours(EventId::from_raw(past)));
    assert_eq!(block_on(event).expect("it reads"), None, "the refused one left nothing");
}
