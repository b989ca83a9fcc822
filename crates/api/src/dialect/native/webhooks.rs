//! `/v1/workspaces/{workspace}/webhooks`: native webhooks, and a view on those of any dialect.

use axum::extract::{Request, State};
use http::{StatusCode, Uri};
use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::event::check_event_type;
use signalpost_core::id::WebhookId;
use signalpost_core::limits::{MANAGEMENT_BODY_BYTES_MAX, WEBHOOK_EVENTS_MAX};
use signalpost_core::webhook::EventSelection;
use signalpost_engine::webhooks::{Activity, IssuedWebhook, NewWebhook, WebhookChange};
use signalpost_engine::{ListWebhooks, View};

use super::{NAME, Shared, convert};
use crate::kit::body::read_json;
use crate::kit::fields::{Fields, Member, without_repetitions};
use crate::kit::idempotency::{self, Announced};
use crate::kit::json::Object;
use crate::kit::page::{self, Page, Wanted};
use crate::kit::paths::Ids;
use crate::kit::query::Query;
use crate::kit::refusal::Answer;
use crate::kit::{cursor, reply};

const LIST: &str = "webhooks";
const UNKNOWN: &str = "is not a property of a webhook that can be set";

pub(super) async fn create(State(surface): Shared, Ids([workspace]): Ids<1>, request: Request) -> Answer {
    let announced = Announced::of("createWebhook", &request)?;
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let view = surface.engine.workspace(&workspace).await?;
    check_native(&view)?;
    let call = announced.with(&body);
    if let Some(first) = call.first_answer(&surface.engine, Some(view.workspace.id)).await? {
        return Ok(first);
    }
    let mut fields = Fields::new(Object::parse(&body)?);
    let url = fields.required_text("url");
    let url = fields.target_url("url", url);
    let events = events(&mut fields);
    let events = events.given().unwrap_or(EventSelection::All);
    let subject = fields.optional_text("subject");
    let name = fields.optional_text("name");
    fields.refuse_rest(UNKNOWN);
    fields.finish()?;
    let url = url.ok_or_else(|| Error::field("url", "is required"))?;
    let new = NewWebhook { name, url, events, subject };
    let show = |issued: &IssuedWebhook| {
        let shown = convert::webhook(issued.webhook.clone(), Some(&issued.secret));
        idempotency::kept(StatusCode::CREATED, "", &shown)
    };
    let done = surface.engine.create_webhook(&view, new, call.keep(&show)).await?;
    idempotency::answer(done, show)
}

pub(super) async fn list(State(surface): Shared, Ids([workspace]): Ids<1>, uri: Uri) -> Answer {
    let mut query = Query::parse(uri.query())?;
    let mut errors = FieldErrors::default();
    let Wanted { position, limit } = page::take::<1>(LIST, &mut query, &mut errors);
    query.refuse_rest(&mut errors);
    errors.into_result()?;
    let workspace = surface.engine.workspace(&workspace).await?.workspace.id;
    let before = position.map(|[id]| WebhookId::from_raw(id));
    let wanted = ListWebhooks { workspace, subject: None, active: None, before, offset: 0, limit: limit + 1 };
    let mut rows = surface.engine.list_webhooks(wanted).await?.rows;
    let more = page::cut(&mut rows, limit);
    let next_cursor = rows.last().filter(|_| more).map(|last| cursor::encode(LIST, &[last.id.raw()]));
    let data = rows.into_iter().map(|webhook| convert::webhook(webhook, None)).collect();
    reply::json(StatusCode::OK, &Page { data, next_cursor })
}

pub(super) async fn get(State(surface): Shared, Ids([workspace, webhook]): Ids<2>) -> Answer {
    let workspace = surface.engine.workspace(&workspace).await?.workspace.id;
    let webhook = surface.engine.webhook(workspace, &webhook).await?;
    reply::json(StatusCode::OK, &convert::webhook(webhook, None))
}

pub(super) async fn update(
    State(surface): Shared,
    Ids([workspace, webhook]): Ids<2>,
    request: Request,
) -> Answer {
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let view = surface.engine.workspace(&workspace).await?;
    check_native(&view)?;
    let mut fields = Fields::new(Object::parse(&body)?);
    let change = change(&mut fields);
    fields.refuse_rest(UNKNOWN);
    fields.finish()?;
    let webhook = surface.engine.update_webhook(&view, &webhook, change).await?;
    reply::json(StatusCode::OK, &convert::webhook(webhook, None))
}

pub(super) async fn delete(State(surface): Shared, Ids([workspace, webhook]): Ids<2>) -> Answer {
    let view = surface.engine.workspace(&workspace).await?;
    check_native(&view)?;
    surface.engine.delete_webhook(view.workspace.id, &webhook).await?;
    Ok(reply::no_content())
}

/// The webhooks of another dialect belong to its customers, who manage them by its rules.
fn check_native(view: &View) -> Result<(), Error> {
    let dialect = &view.workspace.dialect;
    if dialect == NAME {
        return Ok(());
    }
    let message = format!(
        "webhooks of this workspace are managed through its dialect `{dialect}` on the public port, with one of the \
         workspace's credentials"
    );
    Err(Error::new(ErrorCode::Conflict, message))
}

fn change(fields: &mut Fields<'_>) -> WebhookChange {
    let url = fields.text("url");
    let url = fields.unless_absent("url", url);
    let events = events(fields);
    let name = fields.text("name");
    let active = fields.member::<bool>("active", "true or false");
    WebhookChange {
        name: fields.unless_absent("name", name),
        url: fields.target_url("url", url),
        events: fields.unless_absent("events", events),
        subject: match fields.text("subject") {
            Member::Value(subject) => Some(Some(subject)),
            Member::Null => Some(None),
            Member::Absent | Member::Broken => None,
        },
        active: fields
            .unless_absent("active", active)
            .map(|active| if active { Activity::Active } else { Activity::Paused }),
    }
}

/// `["*"]` is every type; otherwise a set of types, of which the first of equals is kept.
fn events(fields: &mut Fields<'_>) -> Member<EventSelection> {
    let types = match fields.texts("events", WEBHOOK_EVENTS_MAX) {
        Member::Value(types) => without_repetitions(types),
        Member::Absent => return Member::Absent,
        Member::Null => return Member::Null,
        Member::Broken => return Member::Broken,
    };
    if types == [convert::ALL_EVENTS] {
        return Member::Value(EventSelection::All);
    }
    if types.is_empty() {
        fields.note("events", "must name at least one event type; leave it out for all of them");
        return Member::Broken;
    }
    for (position, event_type) in types.iter().enumerate() {
        fields.check(&format!("events/{position}"), check_event_type(event_type));
    }
    Member::Value(EventSelection::Only(types))
}
