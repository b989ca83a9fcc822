//! Since when a webhook is as it is, and what is left of one that was deleted.

use signalpost_core::attempt::Verdict;
use signalpost_core::custom_header::HeadersChange;
use signalpost_core::event::Sequence;
use signalpost_core::id::{CredentialId, OperatorKeyId, WebhookId, WorkspaceId};
use signalpost_core::principal::Principal;
use signalpost_core::rotation::SecretsChange;
use signalpost_core::webhook::{DisableReason, EventSelection, Remembered, Tombstone, Webhook};

use super::Harness;
use super::kit::{Kit, update};
use crate::catalog::{DeleteWebhook, RememberedWebhooks, Switch, UpdateWebhook};
use crate::ledger::Finished;
use crate::testing::sample;

/// All of a workspace on one page.
fn all(workspace: WorkspaceId) -> RememberedWebhooks {
    RememberedWebhooks { workspace, public_id: None, before: None, limit: 100 }
}

async fn settled_after(kit: &Kit, webhook: WebhookId) -> i64 {
    kit.lane_of(webhook).await.webhook.settled_after.0
}

/// Takes the next number of the workspace's sequence, and gives it.
async fn pass(kit: &Kit, workspace: WorkspaceId, n: i64) -> i64 {
    kit.publish(workspace, n, &[]).await.sequence.0
}

fn only(entry: &str) -> EventSelection {
    EventSelection::Only(vec![entry.to_owned()])
}

pub async fn a_webhook_is_settled_where_it_last_changed(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id]) = kit.tenant().await;
    let nothing = || update(workspace, id, 50);
    let switch = |switch| UpdateWebhook { switch: Some(switch), ..nothing() };
    let changes = [
        UpdateWebhook { events: Some(only("order.*")), ..nothing() },
        UpdateWebhook { subject: Some(Some("s".to_owned())), ..nothing() },
        switch(Switch::Disable(DisableReason::Paused)),
        switch(Switch::Disable(DisableReason::ByOwner)),
        switch(Switch::Enable),
        UpdateWebhook { subject: Some(None), ..nothing() },
        UpdateWebhook { filter: Some(Some("true".to_owned())), ..nothing() },
        UpdateWebhook { filter: Some(Some("false".to_owned())), ..nothing() },
        UpdateWebhook { filter: Some(None), ..nothing() },
        switch(Switch::Disable(DisableReason::ByOwner)),
        UpdateWebhook { events: Some(EventSelection::All), ..switch(Switch::Enable) },
    ];
    for (n, change) in (31..).zip(changes) {
        let number = pass(&kit, workspace, n).await;
        let changed = kit.update_webhook(change.clone()).await.expect("it exists");
        assert_eq!(changed.settled_after, Sequence(number), "as it is told: {change:?}");
        assert_eq!(kit.lane_of(id).await.webhook, changed, "as it is read: {change:?}");
        assert_eq!(changed.created_after, Sequence(0));
    }
    let fan_out = kit.fan_out(workspace).await.expect("it reads").expect("the workspace exists");
    assert_eq!(fan_out.webhooks[0].settled_after, Sequence(11), "as fan-out reads it");
}

pub async fn what_decides_nothing_leaves_a_webhook_settled(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let given =
        Webhook { events: only("order.*"), subject: Some("s".to_owned()), ..sample::webhook(workspace, 11) };
    let id = kit.add(given).await;
    let nothing = || update(workspace, id, 50);
    let secrets = SecretsChange::Rotate { secret: sample::sealed(7), keep_until: None };
    let switch = |switch| UpdateWebhook { switch: Some(switch), ..nothing() };
    let no_changes = [
        nothing(),
        UpdateWebhook { name: Some(None), url: Some("https://example.org".to_owned()), ..nothing() },
        UpdateWebhook { retry: Some(None), timeout: Some(None), ..nothing() },
        UpdateWebhook { secrets: Some(secrets), headers: Some(HeadersChange::Clear), ..nothing() },
        UpdateWebhook { events: Some(only("order.*")), ..nothing() },
        UpdateWebhook { subject: Some(Some("s".to_owned())), filter: Some(None), ..nothing() },
        switch(Switch::Enable),
    ];
    for (n, change) in (31..).zip(no_changes) {
        pass(&kit, workspace, n).await;
        kit.update_webhook(change.clone()).await.expect("it exists");
        assert_eq!(settled_after(&kit, id).await, 0, "{change:?}");
    }
    let number = pass(&kit, workspace, 41).await;
    kit.disable(workspace, id, 51).await;
    pass(&kit, workspace, 42).await;
    kit.update_webhook(switch(Switch::Disable(DisableReason::Gone))).await.expect("it exists");
    assert_eq!(settled_after(&kit, id).await, number, "it was off already");
    kit.tidy_up(60).await;
    assert_eq!(settled_after(&kit, id).await, number);
}

pub async fn health_settles_a_webhook_that_it_switches_off(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id]) = kit.tenant().await;
    kit.publish(workspace, 31, &[id]).await;
    kit.publish(workspace, 32, &[id]).await;
    let [first, second] = kit.owed(id).await[..] else { panic!("two are owed") };
    let fail = async |due, disable| {
        let health = Some(sample::health(1, disable));
        kit.record(vec![Finished { health, ..sample::finished(workspace, due, Verdict::GiveUp) }]).await;
    };
    fail(first, None).await;
    assert_eq!(settled_after(&kit, id).await, 0, "a failure alone decides nothing");
    let number = pass(&kit, workspace, 33).await;
    fail(second, Some(DisableReason::Failing)).await;
    assert_eq!(settled_after(&kit, id).await, number);
}

pub async fn a_webhook_is_made_and_settled_where_its_workspace_stands(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let other = kit.workspace(2).await;
    for n in [31, 32, 33] {
        pass(&kit, workspace, n).await;
    }
    let told = Webhook {
        created_after: Sequence(99),
        settled_after: Sequence(99),
        ..sample::webhook(workspace, 11)
    };
    kit.add(told).await;
    kit.subscribe(other, 12).await;
    for (id, expected) in [(11, 3), (12, 0)] {
        let found = kit.lane_of(WebhookId::from_raw(id)).await.webhook;
        assert_eq!([found.created_after, found.settled_after], [Sequence(expected); 2], "webhook {id}");
    }
}

/// In every form of who may have done it.
pub async fn a_deleted_webhook_leaves_who_deleted_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, webhooks) = kit.tenant::<5>().await;
    let principals = [
        Principal::Operator,
        Principal::OperatorKey(OperatorKeyId::from_raw(1 << 40)),
        Principal::Credential(CredentialId::from_raw(1 << 41)),
        Principal::user("12", "Änne 'x' (🧀)\n"),
        Principal::Engine,
    ];
    for (n, (webhook, by)) in (31..).zip(webhooks.into_iter().zip(principals)) {
        let number = pass(&kit, workspace, n).await;
        let at = sample::at(n);
        let params = DeleteWebhook { workspace, webhook, at, by: by.clone() };
        kit.delete_webhook(params).await.expect("it exists");
        let public_id = format!("wh-{}", webhook.raw());
        let wanted = RememberedWebhooks { public_id: Some(public_id.clone()), ..all(workspace) };
        let left = kit.remembered_webhooks(wanted).await.expect("it reads");
        let expected = Tombstone {
            id: webhook,
            workspace,
            public_id,
            created_after: Sequence(0),
            settled_after: Sequence(number),
            deleted_at: at,
            deleted_by: Some(by),
        };
        assert_eq!(left, [Remembered::Deleted(expected)]);
    }
}

pub async fn webhooks_are_remembered_newest_first(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [_, deleted, off, also_deleted, _]) = kit.tenant().await;
    let other = kit.workspace(2).await;
    kit.subscribe(other, 16).await;
    kit.delete(workspace, deleted, 50).await;
    kit.delete(workspace, also_deleted, 51).await;
    kit.disable(workspace, off, 52).await;
    let named = |n: i64| RememberedWebhooks { public_id: Some(format!("wh-{n}")), ..all(workspace) };
    let before = Some(also_deleted);
    let table: [(RememberedWebhooks, &[i64]); 9] = [
        (all(workspace), &[15, 14, 13, 12, 11]),
        (RememberedWebhooks { limit: 2, ..all(workspace) }, &[15, 14]),
        (RememberedWebhooks { limit: 2, before, ..all(workspace) }, &[13, 12]),
        (RememberedWebhooks { before: Some(WebhookId::from_raw(11)), ..all(workspace) }, &[]),
        (named(14), &[14]),
        (named(15), &[15]),
        (RememberedWebhooks { before, ..named(14) }, &[]),
        (named(16), &[]),
        (all(WorkspaceId::from_raw(9)), &[]),
    ];
    for (params, expected) in table {
        let found = kit.remembered_webhooks(params.clone()).await.expect("it reads");
        assert_eq!(found.iter().map(|one| one.id().raw()).collect::<Vec<_>>(), expected, "{params:?}");
        for one in found {
            let gone = [deleted, also_deleted].contains(&one.id());
            match one {
                Remembered::Living(webhook) if !gone => {
                    assert_eq!(*webhook, kit.lane_of(webhook.id).await.webhook);
                }
                Remembered::Deleted(_) if gone => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

pub async fn what_is_remembered_outlives_a_restart(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [stays, goes]) = kit.tenant().await;
    pass(&kit, workspace, 31).await;
    kit.update_webhook(UpdateWebhook { events: Some(only("a")), ..update(workspace, stays, 50) })
        .await
        .expect("it exists");
    kit.delete(workspace, goes, 51).await;
    let before = kit.remembered_webhooks(all(workspace)).await.expect("it reads");
    assert_eq!(before.iter().map(|one| one.settled_after().0).collect::<Vec<_>>(), [1, 1]);
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.remembered_webhooks(all(workspace)).await.expect("it reads"), before);
}
