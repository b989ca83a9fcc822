//! Public ids: numbers from counters, and the owner of what is known by its id alone.

use signalpost_core::id::WorkspaceId;
use signalpost_core::id_form::Counter;
use signalpost_core::webhook::Webhook;
use signalpost_core::workspace::Workspace;

use super::Harness;
use super::kit::Kit;
use crate::Named;
use crate::catalog::EraseWorkspace;
use crate::testing::sample;

async fn next(kit: &Kit, counter: Counter) -> i64 {
    kit.next_number(counter).await.expect("a number")
}

/// The owner of a webhook of the samples' dialect.
async fn owner(kit: &Kit, public_id: &str) -> Option<WorkspaceId> {
    owner_in(kit, "native", public_id).await
}

async fn owner_in(kit: &Kit, dialect: &str, public_id: &str) -> Option<WorkspaceId> {
    let named = Named::Webhook { dialect: dialect.to_owned(), public_id: public_id.to_owned() };
    kit.owner_of(named).await.expect("it reads")
}

fn called(n: i64, public_id: &str) -> Workspace {
    Workspace { public_id: public_id.to_owned(), ..sample::workspace(n) }
}

pub async fn numbers_begin_at_one_for_each_counter(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    for counter in Counter::ALL {
        for expected in [1, 2, 3] {
            assert_eq!(next(&kit, counter).await, expected, "{counter:?}");
        }
    }
}

pub async fn callers_at_the_same_time_get_numbers_of_their_own(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    // All are called before the first is waited for.
    let calls: Vec<_> = (0..50).map(|_| kit.next_number(Counter::Webhook)).collect();
    let mut numbers = Vec::new();
    for call in calls {
        numbers.push(call.await.expect("a number"));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).collect::<Vec<i64>>());
}

pub async fn numbers_go_on_after_a_restart(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    next(&kit, Counter::User).await;
    next(&kit, Counter::Webhook).await;
    let kit = kit.reopen(harness).await;
    assert_eq!((next(&kit, Counter::User).await, next(&kit, Counter::Webhook).await), (2, 2));
    drop(kit);
    let kit = Kit::open(harness);
    assert_eq!((next(&kit, Counter::User).await, next(&kit, Counter::SigningKey).await), (3, 1));
}

pub async fn a_number_that_a_workspace_has_is_passed_over(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    for (n, public_id) in [(101, "1"), (102, "3"), (103, "4"), (104, "05")] {
        kit.create_workspace(called(n, public_id)).await.expect("a new workspace");
    }
    let (workspace, at) = (WorkspaceId::from_raw(103), sample::at(10));
    kit.erase_workspace(EraseWorkspace { workspace, at }).await.expect("it exists");
    assert_eq!(next(&kit, Counter::Webhook).await, 1, "of workspaces only");
    let mut numbers = Vec::new();
    for _ in 0..3 {
        numbers.push(next(&kit, Counter::Workspace).await);
    }
    assert_eq!(numbers, [2, 5, 6], "also that of an erased one");
    kit.create_workspace(called(105, "7")).await.expect("a new workspace");
    let kit = kit.reopen(harness).await;
    assert_eq!(next(&kit, Counter::Workspace).await, 8);
}

pub async fn a_long_run_of_taken_numbers_is_passed_over(harness: &dyn Harness) {
    const TAKEN: i64 = 2_100;
    let kit = Kit::open(harness);
    let calls: Vec<_> = (1..=TAKEN).map(|n| kit.create_workspace(called(n, &n.to_string()))).collect();
    for call in calls {
        call.await.expect("a new workspace");
    }
    assert_eq!(next(&kit, Counter::Workspace).await, TAKEN + 1);
    assert_eq!(next(&kit, Counter::Workspace).await, TAKEN + 2);
}

pub async fn a_webhook_is_found_by_its_id_alone(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let [first, second] = [kit.workspace(1).await, kit.workspace(2).await];
    let other = Workspace { dialect: "acme".to_owned(), ..sample::workspace(3) };
    let stranger = other.id;
    kit.create_workspace(other).await.expect("a new workspace");
    let shared = |workspace, n| Webhook { public_id: "7".to_owned(), ..sample::webhook(workspace, n) };
    kit.subscribe(second, 11).await;
    for (workspace, n) in [(stranger, 12), (second, 13), (first, 14)] {
        kit.add(shared(workspace, n)).await;
    }
    assert_eq!(owner(&kit, "wh-11").await, Some(second));
    assert_eq!(owner(&kit, "7").await, Some(second), "the oldest of this dialect");
    assert_eq!(owner_in(&kit, "acme", "7").await, Some(stranger));
    for (dialect, public_id) in
        [("acme", "wh-11"), ("other", "7"), ("native", "WH-11"), ("native", "wh-1"), ("native", "")]
    {
        assert_eq!(owner_in(&kit, dialect, public_id).await, None, "{dialect} {public_id}");
    }
}

pub async fn what_has_ended_is_not_found_by_its_id_alone(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [deleted, off]) = kit.tenant().await;
    kit.disable(workspace, off, 50).await;
    assert_eq!(owner(&kit, "wh-12").await, Some(workspace), "whatever its state");
    kit.delete(workspace, deleted, 51).await;
    assert_eq!(owner(&kit, "wh-11").await, None);
    let next = kit.workspace(2).await;
    kit.add(Webhook { public_id: "wh-11".to_owned(), ..sample::webhook(next, 21) }).await;
    assert_eq!(owner(&kit, "wh-11").await, Some(next), "a deleted one stands in nobody's way");
    kit.erase_workspace(EraseWorkspace { workspace, at: sample::at(52) }).await.expect("it exists");
    assert_eq!(owner(&kit, "wh-12").await, None);
    let kit = kit.reopen(harness).await;
    assert_eq!((owner(&kit, "wh-12").await, owner(&kit, "wh-11").await), (None, Some(next)));
}

/// Callers look for any text, also for one that a backend cannot hold.
pub async fn a_name_with_a_nul_is_nobodys(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [_]) = kit.tenant().await;
    let odd = || "wh-11\0".to_owned();
    assert_eq!(owner(&kit, &odd()).await, None);
    assert_eq!(kit.workspace_by_public_id(odd()).await.expect("it reads"), None);
    assert_eq!(kit.webhook(workspace, odd()).await.expect("it reads"), None);
    assert_eq!(kit.signing_key(workspace, odd()).await.expect("it reads"), None);
    assert_eq!(kit.user("native".to_owned(), odd()).await.expect("it reads"), None);
    assert_eq!(kit.account("native".to_owned(), odd()).await.expect("it reads"), None);
}
