//! Filtered reads of a sequence.

use signalpost_core::event::Sequence;
use signalpost_core::id::WebhookId;

use super::Compared;
use crate::catalog::{LaneRecord, ListWebhooks, RememberedWebhooks};
use crate::ledger::{EventKey, ListDeliveries, ListEvents, ReadFeed};
use crate::testing::differential::look::Look;
use crate::testing::differential::operation::Choice;
use crate::testing::differential::pair::{Pair, alike};
use crate::testing::differential::world::{World, choose};
use crate::testing::snapshot::{all_deliveries, all_events, whole_feed};
use crate::{Named, Store, StoreError};

pub(super) async fn apply(look: &Look, pair: &Pair<'_>, world: &World) -> Compared {
    let subject_of = |subject: Option<u8>| subject.map(|n| format!("subject {n}"));
    match *look {
        Look::Events { workspace, event_type, subject, limit } => {
            let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
            let event_type = event_type.map(|n| format!("type.{n}"));
            let subject = subject_of(subject);
            events(ListEvents { workspace, event_type, subject, before: None, limit }, pair).await
        }
        Look::EventOfProducer { workspace, id } => {
            let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
            let key = EventKey::Producer(format!("producer-{id}"));
            pair.both(|store| store.event(workspace, key.clone())).await.map(drop)
        }
        Look::Feed { workspace, after, ref types, limit } => {
            let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
            let types = types.iter().map(|n| format!("type.{n}")).collect();
            feed(ReadFeed { workspace, after: after.map(Sequence), types, limit }, pair).await
        }
        Look::Deliveries { workspace, webhook, status, limit } => {
            let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
            let webhook = webhook.and_then(|choice| any_webhook(choice, world));
            deliveries(ListDeliveries { workspace, webhook, event: None, status, before: None, limit }, pair)
                .await
        }
        Look::Delivery { delivery, caller } => {
            let Some((owner, delivery)) = choose(&world.deliveries, delivery) else { return Ok(()) };
            let workspace = world.caller(owner, caller);
            pair.both(|store| store.delivery(workspace, delivery)).await?.ok();
            pair.both(|store| store.owner_of(Named::Delivery(delivery))).await.map(drop)
        }
        Look::OwnerOfWebhook { name, ref dialect } => {
            let (dialect, public_id) = (dialect.clone(), format!("wh-{name}"));
            let named = Named::Webhook { dialect, public_id };
            pair.both(|store| store.owner_of(named.clone())).await.map(drop)
        }
        Look::OwnerOfSigningKey { name, ref dialect } => {
            let (dialect, public_id) = (dialect.clone(), format!("sk-{name}"));
            let named = Named::SigningKey { dialect, public_id };
            pair.both(|store| store.owner_of(named.clone())).await.map(drop)
        }
        Look::Lane { webhook } => {
            let Some(webhook) = any_webhook(webhook, world) else { return Ok(()) };
            let [model, subject] = pair.stores();
            alike(lane(model, webhook).await, lane(subject, webhook).await).map(drop)
        }
        Look::Remembered { workspace, name } => {
            let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
            let public_id = Some(format!("wh-{name}"));
            let params = RememberedWebhooks { workspace, public_id, before: None, limit: 2 };
            pair.both(|store| store.remembered_webhooks(params.clone())).await.map(drop)
        }
        Look::Webhooks { workspace, active, subject, offset, limit } => {
            let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
            let before = world.webhooks.last().map(|(_, webhook)| *webhook);
            let params =
                ListWebhooks { workspace, subject: subject_of(subject), active, before, offset, limit };
            pair.both(|store| store.list_webhooks(params.clone())).await.map(drop)
        }
    }
}

/// Of any workspace: a filter for another tenant's webhook finds nothing.
fn any_webhook(choice: Choice, world: &World) -> Option<WebhookId> {
    choose(&world.webhooks, choice).map(|(_, webhook)| webhook)
}

/// Also of a webhook that no other read shows: one that leaves. The order of cuts says nothing.
async fn lane(store: &dyn Store, webhook: WebhookId) -> Result<Option<LaneRecord>, StoreError> {
    let mut lane = store.lane(webhook).await?;
    if let Some(lane) = &mut lane {
        lane.cuts.sort_by_key(|cut| (cut.upto, cut.at, cut.reason.name()));
    }
    Ok(lane)
}

/// How rows are cut into pages is a store's own business, so lists are compared as wholes.
async fn events(params: ListEvents, pair: &Pair<'_>) -> Compared {
    let [model, subject] = pair.stores();
    alike(all_events(model, params.clone()).await, all_events(subject, params).await).map(drop)
}

async fn feed(params: ReadFeed, pair: &Pair<'_>) -> Compared {
    let [model, subject] = pair.stores();
    alike(whole_feed(model, params.clone()).await, whole_feed(subject, params).await).map(drop)
}

async fn deliveries(params: ListDeliveries, pair: &Pair<'_>) -> Compared {
    let [model, subject] = pair.stores();
    alike(all_deliveries(model, params.clone()).await, all_deliveries(subject, params).await).map(drop)
}
