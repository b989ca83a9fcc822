//! The secrets of a native webhook: replaced with an overlap, revoked at once.

use std::time::Duration;

use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::limits::{MANAGEMENT_BODY_BYTES_MAX, SECRET_OVERLAP_DEFAULT};
use signalpost_engine::once::Stale;
use signalpost_engine::secrets::{RotatedSecret, Rotation};

use super::convert::Shown;
use super::webhooks::check_native;
use super::{Shared, webhook_fields, webhook_wire};
use crate::kit::body::read_json_if_any;
use crate::kit::fields::{Fields, Whole};
use crate::kit::idempotency::{self, Announced};
use crate::kit::json::Object;
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::reply;

/// `POST …/rotate-secret`: the new secret, this once.
pub(super) async fn rotate(
    State(surface): Shared,
    Ids([workspace, webhook]): Ids<2>,
    request: Request,
) -> Answer {
    let announced = Announced::of("rotateWebhookSecret", &request)?;
    let body = read_json_if_any(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let view = surface.engine.workspace(&workspace).await?;
    check_native(&view)?;
    let call = announced.with(&body);
    let stale = Stale::Webhook(view.workspace.id, &webhook);
    let make = async {
        let mut fields = Fields::new(Object::parse(&body)?);
        let overlap_s = fields.member::<Whole>("overlap_s", "a whole number of seconds").given();
        let secret = webhook_fields::secret(&mut fields);
        fields.refuse_rest("is not a property of a rotation");
        fields.finish()?;
        let rotation = Rotation {
            overlap: overlap_s.map_or(SECRET_OVERLAP_DEFAULT, |Whole(s)| Duration::from_secs(s)),
            secret,
        };
        let shown = Shown::by(&view, surface.engine.now());
        let show = |rotated: &RotatedSecret| {
            let rotated = webhook_wire::RotatedSecret {
                previous_expires_at: rotated.previous_expires_at.to_rfc3339_ms(),
                webhook: shown.webhook(rotated.webhook.clone(), Some(&rotated.secret)),
            };
            idempotency::kept(StatusCode::OK, "", &rotated)
        };
        let done = surface.engine.rotate_secret(&view, &webhook, rotation, call.keep(&show)).await?;
        idempotency::answer(done, show)
    };
    call.once(&surface.engine, Some(view.workspace.id), stale, make).await
}

/// `DELETE …/previous-secrets`
pub(super) async fn revoke_previous(State(surface): Shared, Ids([workspace, webhook]): Ids<2>) -> Answer {
    let view = surface.engine.gone_everywhere(surface.engine.workspace(&workspace).await).await?;
    check_native(&view)?;
    surface.engine.revoke_previous_secrets(view.workspace.id, &webhook).await?;
    Ok(reply::no_content())
}
