//! What was answered outlives the process, whether it said goodbye or not.

use std::sync::Arc;

use signalpost_core::attempt::Verdict;
use signalpost_core::credential::CredentialHash;
use signalpost_core::event::Sequence;
use signalpost_core::id::{CredentialId, WebhookId, WorkspaceId};

use super::Harness;
use super::kit::{Kit, refusal};
use crate::catalog::{EraseWorkspace, ListWebhooks, ListWorkspaces};
use crate::ledger::{Accepted, Dedupe, DueLanes, EventKey, Repeated};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

const RETRY: Verdict = Verdict::RetryAt(sample::at(9_000));

/// Something of everything: cuts, tombstones, all states, a requeue, an erased neighbour.
async fn furnish(kit: &Kit) -> (WorkspaceId, [WebhookId; 3]) {
    let (workspace, webhooks) = kit.tenant().await;
    let [first, off, deleted] = webhooks;
    let hash = CredentialHash::of(b"key");
    kit.create_credential(sample::credential(workspace, 21), hash).await.expect("a new credential");
    for (n, verdict) in [(31, Verdict::Delivered), (32, Verdict::GiveUp), (33, RETRY)] {
        kit.publish_and_attempt(workspace, n, first, verdict).await;
        kit.publish(workspace, n + 10, &[off, deleted]).await;
    }
    kit.redeliver(workspace, super::kit::delivery(32, first), 60).await.expect("it has failed");
    kit.disable(workspace, off, 61).await;
    kit.delete(workspace, deleted, 62).await;
    let gone = kit.workspace(2).await;
    kit.subscribe(gone, 19).await;
    kit.erase_workspace(EraseWorkspace { workspace: gone, at: sample::at(63) }).await.expect("it exists");
    (workspace, webhooks)
}

pub async fn everything_outlives_a_close(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    furnish(&kit).await;
    let before = kit.snapshot().await;
    let kit = kit.reopen(harness).await;
    assert_eq!(before.difference(&kit.snapshot().await), None);
}

pub async fn everything_outlives_an_end_without_a_close(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    furnish(&kit).await;
    let before = kit.snapshot().await;
    drop(kit);
    let kit = Kit::open(harness);
    assert_eq!(before.difference(&kit.snapshot().await), None);
    kit.tidy_up(100).await;
    assert_eq!(before.difference(&kit.snapshot().await), None);
}

pub async fn numbers_go_on_where_they_were(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [first, ..]) = furnish(&kit).await;
    let version = kit.version(workspace).await;
    let last = kit.publish(workspace, 70, &[first]).await.sequence;
    let kit = kit.reopen(harness).await;
    assert!(kit.version(workspace).await >= version);
    let stale = sample::event(workspace, 71, version - 1, &[first]);
    assert_eq!(refusal(kit.accept(vec![stale]).await), Refusal::CatalogMoved, "also over a restart");
    let next = kit.publish(workspace, 71, &[first]).await.sequence;
    assert_eq!(next, Sequence(last.0 + 1));
    let version = kit.version(workspace).await;
    kit.subscribe(workspace, 18).await;
    assert!(kit.version(workspace).await > version);
}

pub async fn the_highest_id_outlives_what_carried_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let hash = CredentialHash::of(b"key");
    kit.create_credential(sample::credential(workspace, 500), hash).await.expect("a new credential");
    kit.revoke_credential(workspace, CredentialId::from_raw(500)).await.expect("it exists");
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 500, "an id is never given out again");
    let webhook = kit.subscribe(workspace, 600).await;
    kit.delete(workspace, webhook, 50).await;
    let gone = kit.workspace(700).await;
    kit.create_credential(sample::credential(gone, 800), hash).await.expect("a new credential");
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 800);
    kit.erase_workspace(EraseWorkspace { workspace: gone, at: sample::at(60) }).await.expect("it exists");
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 800);
}

pub async fn taken_names_stay_taken(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, _) = furnish(&kit).await;
    let kit = kit.reopen(harness).await;
    let mut erased = sample::workspace(3);
    erased.public_id = "ws-2".to_owned();
    assert_eq!(refusal(kit.create_workspace(erased).await), Refusal::Taken("workspace id"));
    let mut deleted = sample::webhook(workspace, 17);
    deleted.public_id = "wh-13".to_owned();
    assert_eq!(refusal(kit.create_webhook(deleted.into()).await), Refusal::Taken("webhook id"));
    let answer = kit.create_credential(sample::credential(workspace, 27), CredentialHash::of(b"key")).await;
    assert_eq!(refusal(answer), Refusal::Taken("credential"));
}

pub async fn identities_and_outcomes_are_remembered(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let mut event = kit.draft(workspace, 31, &[webhook]).await;
    event.content.producer_id = Some("p".to_owned());
    event.dedupe = Some(Dedupe { fingerprint: [1; 32], not_before: sample::at(0) });
    let first = kit.accept_one(event.clone()).await;
    let finished = sample::finished(workspace, kit.owed_one(webhook).await, RETRY);
    kit.record(vec![finished.clone()]).await;

    let kit = kit.reopen(harness).await;
    event.version = kit.version(workspace).await;
    event.id = signalpost_core::id::EventId::from_raw(32);
    assert_eq!(kit.accept_one(event).await, Accepted { repeated: Repeated::Yes, ..first });
    let before = kit.snapshot().await;
    kit.record(vec![finished]).await;
    assert_eq!(before.difference(&kit.snapshot().await), None, "an outcome told twice counts once");
}

pub async fn nobody_listens_after_a_restart_and_nothing_is_lost(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let owed = kit.owed(webhook).await;
    let kit = kit.reopen(harness).await;
    let lanes = kit.due_lanes(DueLanes { after: None, limit: 9 }).await.expect("it reads");
    assert_eq!(lanes.iter().map(|lane| lane.webhook).collect::<Vec<_>>(), [webhook]);
    assert_eq!(kit.owed(webhook).await, owed);
}

pub async fn a_closed_store_is_unavailable(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let event = kit.draft(workspace, 32, &[webhook]).await;
    let due = kit.owed_one(webhook).await;
    let finished = sample::finished(workspace, due, Verdict::Delivered);
    kit.close().await.expect("it closes");

    let closed = Refusal::Unavailable;
    assert_eq!(refusal(kit.accept(vec![event]).await), closed);
    assert_eq!(refusal(kit.finish(Arc::new(vec![finished])).await), closed);
    assert_eq!(refusal(kit.redeliver(workspace, due.id, 60).await), closed);
    assert_eq!(refusal(kit.create_workspace(sample::workspace(3)).await), closed);
    assert_eq!(refusal(kit.probe(sample::at(60)).await), closed);
    assert_eq!(refusal(kit.upkeep(sample::at(60)).await), closed);
    assert_eq!(refusal(kit.list_workspaces(ListWorkspaces { after: None, limit: 9 }).await), closed);
    let all = ListWebhooks { workspace, subject: None, active: None, before: None, offset: 0, limit: 9 };
    assert_eq!(refusal(kit.list_webhooks(all).await), closed);
    assert_eq!(refusal(kit.event(workspace, EventKey::Ours(due.id.event)).await), closed);
    assert_eq!(refusal(kit.settle_changes().await), closed);
    assert_eq!(refusal(kit.due_lanes(DueLanes { after: None, limit: 9 }).await), closed);
    drop(kit);
    assert_eq!(Kit::open(harness).owed(webhook).await, [due], "nothing of it was stored");
}
