//! `GET /webhooks`: all of them, newest first.

use axum::Extension;
use axum::extract::State;
use http::StatusCode;
use signalpost_core::limits::PAGE_ROWS_MAX;
use signalpost_engine::ListWebhooks;
use signalpost_engine::credentials::Caller;

use super::wire::{self, Named};
use super::{Shared, convert};
use crate::kit::refusal::Answer;
use crate::kit::reply;

pub(super) async fn list(State(surface): Shared, Extension(caller): Extension<Caller>) -> Answer {
    let instance = &surface.instance;
    // No instance permits more than a page, so this is all of them.
    let wanted = ListWebhooks {
        workspace: caller.view.workspace.id,
        subject: None,
        active: None,
        before: None,
        offset: 0,
        limit: PAGE_ROWS_MAX,
    };
    let rows = surface.engine.list_webhooks(wanted).await?.rows.into_iter();
    let shown: Vec<wire::Webhook> = rows.map(|webhook| convert::webhook(webhook, instance)).collect();
    reply::json(StatusCode::OK, &Named(&instance.objects, shown))
}
