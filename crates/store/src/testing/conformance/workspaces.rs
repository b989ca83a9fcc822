//! Workspaces: created once, found, listed, changed, erased.

use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::credential::CredentialHash;
use signalpost_core::delivery::DeliveryState;
use signalpost_core::health::{HoldAfter, ReleaseOrder};
use signalpost_core::id::WorkspaceId;
use signalpost_core::policy::{PolicyChange, PolicyOverrides, RetrySchedule};
use signalpost_core::retention::{RetentionDefault, RetentionOverrides};
use signalpost_core::workspace::Workspace;

use super::Harness;
use super::kit::{Kit, delivery, refusal};
use crate::Named;
use crate::catalog::{EraseWorkspace, ListWebhooks, ListWorkspaces, UpdateWorkspace};
use crate::ledger::{EventKey, ListDeliveries, ListEvents};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

fn hasty() -> PolicyOverrides {
    PolicyOverrides {
        retry: Some(RetrySchedule::from_seconds(&[0, 5, 86_400]).expect("in bounds")),
        timeout: Some(Duration::from_millis(2_500)),
        hold_after: Some(HoldAfter::FailingFor(Duration::from_secs(86_400))),
        release: Some(ReleaseOrder::NewestFirst),
        retention: RetentionOverrides {
            event_age_max: Some(Duration::from_secs(1)),
            payload_age_max: Some(Duration::from_secs(86_400)),
            bytes_max: Some(1 << 40),
        },
    }
}

fn erase(workspace: WorkspaceId, at_ms: i64) -> EraseWorkspace {
    EraseWorkspace { workspace, at: sample::at(at_ms) }
}

pub async fn a_workspace_is_kept_as_given(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let never = RetrySchedule::from_seconds(&[]).expect("in bounds");
    let given = [
        sample::workspace(1),
        Workspace { policy: hasty(), retention: RetentionDefault::ForEver, ..sample::workspace(2) },
        Workspace { features: Vec::new(), name: "Käse, \"🧀\" \\ 'x'".to_owned(), ..sample::workspace(3) },
        Workspace {
            policy: PolicyOverrides { retry: Some(never), ..PolicyOverrides::default() },
            features: vec![String::new(), "a,b".to_owned()],
            dialect: "acme".to_owned(),
            ..sample::workspace(4)
        },
    ];
    for workspace in &given {
        kit.create_workspace(workspace.clone()).await.expect("a new workspace");
    }
    for workspace in &given {
        let found = kit.workspace_by_public_id(workspace.public_id.clone()).await.expect("it reads");
        assert_eq!(found.as_ref(), Some(workspace));
    }
    assert_eq!(kit.workspace_by_public_id("ws-9".to_owned()).await.expect("it reads"), None);
    assert_eq!(kit.workspace_by_public_id("WS-1".to_owned()).await.expect("it reads"), None, "case counts");
}

pub async fn a_public_id_of_a_workspace_is_taken_for_ever(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let first = kit.workspace(1).await;
    let again = Workspace { public_id: "ws-1".to_owned(), ..sample::workspace(2) };
    let answer = kit.create_workspace(again.clone()).await;
    assert_eq!(refusal(answer), Refusal::Taken("workspace id"));
    kit.erase_workspace(erase(first, 10)).await.expect("it exists");
    assert_eq!(
        refusal(kit.create_workspace(again).await),
        Refusal::Taken("workspace id"),
        "also when erased"
    );
}

pub async fn workspaces_are_listed_oldest_first_in_pages(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    for n in [30, 10, 20, 40] {
        kit.workspace(n).await;
    }
    kit.erase_workspace(erase(WorkspaceId::from_raw(20), 50)).await.expect("it exists");
    let table: [(Option<i64>, usize, &[i64]); 5] = [
        (None, 9, &[10, 30, 40]),
        (None, 2, &[10, 30]),
        (Some(10), 1, &[30]),
        (Some(20), 9, &[30, 40]),
        (Some(40), 9, &[]),
    ];
    for (after, limit, expected) in table {
        let params = ListWorkspaces { after: after.map(WorkspaceId::from_raw), limit };
        let rows = kit.list_workspaces(params).await.expect("it reads");
        let ids: Vec<_> = rows.iter().map(|workspace| workspace.id.raw()).collect();
        assert_eq!(ids, expected, "after {after:?}, {limit} rows");
    }
}

pub async fn an_update_changes_only_what_it_names(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let id = kit.workspace(1).await;
    let nothing =
        UpdateWorkspace { workspace: id, name: None, features: None, policy: PolicyChange::default() };
    let mut expected = sample::workspace(1);
    assert_eq!(kit.update_workspace(nothing.clone()).await.expect("it exists"), expected);

    expected.name = "New".to_owned();
    let params = UpdateWorkspace { name: Some("New".to_owned()), ..nothing.clone() };
    assert_eq!(kit.update_workspace(params).await.expect("it exists"), expected);
    expected.features = Vec::new();
    let params = UpdateWorkspace { features: Some(Vec::new()), ..nothing.clone() };
    assert_eq!(kit.update_workspace(params).await.expect("it exists"), expected);
    expected.policy = hasty();
    let PolicyOverrides { retry, timeout, hold_after, release, retention } = hasty();
    let parts = [
        PolicyChange { retry: Some(retry), timeout: Some(timeout), ..PolicyChange::default() },
        PolicyChange { hold_after: Some(hold_after), release: Some(release), ..PolicyChange::default() },
        PolicyChange {
            event_age_max: Some(retention.event_age_max),
            payload_age_max: Some(retention.payload_age_max),
            bytes_max: Some(retention.bytes_max),
            ..PolicyChange::default()
        },
    ];
    for policy in parts {
        let params = UpdateWorkspace { policy, ..nothing.clone() };
        kit.update_workspace(params).await.expect("it exists");
    }
    assert_eq!(
        kit.update_workspace(nothing.clone()).await.expect("it exists"),
        expected,
        "changes are merged"
    );
    expected.policy.retention = RetentionOverrides::default();
    let ages =
        PolicyChange { event_age_max: Some(None), payload_age_max: Some(None), ..PolicyChange::default() };
    let params =
        UpdateWorkspace { policy: PolicyChange { bytes_max: Some(None), ..ages }, ..nothing.clone() };
    assert_eq!(kit.update_workspace(params).await.expect("it exists"), expected);
    let found = kit.workspace_by_public_id("ws-1".to_owned()).await.expect("it reads");
    assert_eq!(found, Some(expected));
    let missing = UpdateWorkspace { workspace: WorkspaceId::from_raw(9), ..nothing };
    assert_eq!(refusal(kit.update_workspace(missing).await), Refusal::Missing("workspace"));
}

pub async fn no_catalog_verb_finds_an_erased_workspace(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, [webhook, other]) = kit.tenant().await;
    let hash = CredentialHash::of(b"key");
    kit.create_credential(sample::credential(gone, 21), hash).await.expect("a new credential");
    kit.delete(gone, other, 40).await;
    kit.workspace(2).await;
    let ended = kit.erase_workspace(erase(gone, 50)).await.expect("it exists");
    assert_eq!(ended, [webhook], "a webhook that was deleted before is not ended again");

    assert_eq!(refusal(kit.erase_workspace(erase(gone, 51)).await), Refusal::Missing("workspace"));
    assert_eq!(kit.workspace_by_public_id("ws-1".to_owned()).await.expect("it reads"), None);
    let all = kit.list_workspaces(ListWorkspaces { after: None, limit: 9 }).await.expect("it reads");
    assert_eq!(all, [sample::workspace(2)]);
    let update =
        UpdateWorkspace { workspace: gone, name: None, features: None, policy: PolicyChange::default() };
    assert_eq!(refusal(kit.update_workspace(update).await), Refusal::Missing("workspace"));
    assert_eq!(kit.fan_out(gone).await.expect("it reads"), None);

    assert_eq!(kit.credential_by_hash(hash).await.expect("it reads"), None);
    assert_eq!(kit.list_credentials(gone).await.expect("it reads"), []);
    let answer = kit.create_credential(sample::credential(gone, 22), CredentialHash::of(b"k2")).await;
    assert_eq!(refusal(answer), Refusal::Missing("workspace"));

    assert_eq!(kit.webhook(gone, "wh-11".to_owned()).await.expect("it reads"), None);
    let params =
        ListWebhooks { workspace: gone, subject: None, active: None, before: None, offset: 0, limit: 9 };
    let page = kit.list_webhooks(params).await.expect("it reads");
    assert_eq!((page.rows.len(), page.total), (0, 0));
    let answer = kit.create_webhook(sample::webhook(gone, 13).into()).await;
    assert_eq!(refusal(answer), Refusal::Missing("workspace"));
    assert_eq!(kit.lane(webhook).await.expect("it reads"), None);
}

pub async fn no_ledger_verb_finds_an_erased_workspace(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, [webhook]) = kit.tenant().await;
    let mut event = kit.draft(gone, 31, &[webhook]).await;
    event.content.producer_id = Some("p".to_owned());
    kit.accept_one(event.clone()).await;
    let id = delivery(31, webhook);
    let ended = kit.publish_and_attempt(gone, 32, webhook, Verdict::GiveUp).await;
    kit.erase_workspace(erase(gone, 50)).await.expect("it exists");

    assert_eq!(refusal(kit.accept(vec![event]).await), Refusal::Missing("workspace"));
    assert_eq!(kit.event(gone, EventKey::Ours(id.event)).await.expect("it reads"), None);
    assert_eq!(kit.event(gone, EventKey::Producer("p".to_owned())).await.expect("it reads"), None);
    let params = ListEvents { workspace: gone, event_type: None, subject: None, before: None, limit: 9 };
    assert_eq!(kit.list_events(params).await.expect("it reads").rows, []);
    let params =
        ListDeliveries { workspace: gone, webhook: None, event: None, status: None, before: None, limit: 9 };
    assert_eq!(kit.list_deliveries(params).await.expect("it reads").rows, []);
    for id in [id, ended] {
        assert_eq!(kit.delivery(gone, id).await.expect("it reads"), None);
        assert_eq!(kit.owner_of(Named::Delivery(id)).await.expect("it reads"), None);
        assert_eq!(refusal(kit.redeliver(gone, id, 60).await), Refusal::Missing("delivery"));
    }
    assert_eq!(kit.owed(webhook).await, []);
}

/// An attempt in flight may still end after its workspace has gone.
pub async fn an_outcome_for_an_erased_workspace_is_taken(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, [webhook]) = kit.tenant().await;
    kit.publish(gone, 31, &[webhook]).await;
    let due = kit.owed_one(webhook).await;
    kit.erase_workspace(erase(gone, 50)).await.expect("it exists");
    let again = Verdict::RetryAt(sample::at(99));
    kit.attempt(gone, due, again).await;
    assert_eq!(kit.owed(webhook).await, [], "nothing is owed to an erased webhook");
}

pub async fn erasing_leaves_other_workspaces_alone(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, [webhook]) = kit.tenant().await;
    kit.publish(gone, 31, &[webhook]).await;
    let stays = kit.workspace(2).await;
    let neighbour = kit.subscribe(stays, 19).await;
    let hash = CredentialHash::of(b"neighbour");
    kit.create_credential(sample::credential(stays, 29), hash).await.expect("a new credential");
    kit.publish(stays, 32, &[neighbour]).await;
    kit.erase_workspace(erase(gone, 50)).await.expect("it exists");
    assert!(kit.credential_by_hash(hash).await.expect("it reads").is_some());
    assert_eq!(kit.lane_of(neighbour).await.cuts, []);
    let state = kit.state(stays, delivery(32, neighbour)).await;
    assert_eq!(state, DeliveryState::Pending { next_at: sample::at(32) });
}
