//! The life of a workspace: webhooks that come and go, events in every way in which they can be published, what is sent
//! once more, what waits over a restart, and the end with a last event.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use signalpost_core::delivery::DeliveryStatus;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::event::EventContent;
use signalpost_core::id::DeliveryId;
use signalpost_core::idempotency::{CallContent, KeyedCall};
use signalpost_core::policy::{PolicyChange, PolicyOverrides};
use signalpost_core::principal::{Audience, Principal};
use signalpost_core::profile::{FeedRule, IdForm, PauseRule, Profile};
use signalpost_core::secret::Secret;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::template::Template;
use signalpost_core::time::Timestamp;
use signalpost_core::workspace::Workspace;
use signalpost_engine::explain::ExplainPage;
use signalpost_engine::feed::FeedQuery;
use signalpost_engine::ingest::NewEvent;
use signalpost_engine::once::{Keep, Stale};
use signalpost_engine::secrets::Rotation;
use signalpost_engine::test_event::TestEvent;
use signalpost_engine::webhooks::{Activity, IssuedWebhook, NewWebhook, WebhookChange};
use signalpost_engine::workspaces::{NewWorkspace, WorkspaceChange};
use signalpost_engine::{Done, Engine, ListDeliveries, ListEvents, ListWebhooks, View};
use signalpost_store::Ledger;

use super::stage::{Stage, Told};
use super::{Scenario, Step, Turn, ended, published, step};
use crate::rig;

/// Where a pause drops what is pending.
pub(super) const DROPPING: Scenario = Scenario { profile: dropping, steps: STEPS, loose: REDELIVERED };
/// Where it holds it, and a workspace ends without a word.
pub(super) const HOLDING: Scenario = Scenario { profile: holding, steps: STEPS, loose: REDELIVERED };

/// The newest of what there is when somebody redelivers.
const REDELIVERED: &[&str] = &["https://example.com/other took \"test\""];

const STEPS: &[Step] = &[
    step("make a workspace", make_workspace),
    step("make a webhook", |stage, _| make_webhook(stage, "workspace", "first")),
    step("make another", |stage, _| make_webhook(stage, "workspace", "other")),
    published("publish one", |stage, _| publish(stage, &["one"])),
    published("publish a batch", |stage, _| publish(stage, &["two", "three", "four"])),
    published("publish once", |stage, _| publish_once(stage, "five")),
    published("publish once again", |stage, _| publish_once(stage, "five")),
    published("publish on another node", publish_elsewhere),
    step("hear of it", hear_from_elsewhere),
    published("send a test", send_test),
    step("let it arrive", let_it_arrive),
    step("read", read),
    step("ask why", ask_why),
    step("redeliver", redeliver),
    step("redeliver whatever the status", redeliver_one),
    step("refuse all requests", refuse),
    published("publish into a closed door", |stage, _| publish(stage, &["six", "seven"])),
    step("pause", |stage, _| switch(stage, "first", Activity::Paused)),
    step("switch on", |stage, _| switch(stage, "first", Activity::Active)),
    step("redeliver what is lost", redeliver_lost),
    step("let it arrive", let_it_arrive),
    step("rotate", rotate),
    step("revoke previous", revoke_previous),
    step("rename", rename),
    step("refuse all requests", refuse),
    published("publish a backlog", |stage, _| publish(stage, &["eight", "nine"])),
    step("restart", |stage, _| {
        stage.restart();
        stage.settle();
        Told::Done
    }),
    ended("delete a webhook", delete_webhook, ErrorCode::NotFound),
    step("let it arrive", let_it_arrive),
    step("make a workspace to be erased", make_doomed),
    step("make its webhook", |stage, _| make_webhook(stage, "doomed", "last")),
    ended("erase a workspace", erase, ErrorCode::NotFound),
    step("erase it once more", erase_again),
];

fn base(pause: PauseRule) -> Profile {
    let mut profile = rig::profile(pause, None);
    profile.webhook_id = IdForm::Number;
    profile.feed = FeedRule::Kept;
    profile.delivery.body = Template::json("${event.data}").expect("a good template");
    if let Some(farewell) = &mut profile.farewell {
        farewell.data = Template::json("\"gone\"").expect("a good template");
    }
    profile
}

fn dropping() -> Profile {
    base(PauseRule::Drops)
}

fn holding() -> Profile {
    Profile { farewell: None, ..base(PauseRule::Holds) }
}

pub(super) fn keyed(name: &str) -> KeyedCall {
    KeyedCall::new("sweep", name, CallContent { method: "POST", path: "/", media_type: "", body: b"" })
}

pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("answers of scenarios are texts")
}

/// Makes a workspace once: its public id.
pub(super) async fn workspace_called(engine: &Engine, name: &str) -> Result<String, Error> {
    let call = keyed(name);
    if let Some(before) = engine.answered_before(None, call, Stale::Nothing).await? {
        return Ok(text(before));
    }
    let new = NewWorkspace {
        dialect: "rig".to_owned(),
        name: name.to_owned(),
        id: None,
        features: None,
        policy: PolicyOverrides::default(),
    };
    let answer = |workspace: &Workspace| Ok(workspace.public_id.clone().into_bytes());
    match engine.create_workspace(new, Some(Keep { call, answer: &answer })).await? {
        Done::Now(workspace) => Ok(workspace.public_id),
        Done::Before(before) => Ok(text(before)),
    }
}

pub(super) fn make_workspace(stage: &mut Stage, _: Turn) -> Told {
    let call = async |engine: Arc<Engine>, _| workspace_called(&engine, "Acme").await;
    stage.call(call, |stage, id| stage.note("workspace", &id))
}

fn make_doomed(stage: &mut Stage, _: Turn) -> Told {
    let call = async |engine: Arc<Engine>, _| workspace_called(&engine, "Doomed").await;
    stage.call(call, |stage, id| stage.note("doomed", &id))
}

async fn webhook_called(engine: &Engine, view: &View, name: &str) -> Result<String, Error> {
    let call = keyed(name);
    if let Some(before) = engine.answered_before(Some(view.workspace.id), call, Stale::Nothing).await? {
        return Ok(text(before));
    }
    let url = TargetUrl::parse(&format!("https://example.com/{name}")).expect("a good URL");
    let new = NewWebhook { name: Some(name.to_owned()), ..NewWebhook::to(url) };
    let answer = |issued: &IssuedWebhook| Ok(issued.webhook.public_id.clone().into_bytes());
    match engine.create_webhook(view, new, Some(Keep { call, answer: &answer })).await? {
        Done::Now(issued) => Ok(issued.webhook.public_id),
        Done::Before(before) => Ok(text(before)),
    }
}

pub(super) fn make_webhook(stage: &mut Stage, workspace: &str, name: &'static str) -> Told {
    let workspace = stage.noted(workspace);
    stage.call(
        async |engine, _| webhook_called(&engine, &*engine.workspace(&workspace).await?, name).await,
        |stage, id| stage.note(name, &id),
    )
}

fn event(name: &str, time: Timestamp) -> NewEvent {
    let content = EventContent {
        producer_id: Some(name.to_owned()),
        event_type: "a.b".to_owned(),
        subject: None,
        time,
        attributes: Vec::new(),
        data: Bytes::from(format!("\"{name}\"")),
        ordering_key: None,
    };
    NewEvent { content, given_time: None }
}

pub(super) fn publish(stage: &mut Stage, names: &[&str]) -> Told {
    let workspace = stage.noted("workspace");
    let events: Vec<NewEvent> = names.iter().map(|name| event(name, Timestamp::from_ms(5))).collect();
    let wanted = events.len();
    stage.call(
        async |engine, _| engine.publish(&workspace, events).await,
        |_, receipts| assert_eq!(receipts.len(), wanted),
    )
}

fn publish_elsewhere(stage: &mut Stage, _: Turn) -> Told {
    let store = Arc::clone(&stage.store);
    store.inner().elsewhere(|| publish(stage, &["elsewhere"]))
}

/// By name, with all that is known already.
fn hear_from_elsewhere(stage: &mut Stage, _: Turn) -> Told {
    let workspace = stage.noted("workspace");
    stage.call(
        async |engine, store| {
            let view = engine.workspace(&workspace).await?;
            let page =
                store.inner().list_deliveries(deliveries_of(&view)).await.expect("nothing is in the way");
            let deliveries: Vec<DeliveryId> = page.rows.iter().map(|delivery| delivery.id).collect();
            store.inner().tell_accepted_elsewhere(&deliveries);
            Ok(())
        },
        |_, ()| (),
    )
}

fn publish_once(stage: &mut Stage, name: &'static str) -> Told {
    let workspace = stage.noted("workspace");
    let events = vec![event(name, Timestamp::from_ms(5))];
    stage.call(
        async |engine, _| engine.publish_once(&workspace, events, keyed(name)).await,
        |stage, done| {
            let (Done::Now(receipts) | Done::Before(receipts)) = done;
            stage.note("receipt", &receipts[0].id);
        },
    )
}

fn send_test(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, webhook) = (stage.noted("workspace"), stage.noted("other"));
    let test = TestEvent { event_type: "a.test".to_owned(), data: Bytes::from_static(b"\"test\"") };
    stage.call(
        async |engine, _| engine.send_test(&workspace, &webhook, test, Some(keyed("test"))).await.map(drop),
        |_, ()| (),
    )
}

fn let_it_arrive(stage: &mut Stage, _: Turn) -> Told {
    stage.drain();
    Told::Done
}

pub(super) fn refuse(stage: &mut Stage, _: Turn) -> Told {
    stage.outlet.status.set(500);
    Told::Done
}

pub(super) const fn deliveries_of(view: &View) -> ListDeliveries {
    let workspace = view.workspace.id;
    ListDeliveries { workspace, webhook: None, event: None, status: None, before: None, limit: 100 }
}

fn read(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, receipt) = (stage.noted("workspace"), stage.noted("receipt"));
    stage.call(
        async |engine, _| {
            engine.check_ready().await?;
            engine.list_workspaces(None, None, 10).await?;
            let view = engine.workspace(&workspace).await?;
            let id = view.workspace.id;
            let all = ListEvents { workspace: id, event_type: None, subject: None, before: None, limit: 100 };
            let events = engine.list_events(all).await?.rows.len();
            let query = FeedQuery { after: None, types: Vec::new(), limit: 100 };
            engine.feed(&view, query).await?;
            engine.event(id, &receipt).await?;
            let webhooks = ListWebhooks {
                workspace: id,
                subject: None,
                active: None,
                before: None,
                offset: 0,
                limit: 10,
            };
            assert_eq!(engine.list_webhooks(webhooks).await?.rows.len(), 2);
            let deliveries = engine.list_deliveries(deliveries_of(&view)).await?.rows;
            assert!(deliveries.iter().all(|row| row.state.status() == DeliveryStatus::Delivered));
            let one = deliveries[0].id.to_public();
            engine.delivery(&one).await?;
            assert_eq!(engine.owner_of(&one).await?, id);
            assert_eq!(engine.usage(id).await?.events, 7);
            engine.storage().await?;
            engine.cluster().await?;
            assert_eq!((events, deliveries.len()), (7, 13));
            Ok(one)
        },
        |stage, one| stage.note("delivery", &one),
    )
}

fn ask_why(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, receipt) = (stage.noted("workspace"), stage.noted("receipt"));
    let page = ExplainPage { webhook: None, before: None, limit: 10, audience: Audience::Operators };
    stage.call(
        async |engine, _| {
            let view = engine.workspace(&workspace).await?;
            engine.explain(view.workspace.id, &receipt, page).await
        },
        |_, explained| assert_eq!(explained.rows.len(), 2),
    )
}

fn redeliver(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, delivery) = (stage.noted("workspace"), stage.noted("delivery"));
    let call = keyed("redeliver");
    let answer = |(): &()| Ok(Vec::new());
    stage.call(
        async |engine, _| {
            let id = engine.workspace(&workspace).await?.workspace.id;
            if engine.answered_before(Some(id), call, Stale::Nothing).await?.is_some() {
                return Ok(());
            }
            engine.redeliver(&delivery, Some(Keep { call, answer: &answer })).await.map(drop)
        },
        |_, ()| (),
    )
}

fn redeliver_one(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, delivery) = (stage.noted("workspace"), stage.noted("delivery"));
    stage.call(
        async |engine, _| {
            let view = engine.workspace(&workspace).await?;
            let found = engine.delivery(&delivery).await?;
            engine.redeliver_one(&view, &found.record.summary.webhook, &delivery).await
        },
        |_, ()| (),
    )
}

fn switch(stage: &mut Stage, name: &str, activity: Activity) -> Told {
    let (workspace, webhook) = (stage.noted("workspace"), stage.noted(name));
    stage.call(
        async |engine, _| {
            let view = engine.workspace(&workspace).await?;
            let change = WebhookChange { active: Some(activity), ..WebhookChange::default() };
            engine.update_webhook(&view, &webhook, change).await
        },
        |_, webhook| assert_eq!(webhook.state.is_active(), activity == Activity::Active),
    )
}

fn redeliver_lost(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, webhook) = (stage.noted("workspace"), stage.noted("first"));
    stage.call(
        async |engine, _| engine.redeliver_lost(&*engine.workspace(&workspace).await?, &webhook).await,
        |_, _| (),
    )
}

fn rotate(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, webhook) = (stage.noted("workspace"), stage.noted("first"));
    stage.call(
        async |engine, _| {
            let view = engine.workspace(&workspace).await?;
            let secret = Some(Secret::from_text("0123456789abcdef0123456789abcdef"));
            let rotation = Rotation { overlap: Duration::from_secs(36_000), secret };
            engine.rotate_secret(&view, &webhook, rotation, None).await.map(drop)
        },
        |_, ()| (),
    )
}

fn revoke_previous(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, webhook) = (stage.noted("workspace"), stage.noted("first"));
    stage.call(
        async |engine, _| {
            let view = engine.workspace(&workspace).await?;
            engine.revoke_previous_secrets(view.workspace.id, &webhook).await
        },
        |_, ()| (),
    )
}

fn rename(stage: &mut Stage, _: Turn) -> Told {
    let workspace = stage.noted("workspace");
    let policy = PolicyChange::default();
    let change = WorkspaceChange { name: Some("Acme & Sons".to_owned()), features: None, policy };
    stage.call(
        async |engine, _| engine.update_workspace(&workspace, change).await,
        |_, workspace| assert_eq!(workspace.name, "Acme & Sons"),
    )
}

fn delete_webhook(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, webhook) = (stage.noted("workspace"), stage.noted("other"));
    stage.call(
        async |engine, _| {
            let view = engine.workspace(&workspace).await?;
            engine.delete_webhook(&view, &webhook, &Principal::Operator).await
        },
        |_, _| (),
    )
}

fn erase(stage: &mut Stage, _: Turn) -> Told {
    let workspace = stage.noted("doomed");
    stage.call(async |engine, _| engine.erase_workspace(&workspace).await, |_, ()| ())
}

/// It is gone already.
fn erase_again(stage: &mut Stage, _: Turn) -> Told {
    let workspace = stage.noted("doomed");
    stage.call(
        async |engine, _| match engine.erase_workspace(&workspace).await {
            Err(error) if error.code == ErrorCode::NotFound => Ok(()),
            answered => answered.map(|()| panic!("it was erased before")),
        },
        |_, ()| (),
    )
}
