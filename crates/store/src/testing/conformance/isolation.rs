//! Another workspace's objects are "not found", whoever knows their ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::attempt::Verdict;
use signalpost_core::credential::CredentialHash;
use signalpost_core::figures::{Figures, FiguresOf, HOUR_MS};
use signalpost_core::id::{
    CredentialId, DeliveryId, PortalSessionId, ReplayId, SigningKeyId, WebhookId, WorkspaceId,
};
use signalpost_core::principal::Principal;
use signalpost_core::replay::Command;
use signalpost_core::webhook::Webhook;

use super::Harness;
use super::kit::{Kit, delivery, refusal, update};
use crate::catalog::{DeleteSigningKey, DeleteWebhook, ListOperatorKeys, ListWebhooks, RememberedWebhooks};
use crate::ledger::{
    EventKey, Feed, ListDeliveries, ListEvents, ReadFeed, Requeue, RequeueLost, RequeueRule, Usage,
};
use crate::replays::{Change, ChangeReplay, ListReplays};
use crate::rollups::{ListFigures, TopFailing};
use crate::testing::refusal::Refusal;
use crate::testing::sample;
use crate::testing::snapshot::Snapshot;
use crate::{Effect, Named};

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
    kit.create_signing_key(sample::signing_key(owner, 24)).await.expect("a new key");
    let key = sample::operator_key(Some(owner), 25);
    kit.create_operator_key(key, CredentialHash::of(b"operator")).await.expect("a new key");
    let effect = Effect::CreateCredential(sample::credential(owner, 26), CredentialHash::of(b"once"));
    kit.do_once(effect, sample::once(Some(owner), 1, 1, 30), sample::sealed(1)).await.expect("a call");
    kit.create_replay(sample::replay(owner, 27, webhook)).await.expect("a new replay");
    kit.let_in(owner, 28).await;
    let failed = Figures { attempts_failed: 1, ..Figures::default() };
    let key = FiguresOf::Webhook(owner, webhook).at(sample::at(0));
    kit.add_figures(Arc::new(BTreeMap::from([(key, failed)]))).await.expect("they are added");
    let stranger = kit.workspace_with_feed(2).await;
    Scene { kit, owner, stranger, webhook, ended: delivery(31, webhook) }
}

impl Scene {
    async fn assert_unchanged_since(&self, before: &Snapshot) {
        assert_eq!(self.kit.customer(28).await.map(|session| session.workspace), Some(self.owner));
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
    assert_eq!(kit.signing_key(stranger, "sk-24".to_owned()).await.expect("it reads"), None);
    assert_eq!(kit.list_signing_keys(stranger).await.expect("it reads"), []);
    let bound = ListOperatorKeys { workspace: Some(stranger), after: None, limit: 9 };
    assert_eq!(kit.list_operator_keys(bound).await.expect("it reads"), []);
    assert_eq!(kit.done_before(sample::once(Some(stranger), 1, 1, 30)).await.expect("it reads"), None);
    for key in [EventKey::Ours(ended.event), EventKey::Producer("p".to_owned())] {
        assert_eq!(kit.event(stranger, key).await.expect("it reads"), None);
    }
    let all = ListEvents { workspace: stranger, event_type: None, subject: None, before: None, limit: 9 };
    assert_eq!(kit.list_events(all).await.expect("it reads").rows, []);
    let all = ReadFeed { workspace: stranger, after: None, types: Vec::new(), limit: 9 };
    let Some(Feed::Page { events, .. }) = kit.feed(all).await.expect("it reads") else { panic!("a page") };
    assert_eq!(events, []);
    assert_eq!(kit.usage(stranger).await.expect("it reads"), Some(Usage::default()));
    assert_eq!(kit.delivery(stranger, ended).await.expect("it reads"), None);
    for (webhook, event) in [(None, None), (Some(webhook), None), (None, Some(ended.event))] {
        let params =
            ListDeliveries { workspace: stranger, webhook, event, status: None, before: None, limit: 9 };
        assert_eq!(kit.list_deliveries(params).await.expect("it reads").rows, []);
    }
    let replay = ReplayId::from_raw(27);
    assert_eq!(kit.replay(stranger, replay).await.expect("it reads"), None);
    assert_eq!(kit.replay_sample(stranger, replay, 9).await.expect("it reads"), []);
    let all = ListReplays { workspace: stranger, before: None, limit: 9 };
    assert_eq!(kit.list_replays(all).await.expect("it reads"), []);
    let figures = ListFigures {
        of: FiguresOf::Webhook(stranger, webhook),
        from: sample::at(-HOUR_MS),
        until: sample::at(HOUR_MS),
        limit: 9,
    };
    assert_eq!(kit.figures(figures).await.expect("it reads"), []);
    let of = FiguresOf::Webhook(owner, webhook);
    assert_eq!(kit.figures(ListFigures { of, ..figures }).await.expect("it reads").len(), 1);
    let all = TopFailing { workspace: Some(stranger), since: sample::at(0), until: sample::at(0), limit: 9 };
    assert_eq!(kit.top_failing(all).await.expect("it reads"), []);
    assert_eq!(
        kit.top_failing(TopFailing { workspace: Some(owner), ..all }).await.expect("it reads").len(),
        1
    );
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
    let answer = kit.end_portal_session(*stranger, PortalSessionId::from_raw(28)).await;
    assert_eq!(refusal(answer), Refusal::Missing("portal session"));
    let (at, rule) = (sample::at(50), RequeueRule::Any);
    let answer = kit.requeue(Requeue { workspace: *stranger, delivery: *ended, at, rule }).await;
    assert_eq!(refusal(answer), Refusal::Missing("delivery"));
    let lost = RequeueLost { workspace: *stranger, deliveries: vec![*ended], at };
    assert_eq!(kit.requeue_lost(lost).await.expect("what is not there is left out"), 0);
    let (key, by) = (SigningKeyId::from_raw(24), Principal::Operator);
    let params = DeleteSigningKey { workspace: *stranger, key, at, by };
    assert_eq!(refusal(kit.delete_signing_key(params).await), Refusal::Missing("signing key"));
    let signed = Webhook { signing_key: Some(key), ..sample::webhook(*stranger, 51) };
    assert_eq!(refusal(kit.create_webhook(signed.into()).await), Refusal::Missing("signing key"));
    let (replay, change, by) = (ReplayId::from_raw(27), Change::Asked(Command::Cancel), Principal::Operator);
    let answer = kit.change_replay(ChangeReplay { workspace: *stranger, replay, change, by, at }).await;
    assert_eq!(refusal(answer), Refusal::Missing("replay"));
    let foreign = sample::replay(*stranger, 52, *webhook);
    assert_eq!(refusal(kit.create_replay(foreign).await), Refusal::Missing("webhook"));
    let failed = Figures { attempts_failed: 1, ..Figures::default() };
    let key = FiguresOf::Webhook(*stranger, *webhook).at(at);
    kit.add_figures(Arc::new(BTreeMap::from([(key, failed)]))).await.expect("it is somebody else's row");
    let all = TopFailing { workspace: None, since: at, until: at, limit: 9 };
    let failing = kit.top_failing(all).await.expect("it reads");
    assert_eq!(failing.iter().map(|row| row.attempts_failed).collect::<Vec<_>>(), [1], "its owner's");
    scene.assert_unchanged_since(&before).await;
}

#[cfg(test)]
mod tests {
    /// Verbs that no stranger could be told from an owner by, and why.
    const BEYOND: &[(&str, &str)] = &[
        ("create_workspace", "makes a tenant"),
        ("workspace_by_public_id", "finds a tenant"),
        ("list_workspaces", "is the operator's"),
        ("update_workspace", "is about the workspace that it carries"),
        ("erase_workspace", "is about the workspace that it carries"),
        ("close_workspace", "is about the workspace that it carries"),
        ("next_number", "is of the installation"),
        ("lane", "is the engine's, by an id that nobody outside knows"),
        ("create_signing_key", "makes something of the workspace that it carries"),
        ("create_credential", "makes something of the workspace that it carries"),
        ("create_user", "makes something of the workspace that it carries"),
        ("grant_right", "makes something of the workspace that it carries"),
        ("create_operator_key", "makes something of the workspace that it carries"),
        ("credential_by_hash", "is told whoever holds the credential"),
        ("session_by_hash", "is told whoever holds the session"),
        ("operator_key_by_hash", "is told whoever holds the key"),
        ("user", "is of a dialect, not of a workspace"),
        ("account", "is of a dialect, not of a workspace"),
        ("open_session", "is of a dialect, not of a workspace"),
        ("operator_key", "is the installation's; the engine looks at the binding"),
        ("revoke_operator_key", "is the installation's; the engine looks at the binding"),
        ("create_operator_account", "is the installation's"),
        ("operator_account", "is the installation's"),
        ("list_operator_accounts", "is the installation's"),
        ("update_operator_account", "is the installation's"),
        ("delete_operator_account", "is the installation's"),
        ("open_operator_session", "is the installation's; the opener has the binding"),
        ("operator_session_by_hash", "is told whoever holds the session"),
        ("list_operator_sessions", "is the installation's"),
        ("end_operator_session", "is the installation's"),
        ("open_portal_session", "makes something of the workspace that it carries"),
        ("portal_session_by_hash", "is told whoever holds the session"),
        ("end_portal_sessions", "is about the workspace that it carries"),
        ("begin_act", "is the installation's"),
        ("end_act", "is the installation's"),
        ("list_acts", "is the installation's; the engine looks at who asks"),
        ("rotate_operator_key", "is the installation's; the engine looks at the binding"),
        ("settle_changes", "is of the installation"),
        ("listen", "is the engine's"),
        ("highest_id", "is of the installation"),
        ("ownership", "is of the process"),
        ("accept", "carries targets that were chosen of its workspace, under its version"),
        ("accept_once", "carries targets that were chosen of its workspace, under its version"),
        ("finish", "is the engine's, of what the store had it do"),
        ("due_lanes", "is the engine's"),
        ("due_page", "is the engine's"),
        ("unattempted", "is the engine's"),
        ("events_by_id", "is the engine's"),
        ("upkeep", "is of the installation"),
        ("retain", "is of the installation"),
        ("storage", "is of the installation"),
        ("cluster", "is of the installation"),
        ("probe", "is of the installation"),
        ("close", "is of the installation"),
        ("create_replay", "makes something of the workspace that it carries"),
        ("busy_replays", "is the engine's"),
        ("plan_replay", "is the engine's, of what the store had it do"),
        ("step_replay", "is the engine's, of what the store had it do"),
        ("key_check", "is of the installation"),
        ("set_key_check", "is of the installation"),
        ("sealed_page", "is the operator's"),
        ("reseal", "is the operator's"),
    ];

    /// Names of a trait's verbs.
    fn verbs(text: &'static str) -> impl Iterator<Item = &'static str> {
        let body = text.split_once("pub trait ").and_then(|(_, rest)| rest.split_once("\n}\n"));
        let (body, _) = body.expect("a trait");
        body.lines().filter_map(|line| line.strip_prefix("    fn ")?.split('(').next())
    }

    #[test]
    fn every_verb_is_tried_by_a_stranger_or_knows_none() {
        let (tried, _) = include_str!("isolation.rs").split_once("mod tests").expect("these tests");
        let traits = [
            include_str!("../../catalog.rs"),
            include_str!("../../desk.rs"),
            include_str!("../../ledger.rs"),
            include_str!("../../portal.rs"),
            include_str!("../../replays.rs"),
            include_str!("../../rollups.rs"),
            include_str!("../../vault.rs"),
        ];
        let all: Vec<&str> = traits.into_iter().flat_map(verbs).collect();
        assert!(all.len() > 60, "{all:?}");
        for verb in &all {
            let is_tried = tried.contains(&format!("kit.{verb}(")) && !verb.starts_with("create_");
            let is_beyond = BEYOND.iter().any(|(name, _)| name == verb);
            let is_made = *verb == "create_webhook";
            assert!(
                is_tried != is_beyond || is_made,
                "{verb}: a stranger tries it, or BEYOND says why none can"
            );
        }
        for (name, _) in BEYOND {
            assert!(all.contains(name), "{name} is no verb any more");
        }
    }
}
