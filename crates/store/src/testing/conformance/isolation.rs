//! Another workspace's objects are "not found", whoever knows their ids.

use signalpost_core::attempt::Verdict;
use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{CredentialId, DeliveryId, WebhookId, WorkspaceId};
use signalpost_core::principal::Principal;

use super::Harness;
use super::kit::{Kit, delivery, refusal, update};
use crate::Named;
use crate::catalog::{DeleteWebhook, ListWebhooks, RememberedWebhooks};
use crate::ledger::{EventKey, ListDeliveries, ListEvents};
use crate::testing::refusal::Refusal;
use crate::testing::sample;
use crate::testing::snapshot::Snapshot;

/// What one workspace has, and the workspace that must not get at it.
struct Scene {
    kit: Kit,
    owner: WorkspaceId,
    stranger: WorkspaceId,
    webhook: WebhookId,
    ended: DeliveryId,
}

async fn scene(harness: &dyn Harness) -> Scene {
    let kit = Kit::open(harness);
    let (owner, [webhook]) = kit.tenant().await;
    let mut event = kit.draft(owner, 31, &[webhook]).await;
    event.content.producer_id = Some("p".to_owned());
    kit.accept_one(event).await;
    kit.attempt(owner, kit.owed_one(webhook).await, Verdict::GiveUp).await;
    let hash = CredentialHash::of(b"key");
    kit.create_credential(sample::credential(owner, 21), hash).await.expect("a new credential");
    let user = sample::new_user(owner, 22, CredentialHash::of(b"session"));
    kit.create_user(user).await.expect("a new user");
    let stranger = kit.workspace(2).await;
    Scene { kit, owner, stranger, webhook, ended: delivery(31, webhook) }
}

impl Scene {
    async fn assert_unchanged_since(&self, before: &Snapshot) {
        assert_eq!(before.difference(&self.kit.snapshot().await), None);
    }
}

pub async fn a_stranger_reads_nothing(harness: &dyn Harness) {
    let Scene { kit, owner, stranger, webhook, ended } = scene(harness).await;
    assert_eq!(kit.webhook(stranger, "wh-11".to_owned()).await.expect("it reads"), None);
    let all =
        ListWebhooks { workspace: stranger, subject: None, active: None, before: None, offset: 0, limit: 9 };
    let page = kit.list_webhooks(all).await.expect("it reads");
    assert_eq!((page.rows.len(), page.total), (0, 0));
    let all = RememberedWebhooks { workspace: stranger, public_id: None, before: None, limit: 9 };
    assert_eq!(kit.remembered_webhooks(all).await.expect("it reads"), []);
    let fan_out = kit.fan_out(stranger).await.expect("it reads").expect("the workspace exists");
    assert_eq!(fan_out.webhooks, []);
    assert_eq!(kit.list_credentials(stranger).await.expect("it reads"), []);
    assert_eq!(kit.list_rights(stranger).await.expect("it reads"), []);
    for key in [EventKey::Ours(ended.event), EventKey::Producer("p".to_owned())] {
        assert_eq!(kit.event(stranger, key).await.expect("it reads"), None);
    }
    let all = ListEvents { workspace: stranger, event_type: None, subject: None, before: None, limit: 9 };
    assert_eq!(kit.list_events(all).await.expect("it reads").rows, []);
    assert_eq!(kit.delivery(stranger, ended).await.expect("it reads"), None);
    for (webhook, event) in [(None, None), (Some(webhook), None), (None, Some(ended.event))] {
        let params =
            ListDeliveries { workspace: stranger, webhook, event, status: None, before: None, limit: 9 };
        assert_eq!(kit.list_deliveries(params).await.expect("it reads").rows, []);
    }
    assert_eq!(
        kit.owner_of(Named::Delivery(ended)).await.expect("it reads"),
        Some(owner),
        "the one read without a scope"
    );
}

pub async fn a_stranger_changes_nothing(harness: &dyn Harness) {
    let scene = scene(harness).await;
    let Scene { kit, stranger, webhook, ended, .. } = &scene;
    let before = kit.snapshot().await;
    let answer = kit.update_webhook(update(*stranger, *webhook, 50)).await;
    assert_eq!(refusal(answer), Refusal::Missing("webhook"));
    let (at, by) = (sample::at(50), Principal::Operator);
    let params = DeleteWebhook { workspace: *stranger, webhook: *webhook, at, by };
    assert_eq!(refusal(kit.delete_webhook(params).await), Refusal::Missing("webhook"));
    let answer = kit.revoke_credential(*stranger, CredentialId::from_raw(21)).await;
    assert_eq!(refusal(answer), Refusal::Missing("credential"));
    let answer = kit.revoke_right(*stranger, CredentialId::from_raw(23)).await;
    assert_eq!(refusal(answer), Refusal::Missing("right"));
    let answer = kit.redeliver(*stranger, *ended, 50).await;
    assert_eq!(refusal(answer), Refusal::Missing("delivery"));
    scene.assert_unchanged_since(&before).await;
}
