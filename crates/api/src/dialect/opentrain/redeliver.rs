//! `POST /webhook-endpoints/{endpointId}/redeliver`: one delivery whatever became of it, or all that failed.

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_engine::credentials::Caller;

use super::details::{self, Details};
use super::read::Reader;
use super::{Shared, Surface, convert, profile, wire};
use crate::kit::body::read_json_if_any;
use crate::kit::paths::Ids;
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

const DELIVERIES: &str = "deliveries";

pub(super) async fn redeliver(
    State(surface): Shared,
    Extension(caller): Extension<Caller>,
    Ids([id]): Ids<1>,
    request: Request,
) -> Answer {
    let body = read_json_if_any(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let delivery = read(&body, &surface)?;
    let Surface { engine, instance, .. } = &*surface;
    // Looked for first, so that an error can say which of the two it is that does not exist.
    let webhook = engine.webhook(caller.view.workspace.id, &id).await;
    let webhook = webhook.map_err(details::of_webhook(instance, &id))?;
    let requeued = match delivery {
        Some(delivery) => {
            engine
                .redeliver_one(&caller.view, &id, &delivery)
                .await
                .map_err(|error| missing(error, delivery))?;
            1
        }
        None => engine.redeliver_lost(&caller.view, &id).await.map_err(details::of_webhook(instance, &id))?,
    };
    let message = if webhook.state.is_active() { profile::REQUEUED } else { profile::REQUEUED_DISABLED };
    let answer = wire::Redelivered { webhook: convert::named(webhook, instance), requeued, message };
    reply::json(StatusCode::OK, &answer)
}

fn read(body: &[u8], surface: &Surface) -> Result<Option<String>, Refusal> {
    let mut reader = Reader::new(body, surface)?;
    let delivery = reader.text(wire::DELIVERY_ID);
    let delivery = reader.unless_absent(wire::DELIVERY_ID, delivery);
    reader.finish()?;
    Ok(delivery)
}

fn missing(error: Error, id: String) -> Refusal {
    match error.code {
        ErrorCode::NotFound => Refusal::with(
            error,
            Details::Missing { resource: DELIVERIES.to_owned(), id_name: wire::DELIVERY_ID.to_owned(), id },
        ),
        _ => error.into(),
    }
}
