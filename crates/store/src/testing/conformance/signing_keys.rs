//! Signing keys: made once, found, listed, deleted, and what becomes of webhooks that refer to them.

use signalpost_core::attempt::Verdict;
use signalpost_core::id::{SigningKeyId, WebhookId, WorkspaceId};
use signalpost_core::limits::SIGNING_KEYS_MAX;
use signalpost_core::principal::Principal;
use signalpost_core::signing_key::{SIGNING_KEY_FIELD, SigningKey};
use signalpost_core::webhook::Webhook;
use signalpost_core::workspace::Workspace;

use super::Harness;
use super::kit::{Kit, refusal, update};
use crate::catalog::{CloseWorkspace, DeleteSigningKey, EraseWorkspace, ListWebhooks, UpdateWebhook};
use crate::testing::refusal::Refusal;
use crate::testing::sample;
use crate::vault::{Resealed, SealedKey, SealedPage};
use crate::{Named, StoreError};

/// Signing key `n` of a workspace, stored.
async fn key(kit: &Kit, workspace: WorkspaceId, n: i64) -> SigningKey {
    let key = sample::signing_key(workspace, n);
    kit.create_signing_key(key.clone()).await.expect("a new signing key");
    key
}

/// A webhook without a secret of its own that refers to a key.
async fn signed(kit: &Kit, workspace: WorkspaceId, n: i64, key: SigningKeyId) -> WebhookId {
    let (secret, signing_key) = (None, Some(key));
    kit.add(Webhook { secret, signing_key, ..sample::webhook(workspace, n) }).await
}

async fn delete(kit: &Kit, workspace: WorkspaceId, key: SigningKeyId) -> Result<SigningKey, StoreError> {
    let by = Principal::Operator;
    kit.delete_signing_key(DeleteSigningKey { workspace, key, at: sample::at(50), by }).await
}

async fn refer(
    kit: &Kit,
    (workspace, webhook): (WorkspaceId, WebhookId),
    key: Option<SigningKeyId>,
) -> Result<Webhook, StoreError> {
    kit.update_webhook(UpdateWebhook { signing_key: Some(key), ..update(workspace, webhook, 51) }).await
}

/// What lies sealed, by its keys.
async fn sealed(kit: &Kit) -> Vec<SealedKey> {
    let page = kit.sealed_page(SealedPage { after: None, limit: 1_000 }).await.expect("it reads");
    page.iter().map(|sealed| sealed.key).collect()
}

pub async fn a_signing_key_is_kept_as_given(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let other = kit.workspace(2).await;
    let mut given = Vec::new();
    for (owner, n) in [(workspace, 23), (other, 24), (workspace, 21)] {
        given.push(key(&kit, owner, n).await);
    }
    assert_eq!(kit.highest_id(), 24);
    let kit = kit.reopen(harness).await;
    for key in &given {
        let found = kit.signing_key(key.workspace, key.public_id.clone()).await;
        assert_eq!(found.expect("it reads").as_ref(), Some(key));
    }
    assert_eq!(kit.signing_key(workspace, "sk-9".to_owned()).await.expect("it reads"), None);
    let listed = kit.list_signing_keys(workspace).await.expect("it reads");
    assert_eq!(listed, [given[2].clone(), given[0].clone()], "oldest first");
    assert_eq!(kit.list_signing_keys(WorkspaceId::from_raw(9)).await.expect("it reads"), []);
}

pub async fn a_signing_key_needs_a_workspace_and_an_id_never_used_in_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let nowhere = sample::signing_key(WorkspaceId::from_raw(9), 21);
    assert_eq!(refusal(kit.create_signing_key(nowhere).await), Refusal::Missing("workspace"));
    let workspace = kit.workspace(1).await;
    let first = key(&kit, workspace, 21).await;
    let again = SigningKey { public_id: "sk-21".to_owned(), ..sample::signing_key(workspace, 22) };
    assert_eq!(refusal(kit.create_signing_key(again.clone()).await), Refusal::Taken("signing key id"));
    delete(&kit, workspace, first.id).await.expect("it exists");
    assert_eq!(refusal(kit.create_signing_key(again.clone()).await), Refusal::Taken("signing key id"));
    let elsewhere = SigningKey { workspace: kit.workspace(2).await, ..again };
    kit.create_signing_key(elsewhere).await.expect("ids belong to their workspace");
}

pub async fn no_more_signing_keys_are_made_than_permitted(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let last = 99 + i64::try_from(SIGNING_KEYS_MAX).expect("small");
    for n in 100..=last {
        key(&kit, workspace, n).await;
    }
    let more = || kit.create_signing_key(sample::signing_key(workspace, last + 1));
    let full = Refusal::LimitReached("signing keys");
    assert_eq!(refusal(more().await), full);
    assert_eq!(kit.list_signing_keys(workspace).await.expect("it reads").len(), SIGNING_KEYS_MAX);
    delete(&kit, workspace, SigningKeyId::from_raw(100)).await.expect("it exists");
    more().await.expect("a deleted one makes room");
}

pub async fn a_deleted_signing_key_is_none_wherever_it_is_referred_to(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [own]) = kit.tenant().await;
    let (ending, kept) = (key(&kit, workspace, 21).await, key(&kit, workspace, 22).await);
    let first = signed(&kit, workspace, 31, ending.id).await;
    let second = signed(&kit, workspace, 32, ending.id).await;
    let third = signed(&kit, workspace, 33, kept.id).await;
    let lane = kit.lane_of(first).await;
    assert_eq!((lane.webhook.signing_key, lane.signing_key), (Some(ending.id), Some(ending.clone())));
    let version = kit.version(workspace).await;
    assert_eq!(delete(&kit, workspace, ending.id).await.expect("it exists"), ending, "as it was");
    assert_eq!(kit.version(workspace).await, version, "the same webhooks want the same events");

    let kit = kit.reopen(harness).await;
    assert_eq!(kit.signing_key(workspace, "sk-21".to_owned()).await.expect("it reads"), None);
    assert_eq!(kit.list_signing_keys(workspace).await.expect("it reads"), std::slice::from_ref(&kept));
    assert_eq!(refusal(delete(&kit, workspace, ending.id).await), Refusal::Missing("signing key"));
    let everything =
        ListWebhooks { workspace, subject: None, active: None, before: None, offset: 0, limit: 9 };
    let listed = kit.list_webhooks(everything).await.expect("it reads").rows;
    let fan_out = kit.fan_out(workspace).await.expect("it reads").expect("it exists").webhooks;
    for (id, expected) in [(own, None), (first, None), (second, None), (third, Some(&kept))] {
        let lane = kit.lane_of(id).await;
        assert_eq!(lane.signing_key.as_ref(), expected, "{id:?}");
        let found = kit.webhook(workspace, lane.webhook.public_id.clone()).await.expect("it reads");
        assert_eq!(found.as_ref(), Some(&lane.webhook));
        assert!(listed.contains(&lane.webhook) && fan_out.contains(&lane.webhook));
        assert_eq!(lane.webhook.signing_key, expected.map(|key| key.id));
        assert_eq!(lane.webhook.updated_at, sample::at(id.raw()), "nobody has changed it");
    }
    let change = UpdateWebhook { name: Some(None), ..update(workspace, first, 60) };
    assert_eq!(kit.update_webhook(change).await.expect("it exists").signing_key, None);
    assert_eq!(kit.delete(workspace, second, 61).await.signing_key, None);
    assert_eq!(sealed(&kit).await, [SealedKey::Webhook(own), SealedKey::SigningKey(kept.id)], "wiped");
}

pub async fn a_webhook_refers_only_to_living_keys_of_its_workspace(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let stranger = kit.workspace(2).await;
    let good = key(&kit, workspace, 21).await.id;
    let strange = key(&kit, stranger, 22).await.id;
    let deleted = key(&kit, workspace, 23).await.id;
    delete(&kit, workspace, deleted).await.expect("it exists");
    let lane = (workspace, webhook);
    assert_eq!(refer(&kit, lane, Some(good)).await.expect("it lives").signing_key, Some(good));
    let before = kit.snapshot().await;
    for bad in [strange, deleted, SigningKeyId::from_raw(9)] {
        assert_eq!(refusal(refer(&kit, lane, Some(bad)).await), Refusal::Missing("signing key"));
        let webhook = Webhook { signing_key: Some(bad), ..sample::webhook(workspace, 31) };
        let made = kit.create_webhook(webhook.into()).await;
        assert_eq!(refusal(made), Refusal::Missing("signing key"));
    }
    assert_eq!(refusal(delete(&kit, stranger, good).await), Refusal::Missing("signing key"));
    assert_eq!(kit.signing_key(stranger, "sk-21".to_owned()).await.expect("it reads"), None);
    assert_eq!(before.difference(&kit.snapshot().await), None, "refusals leave nothing");
    assert_eq!(refer(&kit, lane, None).await.expect("it is set free").signing_key, None);
    assert_eq!(kit.lane_of(webhook).await.signing_key, None);
}

pub async fn a_signing_key_is_found_by_its_id_alone(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let [first, second] = [kit.workspace(1).await, kit.workspace(2).await];
    let other = Workspace { dialect: "acme".to_owned(), ..sample::workspace(3) };
    let stranger = other.id;
    kit.create_workspace(other).await.expect("a new workspace");
    let mut keys = Vec::new();
    for (workspace, n) in [(stranger, 21), (second, 22), (first, 23)] {
        let key = SigningKey { public_id: "7".to_owned(), ..sample::signing_key(workspace, n) };
        kit.create_signing_key(key.clone()).await.expect("a new signing key");
        keys.push(key.id);
    }
    let owner = async |dialect: &str, public_id: &str| {
        let named = Named::SigningKey { dialect: dialect.to_owned(), public_id: public_id.to_owned() };
        kit.owner_of(named).await.expect("it reads")
    };
    assert_eq!(owner("native", "7").await, Some(second), "the oldest of this dialect");
    assert_eq!(owner("acme", "7").await, Some(stranger));
    assert_eq!((owner("other", "7").await, owner("native", "8").await), (None, None));
    delete(&kit, second, keys[1]).await.expect("it exists");
    assert_eq!(owner("native", "7").await, Some(first), "a deleted one stands in nobody's way");
    let erase = EraseWorkspace { workspace: first, at: sample::at(60) };
    kit.erase_workspace(erase).await.expect("it exists");
    assert_eq!(owner("native", "7").await, None);
}

pub async fn a_signing_key_is_sealed_anew_in_its_place(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let (first, second) = (key(&kit, workspace, 21).await, key(&kit, workspace, 22).await);
    let after = Some(SealedKey::SigningKey(first.id));
    let page = kit.sealed_page(SealedPage { after, limit: 9 }).await.expect("it reads");
    let [found] = &page[..] else { panic!("the second alone: {page:?}") };
    let place = (found.place.workspace, found.place.object, found.place.field);
    assert_eq!(place, (workspace.raw(), 22, SIGNING_KEY_FIELD));
    assert_eq!((found.key, &found.value), (SealedKey::SigningKey(second.id), &second.sealed));
    let reseal = |id, old: i64, new: i64| Resealed {
        key: SealedKey::SigningKey(id),
        old: sample::sealed(old),
        new: sample::sealed(new),
    };
    let both = vec![reseal(first.id, 21, 71), reseal(second.id, 21, 72)];
    assert_eq!(kit.reseal(both).await.expect("it writes"), 1, "each only where the old one stands");
    let expected = [SigningKey { sealed: sample::sealed(71), ..first.clone() }, second];
    assert_eq!(kit.list_signing_keys(workspace).await.expect("it reads"), expected);
    delete(&kit, workspace, first.id).await.expect("it exists");
    let late = kit.reseal(vec![reseal(first.id, 71, 81)]).await;
    assert_eq!(late.expect("it writes"), 0, "what was wiped does not come back");
}

pub async fn erasing_a_workspace_ends_its_signing_keys(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let gone = kit.workspace(1).await;
    let stays = kit.workspace(2).await;
    let ending = key(&kit, gone, 900).await.id;
    let kept = key(&kit, stays, 22).await;
    signed(&kit, gone, 31, ending).await;
    kit.erase_workspace(EraseWorkspace { workspace: gone, at: sample::at(50) }).await.expect("it exists");
    assert_eq!(sealed(&kit).await, [SealedKey::SigningKey(kept.id)], "wiped when it is answered");
    assert_eq!(kit.signing_key(gone, "sk-900".to_owned()).await.expect("it reads"), None);
    assert_eq!(kit.list_signing_keys(gone).await.expect("it reads"), []);
    assert_eq!(refusal(delete(&kit, gone, ending).await), Refusal::Missing("signing key"));
    let more = kit.create_signing_key(sample::signing_key(gone, 24)).await;
    assert_eq!(refusal(more), Refusal::Missing("workspace"));
    assert_eq!(kit.list_signing_keys(stays).await.expect("it reads"), [kept]);
    kit.retain_all(60, &signalpost_core::retention::RetentionRules::default()).await;
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 900, "an id is never given out again");
}

pub async fn the_last_event_of_a_workspace_is_signed_as_ever(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let gone = kit.workspace(1).await;
    let (used, idle) = (key(&kit, gone, 21).await, key(&kit, gone, 22).await);
    let webhooks = [signed(&kit, gone, 31, used.id).await, signed(&kit, gone, 32, used.id).await];
    let farewell = kit.draft(gone, 40, &webhooks).await;
    kit.close_workspace(CloseWorkspace { farewell }).await.expect("it exists");
    assert_eq!(refusal(delete(&kit, gone, idle.id).await), Refusal::Missing("signing key"));
    assert_eq!(kit.signing_key(gone, "sk-21".to_owned()).await.expect("it reads"), None);
    let [first, second] = webhooks;
    let kit = kit.reopen(harness).await;
    kit.attempt(gone, kit.owed_one(first).await, Verdict::Delivered).await;
    assert_eq!(kit.lane_of(second).await.signing_key, Some(used.clone()), "it waits for the other one");
    kit.attempt(gone, kit.owed_one(second).await, Verdict::Delivered).await;
    assert_eq!(sealed(&kit).await, [], "with the last webhook the keys go");
}
