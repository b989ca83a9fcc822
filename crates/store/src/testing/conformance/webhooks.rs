//! Webhooks: created once, found, listed, changed, switched, deleted, and what they give to lanes and fan-out.

use std::time::Duration;

use signalpost_core::basic_auth::Login;
use signalpost_core::ceilings::{Ceilings, CeilingsChange, MaxInFlight};
use signalpost_core::custom_header::CustomHeader;
use signalpost_core::delivery::{Cut, CutReason};
use signalpost_core::event::Sequence;
use signalpost_core::health::{Health, Hold};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::{FILTERED_WEBHOOKS_MAX, WEBHOOK_RATE_PER_S_MAX};
use signalpost_core::order::{OnExhausted, OrderChange, OrderRule};
use signalpost_core::pace::Rate;
use signalpost_core::policy::{Patience, PolicyChange, RetrySchedule};
use signalpost_core::principal::Principal;
use signalpost_core::rotation::PreviousSecret;
use signalpost_core::webhook::{DisableReason, EventSelection, Webhook, WebhookState};

use super::Harness;
use super::kit::{Kit, refusal, update};
use crate::catalog::{CreateWebhook, DeleteWebhook, ListWebhooks, Switch, UpdateWebhook, UpdateWorkspace};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

fn ceilings(in_flight: Option<u32>, per_second: Option<u32>) -> Ceilings {
    Ceilings {
        in_flight: in_flight.map(|requests| MaxInFlight::new(requests).expect("within its bounds")),
        rate: per_second.map(|requests| Rate::per_second(requests).expect("within its bounds")),
    }
}

fn at_once(requests: Option<u32>) -> CeilingsChange {
    CeilingsChange { in_flight: Some(ceilings(requests, None).in_flight), rate: None }
}

fn a_second(requests: Option<u32>) -> CeilingsChange {
    CeilingsChange { in_flight: None, rate: Some(ceilings(None, requests).rate) }
}

pub async fn a_webhook_is_kept_as_given(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let disabled = |reason| WebhookState::Disabled { at: sample::at(77), reason };
    let types = ["order.paid", "a,b", "🧀"].map(str::to_owned).to_vec();
    let given = [
        sample::webhook(workspace, 11),
        Webhook { name: None, secret: None, subject: None, ..sample::webhook(workspace, 12) },
        Webhook {
            events: EventSelection::Only(types),
            subject: Some("D5 'x' 🧀".to_owned()),
            filter: Some("data.name == '🧀'\n&& true".to_owned()),
            health: Health {
                consecutive_failures: u32::MAX,
                failing_since: Some(sample::at(-1)),
                hold: Some(HOLD),
            },
            patience: Patience {
                retry: Some(schedule(&[0, 86_400])),
                timeout: Some(Duration::from_millis(100)),
            },
            ceilings: ceilings(Some(1), Some(WEBHOOK_RATE_PER_S_MAX)),
            order: OrderRule { by_key: true, on_exhausted: OnExhausted::Block },
            concurrency: Some(u16::MAX),
            headers: vec![header("authorization", 1), header("x-ü", 2)],
            login: Login { user: Some("ü:".to_owned()), password: None },
            metadata: vec![(String::new(), "🧀\n".to_owned()), ("a".to_owned(), String::new())],
            previous_secrets: vec![previous(13, 5), previous(14, -1_700_000_000_001)],
            updated_at: sample::at(500),
            ..sample::webhook(workspace, 13)
        },
        Webhook {
            state: disabled(DisableReason::ByOwner),
            patience: Patience { retry: Some(schedule(&[])), timeout: None },
            login: Login { user: Some(String::new()), password: Some(sample::sealed(5)) },
            ..sample::webhook(workspace, 14)
        },
        Webhook { state: disabled(DisableReason::Gone), ..sample::webhook(workspace, 15) },
        Webhook { state: disabled(DisableReason::Failing), ..sample::webhook(workspace, 16) },
        Webhook { state: disabled(DisableReason::Paused), ..sample::webhook(workspace, 17) },
    ];
    for webhook in &given {
        kit.add(webhook.clone()).await;
    }
    for webhook in given {
        let found = kit.webhook(workspace, webhook.public_id.clone()).await.expect("it reads");
        assert_eq!(found.as_ref(), Some(&webhook));
        let lane = kit.lane_of(webhook.id).await;
        assert_eq!(lane.webhook, webhook, "a lane learns of it whatever its state");
        assert_eq!((lane.workspace, lane.cuts), (sample::workspace(1), Vec::new()));
    }
    assert_eq!(kit.webhook(workspace, "wh-9".to_owned()).await.expect("it reads"), None);
    assert_eq!(kit.lane(WebhookId::from_raw(9)).await.expect("it reads"), None);
}

fn schedule(seconds: &[u64]) -> RetrySchedule {
    RetrySchedule::from_seconds(seconds).expect("in bounds")
}

fn header(name: &str, n: i64) -> CustomHeader {
    CustomHeader { name: name.to_owned(), value: sample::sealed(n) }
}

fn previous(n: i64, expires_ms: i64) -> PreviousSecret {
    PreviousSecret { sealed: sample::sealed(n), expires_at: sample::at(expires_ms) }
}

pub async fn a_webhook_needs_a_workspace_and_an_id_never_used_in_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let nowhere = sample::webhook(WorkspaceId::from_raw(9), 11);
    assert_eq!(refusal(kit.create_webhook(nowhere.into()).await), Refusal::Missing("workspace"));
    let (workspace, [webhook]) = kit.tenant().await;
    let again = Webhook { public_id: "wh-11".to_owned(), ..sample::webhook(workspace, 12) };
    assert_eq!(refusal(kit.create_webhook(again.clone().into()).await), Refusal::Taken("webhook id"));
    kit.delete(workspace, webhook, 50).await;
    assert_eq!(
        refusal(kit.create_webhook(again.clone().into()).await),
        Refusal::Taken("webhook id"),
        "also deleted"
    );
    let elsewhere = Webhook { workspace: kit.workspace(2).await, ..again };
    kit.create_webhook(elsewhere.into()).await.expect("another workspace has its own ids");
}

/// Disabled webhooks count, deleted ones and those of other workspaces do not.
pub async fn no_more_webhooks_are_made_than_permitted(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [first, _]) = kit.tenant().await;
    let other = kit.workspace(2).await;
    let create = |workspace, n, webhooks_max| {
        let webhook = sample::webhook(workspace, n);
        kit.create_webhook(CreateWebhook { webhook, webhooks_max: Some(webhooks_max) })
    };
    let full = Refusal::LimitReached("webhooks");
    assert_eq!(refusal(create(other, 19, 0).await), full);
    kit.disable(workspace, first, 50).await;
    let version = kit.version(workspace).await;
    for webhooks_max in [0, 1, 2] {
        assert_eq!(refusal(create(workspace, 13, webhooks_max).await), full, "of {webhooks_max}");
    }
    assert_eq!(kit.version(workspace).await, version, "a refusal changes nothing");
    create(workspace, 13, 3).await.expect("there is room for one");
    kit.delete(workspace, first, 51).await;
    create(workspace, 14, 3).await.expect("one has gone");
    kit.subscribe(workspace, 15).await;
    // All are called before the first is waited for.
    let calls: Vec<_> = (20..40).map(|n| create(workspace, n, 10)).collect();
    let mut made = 0;
    for call in calls {
        match call.await {
            Ok(()) => made += 1,
            Err(error) => assert_eq!(Refusal::from(error), full),
        }
    }
    assert_eq!(made, 6, "four were there");
    create(other, 19, 1).await.expect("another workspace has its own");
}

/// Whoever has a filter counts, switched off or not; whoever is deleted or has given it up does not.
pub async fn a_workspace_has_so_many_filters_and_no_more(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [plain, _]) = kit.tenant().await;
    let filtered = |n| {
        let filter = Some("true".to_owned());
        kit.create_webhook(Webhook { filter, ..sample::webhook(workspace, n) }.into())
    };
    let last = 99 + i64::try_from(FILTERED_WEBHOOKS_MAX).expect("small");
    // All are called before the first is waited for.
    let calls: Vec<_> = (100..=last).map(filtered).collect();
    for call in calls {
        call.await.expect("there is room");
    }
    let full = Refusal::LimitReached("webhooks with a filter");
    assert_eq!(refusal(filtered(last + 1).await), full);
    let id = WebhookId::from_raw;
    kit.disable(workspace, id(100), 50).await;
    let change = |webhook, filter: Option<&str>| {
        let filter = Some(filter.map(str::to_owned));
        let nothing = UpdateWebhook::nothing(workspace, webhook, sample::at(51));
        kit.update_webhook(UpdateWebhook { filter, ..nothing })
    };
    let version = kit.version(workspace).await;
    assert_eq!(refusal(change(plain, Some("true")).await), full);
    assert_eq!(kit.version(workspace).await, version, "a refusal changes nothing");
    change(id(101), Some("false")).await.expect("one filter for another");
    kit.subscribe(workspace, last + 2).await;
    change(id(101), None).await.expect("given up");
    change(plain, Some("true")).await.expect("one has been given up");
    kit.delete(workspace, id(102), 52).await;
    filtered(last + 3).await.expect("one has gone");
    assert_eq!(refusal(filtered(last + 4).await), full);
}

const HOLD: Hold = Hold { since: sample::at(1), probes: 7, probe_at: sample::at(900) };

fn failing(consecutive_failures: u32) -> Health {
    Health { consecutive_failures, ..Health::default() }
}

pub async fn a_deleted_webhook_is_told_as_it_was(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let full = Webhook {
        subject: Some("s".to_owned()),
        filter: Some("true".to_owned()),
        headers: vec![header("authorization", 1)],
        previous_secrets: vec![previous(13, 5)],
        health: failing(3),
        ..sample::webhook(workspace, 11)
    };
    kit.add(full.clone()).await;
    assert_eq!(kit.delete(workspace, full.id, 50).await, full);
    let off = kit.subscribe(workspace, 12).await;
    let expected = kit.disable(workspace, off, 51).await;
    assert_eq!(kit.delete(workspace, off, 52).await, expected, "also one that is off");
}

pub async fn webhooks_are_listed_newest_first_with_filters(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [..]) = kit.tenant::<1>().await;
    for n in 12..=15 {
        let subject = (n % 2 == 0).then(|| "even".to_owned());
        kit.add(Webhook { subject, ..sample::webhook(workspace, n) }).await;
    }
    kit.disable(workspace, WebhookId::from_raw(12), 50).await;
    kit.delete(workspace, WebhookId::from_raw(13), 50).await;
    let other = kit.workspace(2).await;
    kit.subscribe(other, 19).await;

    let all = ListWebhooks { workspace, subject: None, active: None, before: None, offset: 0, limit: 9 };
    let even = ListWebhooks { subject: Some("even".to_owned()), ..all.clone() };
    let before = Some(WebhookId::from_raw(14));
    let table: [(ListWebhooks, &[i64], u64); 10] = [
        (all.clone(), &[15, 14, 12, 11], 4),
        (ListWebhooks { limit: 2, ..all.clone() }, &[15, 14], 4),
        (ListWebhooks { offset: 1, limit: 2, ..all.clone() }, &[14, 12], 4),
        (ListWebhooks { offset: 9, ..all.clone() }, &[], 4),
        (ListWebhooks { before, ..all.clone() }, &[12, 11], 4),
        (ListWebhooks { before, offset: 1, ..all.clone() }, &[11], 4),
        (ListWebhooks { active: Some(true), ..all.clone() }, &[15, 14, 11], 3),
        (ListWebhooks { active: Some(false), ..all.clone() }, &[12], 1),
        (even.clone(), &[14, 12], 2),
        (ListWebhooks { active: Some(true), limit: 1, ..even }, &[14], 1),
    ];
    for (params, expected, total) in table {
        let page = kit.list_webhooks(params.clone()).await.expect("it reads");
        let ids: Vec<_> = page.rows.iter().map(|webhook| webhook.id.raw()).collect();
        assert_eq!((ids.as_slice(), page.total), (expected, total), "{params:?}");
    }
}

pub async fn an_update_changes_only_what_it_names(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id]) = kit.tenant().await;
    let mut expected = sample::webhook(workspace, 11);
    let events = EventSelection::Only(vec!["b".to_owned(), "a".to_owned()]);
    let steps = [
        update(workspace, id, 51),
        UpdateWebhook { name: Some(Some("New".to_owned())), ..update(workspace, id, 52) },
        UpdateWebhook { url: Some("https://example.org/x".to_owned()), ..update(workspace, id, 53) },
        UpdateWebhook { events: Some(events), ..update(workspace, id, 54) },
        UpdateWebhook { subject: Some(Some("s".to_owned())), ..update(workspace, id, 55) },
        UpdateWebhook { events: Some(EventSelection::All), ..update(workspace, id, 56) },
        UpdateWebhook { subject: Some(None), ..update(workspace, id, 57) },
        UpdateWebhook { filter: Some(Some("data.n > 1".to_owned())), ..update(workspace, id, 58) },
        UpdateWebhook { url: Some("https://example.org/2".to_owned()), ..update(workspace, id, 59) },
        UpdateWebhook { filter: Some(None), ..update(workspace, id, 60) },
        UpdateWebhook { name: Some(None), ..update(workspace, id, 58) },
        UpdateWebhook { retry: Some(Some(schedule(&[1, 2]))), ..update(workspace, id, 59) },
        UpdateWebhook { timeout: Some(Some(Duration::from_secs(3))), ..update(workspace, id, 60) },
        UpdateWebhook { retry: Some(None), ..update(workspace, id, 61) },
        UpdateWebhook { timeout: Some(None), ..update(workspace, id, 62) },
        UpdateWebhook { ceilings: at_once(Some(7)), ..update(workspace, id, 63) },
        UpdateWebhook { ceilings: a_second(Some(5)), ..update(workspace, id, 64) },
        UpdateWebhook { ceilings: at_once(None), ..update(workspace, id, 65) },
        UpdateWebhook { ceilings: a_second(None), ..update(workspace, id, 66) },
        UpdateWebhook {
            order: OrderChange { by_key: Some(true), on_exhausted: None },
            ..update(workspace, id, 67)
        },
        UpdateWebhook {
            order: OrderChange { by_key: None, on_exhausted: Some(OnExhausted::Block) },
            ..update(workspace, id, 68)
        },
    ];
    for step in steps {
        expected.updated_at = step.at;
        expected.name = step.name.clone().unwrap_or(expected.name);
        expected.url = step.url.clone().unwrap_or(expected.url);
        expected.events = step.events.clone().unwrap_or(expected.events);
        expected.subject = step.subject.clone().unwrap_or(expected.subject);
        expected.filter = step.filter.clone().unwrap_or(expected.filter);
        expected.patience.retry = step.retry.clone().unwrap_or(expected.patience.retry);
        expected.patience.timeout = step.timeout.unwrap_or(expected.patience.timeout);
        expected.ceilings = expected.ceilings.after(step.ceilings);
        expected.order = expected.order.after(step.order);
        assert_eq!(kit.update_webhook(step).await.expect("it exists"), expected);
        assert_eq!(kit.lane_of(id).await.webhook, expected);
    }
}

pub async fn what_is_missing_cannot_be_changed(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id]) = kit.tenant().await;
    let missing = Refusal::Missing("webhook");
    let unknown = WebhookId::from_raw(9);
    assert_eq!(refusal(kit.update_webhook(update(workspace, unknown, 50)).await), missing);
    let at = sample::at(50);
    let delete = |webhook| {
        let params = DeleteWebhook { workspace, webhook, at, by: Principal::Operator };
        kit.delete_webhook(params)
    };
    assert_eq!(refusal(delete(unknown).await), missing);
    kit.delete(workspace, id, 51).await;
    assert_eq!(refusal(kit.update_webhook(update(workspace, id, 52)).await), missing);
    assert_eq!(refusal(delete(id).await), missing, "for the second time");
}

pub async fn switching_off_and_on(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let id = kit.add(Webhook { health: failing(3), ..sample::webhook(workspace, 11) }).await;
    let on = kit.enable(workspace, id, 50).await;
    assert_eq!(
        (on.state, on.health.consecutive_failures),
        (WebhookState::Active, 3),
        "it was on: nothing happens"
    );
    let off = kit.disable(workspace, id, 51).await;
    let expected = WebhookState::Disabled { at: sample::at(51), reason: DisableReason::ByOwner };
    assert_eq!((off.state, off.health.consecutive_failures), (expected, 3));
    let switch = Some(Switch::Disable(DisableReason::Gone));
    let again = kit.update_webhook(UpdateWebhook { switch, ..update(workspace, id, 52) }).await;
    assert_eq!(again.expect("it exists").state, expected, "it was off: nothing happens");
    let cut = Cut { upto: Sequence(0), at: sample::at(51), reason: CutReason::Disabled };
    assert_eq!(kit.lane_of(id).await.cuts, [cut], "one cut, for the one time it was switched off");
    let on = kit.enable(workspace, id, 53).await;
    assert_eq!(
        (on.state, on.health.consecutive_failures, on.updated_at),
        (WebhookState::Active, 0, sample::at(53))
    );
    assert_eq!(kit.lane_of(id).await.cuts, [cut], "switching on keeps the cuts");
}

pub async fn only_a_living_webhook_is_found(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id, stays]) = kit.tenant().await;
    kit.delete(workspace, id, 50).await;
    assert_eq!(kit.webhook(workspace, "wh-11".to_owned()).await.expect("it reads"), None);
    assert_eq!(kit.lane(id).await.expect("it reads"), None);
    let fan_out = kit.fan_out(workspace).await.expect("it reads").expect("the workspace exists");
    assert_eq!(fan_out.webhooks.iter().map(|webhook| webhook.id).collect::<Vec<_>>(), [stays]);
}

pub async fn fan_out_gives_active_webhooks_oldest_first(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    assert_eq!(kit.fan_out(WorkspaceId::from_raw(9)).await.expect("it reads"), None);
    for n in [13, 11, 14, 12] {
        kit.subscribe(workspace, n).await;
    }
    kit.disable(workspace, WebhookId::from_raw(12), 50).await;
    let other = kit.workspace(2).await;
    kit.subscribe(other, 19).await;
    let fan_out = kit.fan_out(workspace).await.expect("it reads").expect("the workspace exists");
    assert_eq!(fan_out.workspace, sample::workspace(1));
    assert_eq!(fan_out.webhooks, [11, 13, 14].map(|n| sample::webhook(workspace, n)));
}

pub async fn the_version_grows_with_every_change(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [id]) = kit.tenant().await;
    let mut last = kit.version(workspace).await;
    let mut grown = async |what: &str| {
        let version = kit.version(workspace).await;
        assert!(version > last, "{what}: {last} to {version}");
        last = version;
    };
    kit.subscribe(workspace, 12).await;
    grown("a webhook was created").await;
    kit.disable(workspace, id, 50).await;
    grown("a webhook was disabled").await;
    kit.enable(workspace, id, 51).await;
    grown("a webhook was enabled").await;
    let url = Some("https://example.org".to_owned());
    kit.update_webhook(UpdateWebhook { url, ..update(workspace, id, 52) }).await.expect("it exists");
    grown("a webhook was changed").await;
    kit.delete(workspace, id, 53).await;
    grown("a webhook was deleted").await;
    let name = Some("New".to_owned());
    let params = UpdateWorkspace { workspace, name, features: None, policy: PolicyChange::default() };
    kit.update_workspace(params).await.expect("it exists");
    grown("the workspace was changed").await;
    let before = kit.version(workspace).await;
    kit.publish(workspace, 31, &[]).await;
    let other = kit.workspace(2).await;
    kit.subscribe(other, 19).await;
    assert_eq!(kit.version(workspace).await, before, "events and neighbours change nothing");
}
