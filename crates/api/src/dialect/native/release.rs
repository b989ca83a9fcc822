//! `POST …/webhooks/{webhook}/release`: the end of a pause by the engine.

use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::health::ReleaseOrder;
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;

use super::Shared;
use super::convert::Shown;
use crate::kit::body::read_json_if_any;
use crate::kit::fields::Fields;
use crate::kit::json::Object;
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::reply;

/// Of any dialect: only the operator has its webhooks paused.
pub(super) async fn release(
    State(surface): Shared,
    Ids([workspace, webhook]): Ids<2>,
    request: Request,
) -> Answer {
    let body = read_json_if_any(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let view = surface.engine.workspace(&workspace).await?;
    let mut fields = Fields::new(Object::parse(&body)?);
    let wanted = fields.merged("order", "a string", |name: String| order(&name)).flatten();
    fields.refuse_rest("is not a property of a release");
    fields.finish()?;
    let webhook = surface.engine.release_webhook(&view, &webhook, wanted).await?;
    let shown = Shown::in_any_dialect(&view, &surface.engine).await?;
    reply::json(StatusCode::OK, &shown.webhook(webhook, None))
}

/// An order by its name.
pub(super) fn order(name: &str) -> Result<ReleaseOrder, String> {
    ReleaseOrder::from_name(name).ok_or_else(|| {
        let [oldest, newest, skip] = ReleaseOrder::ALL.map(ReleaseOrder::name);
        format!("must be {oldest}, {newest} or {skip}")
    })
}
