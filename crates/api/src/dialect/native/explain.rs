//! `GET /v1/workspaces/{workspace}/events/{event}/explain`: why an event was sent to each webhook, or was not.

use axum::extract::State;
use http::{StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use signalpost_core::delivery::DeliveryStatus;
use signalpost_core::error::FieldErrors;
use signalpost_core::event::Event;
use signalpost_core::explain::{Answer as Explained, Judgement};
use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_core::principal::{Audience, Principal};
use signalpost_core::profile::EventIdRule;
use signalpost_core::webhook::{Remembered, Tombstone};
use signalpost_engine::explain::{ExplainPage, Explanation};

use super::Shared;
use crate::kit::page::{self, Wanted};
use crate::kit::paths::Ids;
use crate::kit::query::Query;
use crate::kit::refusal::Answer;
use crate::kit::schema::Instant;
use crate::kit::{cursor, reply};

const LIST: &str = "explain";

/// An event, and what it was to each webhook of its workspace.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Explanations")]
pub(super) struct Explanations {
    event: ExplainedEvent,
    data: Vec<ExplainedWebhook>,
    /// Leads to the next page; null on the last one.
    #[schemars(example = &"MS5leHBsYWluLjEwMA")]
    next_cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct ExplainedEvent {
    #[schemars(example = &"evt_0aB3dE6gH9jK2mN5")]
    id: String,
    /// The event's `label`, if it has one.
    #[schemars(example = &"order-1000")]
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[schemars(example = &"order.paid")]
    r#type: String,
    #[schemars(example = 17)]
    sequence: i64,
    #[schemars(with = "Instant")]
    accepted_at: String,
}

/// What an event was to one webhook.
#[derive(Serialize, JsonSchema)]
struct ExplainedWebhook {
    #[schemars(example = &"wh_BUbkx3PsbzQm5V10")]
    webhook: String,
    /// Null also when the webhook is deleted.
    #[schemars(example = &"billing")]
    name: Option<String>,
    /// Stable, for programs. `created_later` and `changed_later`: what the webhook is now says nothing about this event.
    /// `meant_for_another`: the event was published for another webhook alone, as tests are.
    #[schemars(extend("enum" = Explained::NAMES))]
    answer: &'static str,
    /// The answer in words, for a person.
    #[schemars(example = &"The webhook was chosen for the event. It was delivered at 2026-05-05T10:06:46.150Z.")]
    because: String,
    /// Null when the event was not sent.
    delivery: Option<ExplainedDelivery>,
    /// Null when the webhook is not deleted.
    #[schemars(example = Value::Null)]
    deleted: Option<Deletion>,
    /// The last number of the workspace's sequence when what decides about events last changed: the webhook's event types,
    /// subject, filter or state. For events above it the webhook was as it is.
    #[schemars(example = 12)]
    settled_after_sequence: i64,
    /// Set with `created_later` and `changed_later`: the answer that such an event would get now.
    #[schemars(example = Value::Null, extend("enum" = now_names()))]
    now: Option<&'static str>,
}

#[derive(Serialize, JsonSchema)]
struct ExplainedDelivery {
    #[schemars(example = &"dlv_0aB3dE6gH9jK2mN5pQ8sT1")]
    id: String,
    #[schemars(example = &"delivered", extend("enum" = DeliveryStatus::ALL.map(DeliveryStatus::name)))]
    status: &'static str,
}

/// When a webhook was deleted, and by whom.
#[derive(Serialize, JsonSchema)]
struct Deletion {
    #[schemars(with = "Instant")]
    at: String,
    /// `operator`, an operator key (`opk_…`), a credential (`cred_…`), or a user with the name of then; null when that was
    /// not kept.
    #[schemars(example = &"cred_0aB3dE6gH9jK2mN5")]
    by: Option<String>,
}

pub(super) async fn explain(State(surface): Shared, Ids([workspace, event]): Ids<2>, uri: Uri) -> Answer {
    let mut query = Query::parse(uri.query())?;
    let mut errors = FieldErrors::default();
    let webhook = query.take("webhook");
    let Wanted { position, limit } = page::take::<1>(LIST, &mut query, &mut errors);
    query.refuse_rest(&mut errors);
    errors.into_result()?;
    let ids = surface.engine.event_ids(&workspace).await?;
    let workspace = surface.engine.workspace_id(&workspace).await?;
    let before = position.map(|[id]| WebhookId::from_raw(id));
    let found = surface
        .engine
        .explain(workspace, &event, ExplainPage { webhook, before, limit, audience: Audience::Operators })
        .await?;
    let explanations = Explanations {
        event: explained_event(&found.event, ids),
        data: found.rows.into_iter().map(explained_webhook).collect(),
        next_cursor: found.next.map(|next| cursor::encode(LIST, &[next.raw()])),
    };
    reply::json(StatusCode::OK, &explanations)
}

fn explained_event(event: &Event, ids: EventIdRule) -> ExplainedEvent {
    let producer_id = event.content.producer_id.as_deref();
    ExplainedEvent {
        id: ids.public_id(event.id, producer_id),
        label: ids.label(producer_id).map(str::to_owned),
        r#type: event.content.event_type.clone(),
        sequence: event.sequence.0,
        accepted_at: event.accepted_at.to_rfc3339_ms(),
    }
}

fn explained_webhook(explanation: Explanation) -> ExplainedWebhook {
    let Explanation { webhook, delivery, answer, because } = explanation;
    let settled_after_sequence = webhook.settled_after().0;
    let (webhook, name, deleted) = match webhook {
        Remembered::Living(webhook) => (webhook.public_id, webhook.name, None),
        Remembered::Deleted(tombstone) => {
            let deleted = deletion(&tombstone);
            (tombstone.public_id, None, Some(deleted))
        }
    };
    ExplainedWebhook {
        webhook,
        name,
        answer: answer.name(),
        because,
        delivery: delivery.and_then(|id| explained_delivery(id, &answer)),
        deleted,
        settled_after_sequence,
        now: answer.now().map(Judgement::name),
    }
}

fn explained_delivery(id: DeliveryId, answer: &Explained) -> Option<ExplainedDelivery> {
    let Explained::Sent(state) = answer else { return None };
    Some(ExplainedDelivery { id: id.to_public(), status: state.status().name() })
}

fn deletion(tombstone: &Tombstone) -> Deletion {
    Deletion {
        at: tombstone.deleted_at.to_rfc3339_ms(),
        by: tombstone.deleted_by.as_ref().map(Principal::to_text),
    }
}

fn now_names() -> Vec<Option<&'static str>> {
    Judgement::NAMES.into_iter().map(Some).chain([None]).collect()
}
