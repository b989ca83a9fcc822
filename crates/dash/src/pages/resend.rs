//! Sending a delivery once more.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect};

use super::paths;
use crate::sign_in::Nothing;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

pub(crate) async fn resend(Path(delivery): Path<String>, Posted(visit, Nothing {}): Posted<Nothing>) -> Page {
    visit.must_act()?;
    send(&visit, &delivery).await
}

async fn send(visit: &Visit, delivery: &str) -> Page {
    let engine = visit.desk.of_delivery(&visit.visitor, delivery).await?;
    engine.confirm(&visit.visitor.pass()).await?;
    engine.redeliver(delivery, None).await?;
    Ok(Redirect::to(&paths::delivery(delivery)).into_response())
}
