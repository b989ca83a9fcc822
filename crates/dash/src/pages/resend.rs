//! Sending a delivery once more.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect};

use super::paths;
use crate::on_record::Deed;
use crate::sign_in::Nothing;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

pub(crate) async fn resend(Path(delivery): Path<String>, Posted(visit, Nothing {}): Posted<Nothing>) -> Page {
    visit.must_act()?;
    send(&visit, &delivery).await
}

async fn send(visit: &Visit, delivery: &str) -> Page {
    let engine = visit.desk.of_delivery(&visit.visitor, delivery).await?;
    visit.desk.first().confirm(&visit.visitor.pass()).await?;
    let workspace = engine.delivery(delivery).await?.view.workspace.public_id.clone();
    let deed = Deed { action: "delivery.resend", object: delivery, workspace: Some(&workspace) };
    visit.on_record(deed, engine.redeliver(delivery, None)).await?;
    Ok(Redirect::to(&paths::delivery(delivery)).into_response())
}
