//! Closing a workspace: everything ends but one last event, and with its last delivery everything goes.

use signalpost_core::attempt::Verdict;
use signalpost_core::credential::CredentialHash;
use signalpost_core::event::Sequence;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::retention::RetentionRules;
use signalpost_core::webhook::DisableReason;

use super::Harness;
use super::kit::{Kit, delivery, refusal};
use crate::Named;
use crate::catalog::{CloseWorkspace, EraseWorkspace, ListWorkspaces, RememberedWebhooks};
use crate::ledger::{EventKey, ReadFeed};
use crate::testing::notes::{Notes, Told};
use crate::testing::refusal::Refusal;
use crate::testing::sample;
use crate::vault::SealedPage;

const RETRY: Verdict = Verdict::RetryAt(sample::at(9_000));
const EVERYTHING_GOES: RetentionRules = RetentionRules {
    event_age_max: Some(std::time::Duration::ZERO),
    payload_age_max: Some(std::time::Duration::ZERO),
    bytes_max: None,
};

async fn close(kit: &Kit, workspace: WorkspaceId, n: i64, targets: &[WebhookId]) -> usize {
    let farewell = kit.draft(workspace, n, targets).await;
    let accepted = kit.close_workspace(CloseWorkspace { farewell }).await.expect("it exists");
    accepted.map_or(0, |accepted| accepted.deliveries)
}

/// Sealed values of webhooks.
async fn sealed(kit: &Kit) -> usize {
    kit.sealed_page(SealedPage { after: None, limit: 100 }).await.expect("it reads").len()
}

/// What may be found of a workspace that is gone.
async fn assert_not_found(kit: &Kit, gone: WorkspaceId) {
    assert_eq!(kit.workspace_by_public_id("ws-1".to_owned()).await.expect("it reads"), None);
    let all = kit.list_workspaces(ListWorkspaces { after: None, limit: 9 }).await.expect("it reads");
    assert_eq!(all, []);
    assert_eq!(kit.fan_out(gone).await.expect("it reads"), None);
    assert_eq!(kit.usage(gone).await.expect("it reads"), None);
    assert_eq!(kit.webhook(gone, "wh-11".to_owned()).await.expect("it reads"), None);
    let all = RememberedWebhooks { workspace: gone, public_id: None, before: None, limit: 9 };
    assert_eq!(kit.remembered_webhooks(all).await.expect("it reads"), []);
    let feed = ReadFeed { workspace: gone, after: None, types: Vec::new(), limit: 9 };
    assert_eq!(kit.feed(feed).await.expect("it reads"), None);
    let again = kit.erase_workspace(EraseWorkspace { workspace: gone, at: sample::at(99) }).await;
    assert_eq!(refusal(again), Refusal::Missing("workspace"));
    let event = sample::event(gone, 99, 1, &[]);
    assert_eq!(refusal(kit.accept(vec![event.clone()]).await), Refusal::Missing("workspace"));
    let again = kit.close_workspace(CloseWorkspace { farewell: event }).await;
    assert_eq!(refusal(again), Refusal::Missing("workspace"));
    assert_eq!(
        refusal(kit.create_webhook(sample::webhook(gone, 19).into()).await),
        Refusal::Missing("workspace")
    );
}

pub async fn a_closed_workspace_owes_its_last_event_and_nothing_else(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, [wants, other, off]) = kit.tenant().await;
    let hash = CredentialHash::of(b"key");
    kit.create_credential(sample::credential(gone, 21), hash).await.expect("a new credential");
    let session = CredentialHash::of(b"session");
    kit.create_user(sample::new_user(gone, 22, session)).await.expect("a new user");
    kit.publish(gone, 31, &[wants, other, off]).await;
    kit.disable(gone, off, 40).await;
    let notes = Notes::on(&*kit);
    assert_eq!(close(&kit, gone, 50, &[wants]).await, 1);
    let [Told::Accepted(told)] = &notes.take()[..] else { panic!("one commit with an event") };
    assert_eq!((told[0].id.raw(), told[0].sequence), (50, Sequence(2)));

    let due = kit.owed_one(wants).await;
    assert_eq!((due.id, due.due_at, due.born), (delivery(50, wants), sample::at(50), Sequence(2)));
    let lane = kit.lane_of(wants).await;
    assert_eq!(lane.webhook.secret, Some(sample::sealed(11)), "it is signed as ever");
    assert_eq!(lane.workspace, sample::workspace(1));
    for webhook in [other, off] {
        assert_eq!(kit.owed(webhook).await, []);
        assert_eq!(kit.lane(webhook).await.expect("it reads"), None);
    }
    assert_eq!(sealed(&kit).await, 1, "all other secrets are wiped");
    assert_eq!(kit.credential_by_hash(hash).await.expect("it reads"), None);
    assert_eq!(kit.session_by_hash(session).await.expect("it reads"), None);
    assert_eq!(kit.owner_of(Named::Delivery(due.id)).await.expect("it reads"), None);
    assert_eq!(kit.delivery(gone, due.id).await.expect("it reads"), None);
    assert_eq!(kit.event(gone, EventKey::Ours(due.id.event)).await.expect("it reads"), None);
    assert_eq!(kit.events_by_id(vec![due.id.event]).await.expect("it reads").len(), 1, "it can be sent");
    assert_not_found(&kit, gone).await;
}

pub async fn the_last_event_has_its_whole_schedule(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, [first, second]) = kit.tenant().await;
    kit.publish(gone, 31, &[first]).await;
    let before = kit.owed_one(first).await;
    assert_eq!(close(&kit, gone, 50, &[first, second]).await, 2);
    // An attempt of an earlier event was in flight.
    kit.attempt(gone, before, RETRY).await;
    let due = kit.owed_one(first).await;
    assert_eq!(due.id, delivery(50, first));

    let health = Some(sample::health(1, None));
    let failed = crate::ledger::Finished { health, ..sample::finished(gone, due, RETRY) };
    kit.record(vec![failed.clone()]).await;
    let again = kit.owed_one(first).await;
    assert_eq!((again.due_at, again.steps, again.tries), (sample::at(9_000), 1, 1));
    assert_eq!(kit.lane_of(first).await.webhook.health.consecutive_failures, 1);
    kit.attempt(gone, kit.owed_one(second).await, Verdict::Delivered).await;
    assert_eq!(kit.lane(second).await.expect("it reads"), None);
    assert_eq!(sealed(&kit).await, 1, "a secret goes with its delivery");

    kit.retain_all(9_000, &EVERYTHING_GOES).await;
    kit.tidy_up(9_000).await;
    assert_eq!(kit.owed_one(first).await, again, "nothing is removed before the end");
    assert_eq!(kit.events_by_id(vec![again.id.event, before.id.event]).await.expect("it reads").len(), 2);
    kit.attempt(gone, again, Verdict::GiveUp).await;
    kit.record(vec![failed]).await;
    assert_eq!((kit.owed(first).await, kit.lane(first).await.expect("it reads")), (vec![], None));
    assert_eq!(sealed(&kit).await, 0);
    kit.retain_all(9_001, &EVERYTHING_GOES).await;
    assert_eq!(kit.events_by_id(vec![again.id.event, before.id.event]).await.expect("it reads"), []);
    let taken = kit.create_workspace(signalpost_core::workspace::Workspace {
        public_id: "ws-1".to_owned(),
        ..sample::workspace(7)
    });
    assert_eq!(refusal(taken.await), Refusal::Taken("workspace id"));
}

pub async fn disabling_ends_the_last_delivery(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, [webhook]) = kit.tenant().await;
    close(&kit, gone, 50, &[webhook]).await;
    let due = kit.owed_one(webhook).await;
    let health = Some(sample::health(10, Some(DisableReason::Failing)));
    kit.record(vec![crate::ledger::Finished { health, ..sample::finished(gone, due, RETRY) }]).await;
    assert_eq!((kit.owed(webhook).await, kit.lane(webhook).await.expect("it reads")), (vec![], None));
    assert_eq!(sealed(&kit).await, 0);
    kit.retain_all(100, &EVERYTHING_GOES).await;
    assert_eq!(kit.events_by_id(vec![due.id.event]).await.expect("it reads"), []);
}

/// An attempt of an earlier event was in flight when the workspace was closed.
pub async fn an_earlier_attempt_that_disables_ends_the_last_delivery(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, [webhook]) = kit.tenant().await;
    for n in [31, 32] {
        kit.publish(gone, n, &[webhook]).await;
    }
    let [first, second] = kit.owed(webhook).await[..] else { panic!("two are pending") };
    close(&kit, gone, 50, &[webhook]).await;
    let failed = |due, consecutive_failures, disable| {
        let health = Some(sample::health(consecutive_failures, disable));
        crate::ledger::Finished { health, ..sample::finished(gone, due, RETRY) }
    };
    kit.record(vec![failed(first, 9, None)]).await;
    assert_eq!(kit.lane_of(webhook).await.webhook.health.consecutive_failures, 9, "it counts");
    assert_eq!(kit.owed_one(webhook).await.id, delivery(50, webhook));
    kit.record(vec![failed(second, 10, Some(DisableReason::Failing))]).await;
    assert_eq!((kit.owed(webhook).await, kit.lane(webhook).await.expect("it reads")), (vec![], None));
}

pub async fn a_workspace_whose_last_event_nobody_wants_is_erased_at_once(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, [webhook]) = kit.tenant().await;
    kit.publish(gone, 31, &[webhook]).await;
    let due = kit.owed_one(webhook).await;
    let notes = Notes::on(&*kit);
    assert_eq!(close(&kit, gone, 50, &[]).await, 0);
    assert_eq!(notes.take(), []);
    assert_eq!((kit.owed(webhook).await, kit.lane(webhook).await.expect("it reads")), (vec![], None));
    assert_eq!(sealed(&kit).await, 0);
    assert_not_found(&kit, gone).await;
    kit.retain_all(100, &EVERYTHING_GOES).await;
    assert_eq!(kit.events_by_id(vec![due.id.event]).await.expect("it reads"), []);
}

/// Who wants the event was chosen from webhooks as they were.
pub async fn a_closing_chosen_before_a_change_is_refused(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let farewell = kit.draft(workspace, 50, &[webhook]).await;
    kit.disable(workspace, webhook, 40).await;
    let before = kit.snapshot().await;
    let answer = kit.close_workspace(CloseWorkspace { farewell }).await;
    assert_eq!(refusal(answer), Refusal::CatalogMoved);
    assert_eq!(before.difference(&kit.snapshot().await), None);
    let unknown = sample::event(WorkspaceId::from_raw(9), 51, 1, &[]);
    let answer = kit.close_workspace(CloseWorkspace { farewell: unknown }).await;
    assert_eq!(refusal(answer), Refusal::Missing("workspace"));
}

pub async fn a_closing_outlives_a_restart(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, [first, second]) = kit.tenant().await;
    kit.publish(gone, 31, &[first]).await;
    let stays = kit.workspace(2).await;
    close(&kit, gone, 50, &[first, second]).await;
    kit.attempt(gone, kit.owed_one(first).await, Verdict::Delivered).await;
    let kit = kit.reopen(harness).await;
    kit.retain_all(100, &EVERYTHING_GOES).await;
    kit.tidy_up(100).await;
    let due = kit.owed_one(second).await;
    assert_eq!(kit.lane_of(second).await.webhook.secret, Some(sample::sealed(12)));
    let kit = kit.reopen(harness).await;
    kit.attempt(gone, due, Verdict::Delivered).await;
    assert_eq!(kit.lane(second).await.expect("it reads"), None);
    let kit = kit.reopen(harness).await;
    kit.retain_all(200, &EVERYTHING_GOES).await;
    assert_eq!(kit.events_by_id(vec![due.id.event]).await.expect("it reads"), []);
    kit.publish(stays, 60, &[]).await;
}
