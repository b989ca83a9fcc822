//! `/v1/workspaces`: tenants and how they are served.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode, Uri};
use signalpost_core::error::FieldErrors;
use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_core::policy::{PolicyOverrides, RetrySchedule, check_timeout_ms};
use signalpost_core::workspace::Workspace;
use signalpost_engine::Engine;
use signalpost_engine::workspaces::{NewWorkspace, WorkspaceChange};

use super::{BASE_PATH, Shared, convert, wire};
use crate::kit::body::read_json;
use crate::kit::fields::{Fields, Member};
use crate::kit::json::Object;
use crate::kit::page::{self, Page, Wanted};
use crate::kit::paths::Ids;
use crate::kit::query::Query;
use crate::kit::refusal::Answer;
use crate::kit::{cursor, reply};

const LIST: &str = "workspaces";
const UNKNOWN: &str = "is not a property of a workspace that can be set";
/// More than any dialect has; what is unknown among them is refused by name.
pub(super) const FEATURES_MAX: usize = 64;

pub(super) async fn create(State(surface): Shared, request: Request) -> Answer {
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let mut fields = Fields::new(Object::parse(&body)?);
    let dialect = fields.required_text("dialect");
    let name = fields.required_text("name");
    let id = fields.optional_text("id");
    let features = fields.texts("features", FEATURES_MAX).given();
    let policy = policy(&mut fields, &PolicyOverrides::default());
    fields.refuse_rest(UNKNOWN);
    fields.finish()?;
    let new = NewWorkspace {
        dialect: dialect.unwrap_or_default(),
        name: name.unwrap_or_default(),
        id,
        features,
        policy: policy.unwrap_or_default(),
    };
    let workspace = surface.engine.create_workspace(new).await?;
    let location = format!("{BASE_PATH}/workspaces/{}", workspace.public_id);
    let mut response = reply::json(StatusCode::CREATED, &shown(&surface.engine, workspace))?;
    response.headers_mut().extend(HeaderValue::from_str(&location).ok().map(|location| (LOCATION, location)));
    Ok(response)
}

pub(super) async fn list(State(surface): Shared, uri: Uri) -> Answer {
    let mut query = Query::parse(uri.query())?;
    let mut errors = FieldErrors::default();
    let Wanted { position, limit } = page::take::<1>(LIST, &mut query, &mut errors);
    query.refuse_rest(&mut errors);
    errors.into_result()?;
    let after = position.map(|[id]| WorkspaceId::from_raw(id));
    let mut rows = surface.engine.list_workspaces(after, limit + 1).await?;
    let more = page::cut(&mut rows, limit);
    let last = rows.last().filter(|_| more).map(|last| cursor::encode(LIST, &[last.id.raw()]));
    let data = rows.into_iter().map(|workspace| shown(&surface.engine, workspace)).collect();
    reply::json(StatusCode::OK, &Page::<wire::Workspace> { data, next_cursor: last })
}

pub(super) async fn get(State(surface): Shared, Ids([workspace]): Ids<1>) -> Answer {
    let view = surface.engine.workspace(&workspace).await?;
    reply::json(StatusCode::OK, &shown(&surface.engine, view.workspace.clone()))
}

pub(super) async fn update(State(surface): Shared, Ids([workspace]): Ids<1>, request: Request) -> Answer {
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let view = surface.engine.workspace(&workspace).await?;
    let mut fields = Fields::new(Object::parse(&body)?);
    let name = fields.text("name");
    let name = fields.unless_absent("name", name);
    let features = fields.texts("features", FEATURES_MAX);
    let features = fields.unless_absent("features", features);
    let policy = policy(&mut fields, &view.workspace.policy);
    fields.refuse_rest(UNKNOWN);
    fields.finish()?;
    let change = WorkspaceChange { name, features, policy };
    let workspace = surface.engine.update_workspace(&workspace, change).await?;
    reply::json(StatusCode::OK, &shown(&surface.engine, workspace))
}

pub(super) async fn delete(
    State(surface): Shared,
    Ids([workspace]): Ids<1>,
) -> Result<Response, crate::kit::refusal::Refusal> {
    surface.engine.erase_workspace(&workspace).await?;
    Ok(reply::no_content())
}

fn shown(engine: &Engine, workspace: Workspace) -> wire::Workspace {
    // A workspace whose dialect is not served any more is still listed.
    let profile = engine.profile(&workspace.dialect).ok();
    convert::workspace(workspace, profile.as_ref().map(|profile| &profile.delivery.policy))
}

/// The overrides after merging `policy` into `before` (RFC 7396): what is null falls back to the dialect.
fn policy(fields: &mut Fields<'_>, before: &PolicyOverrides) -> Option<PolicyOverrides> {
    let raw = match fields.raw("policy") {
        Member::Absent | Member::Broken => return None,
        Member::Null => return Some(PolicyOverrides::default()),
        Member::Value(raw) => raw,
    };
    let object = Object::of_element(raw)
        .map_err(|_| "must be an object with retry_schedule_s and timeout_ms".to_owned());
    let object = fields.check("policy", object)?;
    let mut inner = Fields::inside(object, "policy/".to_owned());
    let retry = match inner.member::<Vec<u64>>("retry_schedule_s", "an array of whole seconds") {
        Member::Absent | Member::Broken => before.retry.clone(),
        Member::Null => None,
        Member::Value(seconds) => inner.check("retry_schedule_s", RetrySchedule::from_seconds(&seconds)),
    };
    let timeout: Option<Duration> = match inner.member::<u64>("timeout_ms", "a whole number of milliseconds")
    {
        Member::Absent | Member::Broken => before.timeout,
        Member::Null => None,
        Member::Value(timeout_ms) => inner.check("timeout_ms", check_timeout_ms(timeout_ms)),
    };
    inner.refuse_rest("is not a property of a policy");
    fields.adopt(inner);
    Some(PolicyOverrides { retry, timeout })
}
