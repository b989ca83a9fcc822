//! `GET /webhooks`: numbered pages, newest first. Without `active` only those that are active.

use axum::Extension;
use axum::extract::State;
use http::{StatusCode, Uri};
use signalpost_core::error::{Error, FieldErrors};
use signalpost_engine::ListWebhooks;
use signalpost_engine::credentials::Caller;

use super::{Instance, Shared, convert, read, wire};
use crate::kit::query::Query;
use crate::kit::refusal::Answer;
use crate::kit::reply;

/// The documented type is a 32-bit integer.
pub(super) const PAGE_MAX: u32 = i32::MAX.unsigned_abs();

struct Wanted {
    agent_id: Option<String>,
    active: bool,
    page: u32,
    size: u32,
}

pub(super) async fn list(State(surface): Shared, Extension(caller): Extension<Caller>, uri: Uri) -> Answer {
    let Wanted { agent_id, active, page, size } = read(uri.query(), &surface.instance)?;
    let workspace = &caller.view.workspace;
    let offset = u64::from(page) * u64::from(size);
    let wanted = ListWebhooks {
        workspace: workspace.id,
        subject: agent_id,
        active: Some(active),
        before: None,
        offset: usize::try_from(offset).unwrap_or(usize::MAX),
        limit: usize::try_from(size).unwrap_or(usize::MAX),
    };
    let found = surface.engine.list_webhooks(wanted).await?;
    let rows = found.rows.into_iter();
    let data = rows
        .map(|webhook| convert::webhook(&workspace.public_id, webhook, None, &surface.instance))
        .collect();
    let shown = wire::WebhookPage {
        data,
        page,
        size,
        total_count: found.total,
        total_pages: found.total.div_ceil(u64::from(size)),
        has_next: offset + u64::from(size) < found.total,
        has_previous: page > 0 && found.total > 0,
    };
    reply::json(StatusCode::OK, &shown)
}

/// Parameters that are not documented are ignored, as the vendor's framework does.
fn read(query: Option<&str>, instance: &Instance) -> Result<Wanted, Error> {
    let mut query = Query::parse(query)?;
    let mut errors = FieldErrors::default();
    let agent_id = query.take(wire::AGENT_ID);
    let checked = agent_id.as_deref().map_or(Ok(()), |agent_id| read::check_agent_id(agent_id, instance));
    errors.take(wire::AGENT_ID, checked);
    let active = query.take(wire::ACTIVE).map_or(Ok(true), |text| match text.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    });
    let active = errors.take(wire::ACTIVE, active);
    let mut number = |name: &str, default: u32, min: u32, max: u32| {
        let number = query.take(name).map_or(Ok(default), |text| {
            let read = text.parse().ok().filter(|number| (min..=max).contains(number));
            read.ok_or_else(|| format!("must be a number from {min} to {max}"))
        });
        errors.take(name, number)
    };
    let page = number(wire::PAGE, 0, 0, PAGE_MAX);
    let size = number(wire::SIZE, instance.page_rows_default, 1, instance.page_rows_max);
    errors.into_result()?;
    Ok(Wanted {
        agent_id,
        active: active.unwrap_or(true),
        page: page.unwrap_or_default(),
        size: size.unwrap_or(instance.page_rows_default),
    })
}
