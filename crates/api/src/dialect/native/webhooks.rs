//! `/v1/workspaces/{workspace}/webhooks`: native webhooks, and a view on those of any dialect.

use axum::Extension;
use axum::extract::{Request, State};
use http::{StatusCode, Uri};
use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::id::WebhookId;
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_engine::once::Stale;
use signalpost_engine::operator::Operator;
use signalpost_engine::webhooks::IssuedWebhook;
use signalpost_engine::{ListWebhooks, View};

use super::convert::Shown;
use super::{NAME, Shared, webhook_fields};
use crate::kit::body::read_json;
use crate::kit::fields::Fields;
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
    let make = async {
        let mut fields = Fields::new(Object::parse(&body)?);
        let new = webhook_fields::new(&mut fields);
        fields.refuse_rest(UNKNOWN);
        fields.finish()?;
        let new = new.ok_or_else(|| Error::field("url", "is required"))?;
        let shown = Shown::by(&view, surface.engine.now());
        let show = |issued: &IssuedWebhook| {
            let webhook = shown.webhook(issued.webhook.clone(), issued.secret.as_ref());
            idempotency::kept(StatusCode::CREATED, "", &webhook)
        };
        let done = surface.engine.create_webhook(&view, new, call.keep(&show)).await?;
        idempotency::answer(done, show)
    };
    call.once(&surface.engine, Some(view.workspace.id), Stale::Nothing, make).await
}

pub(super) async fn list(State(surface): Shared, Ids([workspace]): Ids<1>, uri: Uri) -> Answer {
    let mut query = Query::parse(uri.query())?;
    let mut errors = FieldErrors::default();
    let Wanted { position, limit } = page::take::<1>(LIST, &mut query, &mut errors);
    query.refuse_rest(&mut errors);
    errors.into_result()?;
    let view = surface.engine.workspace(&workspace).await?;
    let workspace = view.workspace.id;
    let before = position.map(|[id]| WebhookId::from_raw(id));
    let wanted = ListWebhooks { workspace, subject: None, active: None, before, offset: 0, limit: limit + 1 };
    let mut rows = surface.engine.list_webhooks(wanted).await?.rows;
    let more = page::cut(&mut rows, limit);
    let next_cursor = rows.last().filter(|_| more).map(|last| cursor::encode(LIST, &[last.id.raw()]));
    let shown = Shown::in_any_dialect(&view, &surface.engine).await?;
    let data = rows.into_iter().map(|webhook| shown.webhook(webhook, None)).collect();
    reply::json(StatusCode::OK, &Page { data, next_cursor })
}

pub(super) async fn get(State(surface): Shared, Ids([workspace, webhook]): Ids<2>) -> Answer {
    let view = surface.engine.workspace(&workspace).await?;
    let webhook = surface.engine.webhook(view.workspace.id, &webhook).await?;
    let shown = Shown::in_any_dialect(&view, &surface.engine).await?;
    reply::json(StatusCode::OK, &shown.webhook(webhook, None))
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
    let change = webhook_fields::change(&mut fields);
    fields.refuse_rest(UNKNOWN);
    fields.finish()?;
    let webhook = surface.engine.update_webhook(&view, &webhook, change).await?;
    reply::json(StatusCode::OK, &Shown::by(&view, surface.engine.now()).webhook(webhook, None))
}

pub(super) async fn delete(
    State(surface): Shared,
    Extension(caller): Extension<Operator>,
    Ids([workspace, webhook]): Ids<2>,
) -> Answer {
    let view = surface.engine.gone_everywhere(surface.engine.workspace(&workspace).await).await?;
    check_native(&view)?;
    surface.engine.delete_webhook(&view, &webhook, &caller.principal()).await?;
    Ok(reply::no_content())
}

/// The webhooks of another dialect belong to its customers, who manage them by its rules.
pub(super) fn check_native(view: &View) -> Result<(), Error> {
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
