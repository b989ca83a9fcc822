//! `/v1/workspaces/{workspace}/deliveries` and `/v1/deliveries/{delivery}`: what became of events.

use axum::extract::{Request, State};
use http::{StatusCode, Uri};
use signalpost_core::delivery::DeliveryStatus;
use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::id::{DeliveryId, EventId, WebhookId};
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_engine::ListDeliveries;
use signalpost_engine::once::Stale;

use super::{Shared, convert, wire};
use crate::kit::body::{ReadBody, read};
use crate::kit::idempotency::{self, Announced};
use crate::kit::page::{self, Page, Wanted};
use crate::kit::paths::Ids;
use crate::kit::query::Query;
use crate::kit::refusal::Answer;
use crate::kit::{cursor, reply};

const LIST: &str = "deliveries";

pub(super) async fn list(State(surface): Shared, Ids([workspace]): Ids<1>, uri: Uri) -> Answer {
    let mut query = Query::parse(uri.query())?;
    let mut errors = FieldErrors::default();
    let (webhook, event) = (query.take("webhook"), query.take("event"));
    let status = query.take("status").and_then(|name| errors.take("status", status_named(&name)));
    let Wanted { position, limit } = page::take::<2>(LIST, &mut query, &mut errors);
    query.refuse_rest(&mut errors);
    errors.into_result()?;
    let engine = &surface.engine;
    let view = engine.workspace(&workspace).await?;
    let workspace = view.workspace.id;
    let webhook = match webhook {
        Some(id) => Some(named("webhook", engine.webhook(workspace, &id).await)?.id),
        None => None,
    };
    let event = match event {
        Some(id) => Some(named("event", engine.event(workspace, &id).await)?.id),
        None => None,
    };
    let before = position.map(|[event, webhook]| DeliveryId {
        event: EventId::from_raw(event),
        webhook: WebhookId::from_raw(webhook),
    });
    let wanted = ListDeliveries { workspace, webhook, event, status, before, limit };
    let found = engine.list_deliveries(wanted).await?;
    let next_cursor = found.next.map(|next| cursor::encode(LIST, &[next.event.raw(), next.webhook.raw()]));
    let rows = found.rows.into_iter();
    let data = rows.map(|summary| convert::delivery(&view, summary)).collect();
    reply::json(StatusCode::OK, &Page::<wire::Delivery> { data, next_cursor })
}

pub(super) async fn get(State(surface): Shared, Ids([delivery]): Ids<1>) -> Answer {
    let found = surface.engine.delivery(&delivery).await?;
    let shown = convert::delivery_with_history(&found.view, found.record);
    reply::json(StatusCode::OK, &shown)
}

/// A body means nothing here; with an idempotency key it belongs to what was asked for all the same.
pub(super) async fn redeliver(State(surface): Shared, Ids([delivery]): Ids<1>, request: Request) -> Answer {
    let announced = Announced::of("redeliver", &request)?;
    let body = match announced.is_keyed() {
        true => read(request, MANAGEMENT_BODY_BYTES_MAX).await?,
        false => ReadBody::empty(),
    };
    let owner = surface.engine.owner_of(&delivery).await?;
    let call = announced.with(&body);
    let make = async {
        let show = |(): &()| {
            let (id, status) = (delivery.clone(), DeliveryStatus::Pending.name());
            idempotency::kept(StatusCode::ACCEPTED, "", &wire::Redelivery { id, status })
        };
        let done = surface.engine.redeliver(&delivery, call.keep(&show)).await?;
        idempotency::answer(done, show)
    };
    call.once(&surface.engine, Some(owner), Stale::Nothing, make).await
}

fn status_named(name: &str) -> Result<DeliveryStatus, String> {
    DeliveryStatus::from_name(name).ok_or_else(|| {
        let known = DeliveryStatus::ALL.map(DeliveryStatus::name).join(", ");
        format!("must be one of {known}")
    })
}

/// A filter that names nothing is a mistake of the caller's; an empty list would hide it.
fn named<T>(parameter: &str, found: Result<T, Error>) -> Result<T, Error> {
    found.map_err(|error| match error.code {
        ErrorCode::NotFound => Error::field(parameter, format!("names no {parameter} of this workspace")),
        _ => error,
    })
}
