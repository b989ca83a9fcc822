//! Sending a delivery once more, or now when it waits for its next attempt.

use axum::response::{IntoResponse, Redirect};
use signalpost_engine::lookup::FoundDelivery;

use super::webhook::rules::check_feature;
use crate::on_record::Deed;
use crate::request::Path;
use crate::sign_in::Nothing;
use crate::trouble::Page;
use crate::visit::Posted;

pub(crate) async fn resend(Path(delivery): Path<String>, Posted(visit, Nothing {}): Posted<Nothing>) -> Page {
    visit.must_act()?;
    let engine = visit.desk.of_delivery(&visit.who, &delivery).await?;
    let FoundDelivery { view, record } = engine.delivery(&delivery).await?;
    check_feature(&view)?;
    let workspace = Some(view.workspace.public_id.as_str());
    let deed = Deed { action: "delivery.resend", object: &delivery, workspace };
    visit.on_record(deed, engine.redeliver_one(&view, &record.summary.webhook, &delivery)).await?;
    Ok(Redirect::to(&visit.paths.delivery(&delivery)).into_response())
}
