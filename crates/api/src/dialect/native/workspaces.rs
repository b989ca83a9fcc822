//! `/v1/workspaces`: tenants and how they are served.

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::future::try_join_all;
use http::{StatusCode, Uri};
use signalpost_core::cell::CellNumber;
use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::health::HoldAfter;
use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_core::policy::{PolicyChange, PolicyOverrides};
use signalpost_core::retention::{check_age_s, check_bytes};
use signalpost_core::workspace::Workspace;
use signalpost_engine::cells::Cell;
use signalpost_engine::once::Stale;
use signalpost_engine::operator::Operator;
use signalpost_engine::workspaces::{NewWorkspace, WorkspaceChange};

use super::{BASE_PATH, Shared, Surface, convert, patience, release, wire};
use crate::kit::body::read_json;
use crate::kit::fields::{Fields, Member, Whole};
use crate::kit::idempotency::{self, Announced};
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
    let announced = Announced::of("createWorkspace", &request)?;
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let call = announced.with(&body);
    let make = async {
        let mut fields = Fields::new(Object::parse(&body)?);
        let dialect = fields.required_text("dialect");
        let name = fields.required_text("name");
        let id = fields.optional_text("id");
        let features = fields.texts("features", FEATURES_MAX).given();
        let mut own = PolicyOverrides::default();
        policy(&mut fields).apply_to(&mut own);
        fields.refuse_rest(UNKNOWN);
        fields.finish()?;
        if let Some(id) = &id {
            refuse_taken_elsewhere(&surface, id).await?;
        }
        let new = NewWorkspace {
            dialect: dialect.unwrap_or_default(),
            name: name.unwrap_or_default(),
            id,
            features,
            policy: own,
        };
        let show = |workspace: &Workspace| {
            let location = format!("{BASE_PATH}/workspaces/{}", workspace.public_id);
            let shown = shown(surface.cell(), workspace.clone());
            idempotency::kept(StatusCode::CREATED, &location, &shown)
        };
        let done = surface.engine.create_workspace(new, call.keep(&show)).await?;
        idempotency::answer(done, show)
    };
    call.once(&surface.engine, None, Stale::Nothing, make).await
}

/// The store of this cell refuses what it has itself.
async fn refuse_taken_elsewhere(surface: &Surface, id: &str) -> Result<(), Error> {
    if !surface.cells.is_divided() {
        return Ok(());
    }
    match surface.cells.of_workspace(id).await? {
        Some(place) if place != surface.place => {
            Err(Error::new(ErrorCode::Conflict, "the workspace id is already taken"))
        }
        Some(_) | None => Ok(()),
    }
}

/// A key that is bound to a workspace sees that one. Those of all cells stand together: their ids tell when they were made.
pub(super) async fn list(State(surface): Shared, Extension(caller): Extension<Operator>, uri: Uri) -> Answer {
    let mut query = Query::parse(uri.query())?;
    let mut errors = FieldErrors::default();
    let Wanted { position, limit } = page::take::<1>(LIST, &mut query, &mut errors);
    query.refuse_rest(&mut errors);
    errors.into_result()?;
    let after = position.map(|[id]| WorkspaceId::from_raw(id));
    let each = surface.cells.all().iter().map(async |cell| {
        let rows = cell.engine.list_workspaces(caller.binding(), after, limit + 1).await?;
        Ok::<_, Error>(rows.into_iter().map(|workspace| (cell, workspace)).collect::<Vec<_>>())
    });
    let mut rows = try_join_all(each).await?.concat();
    rows.sort_by_key(|(_, workspace)| workspace.id);
    let more = page::cut(&mut rows, limit);
    let last = rows.last().filter(|_| more).map(|(_, last)| cursor::encode(LIST, &[last.id.raw()]));
    let data = rows.into_iter().map(|(cell, workspace)| shown(cell, workspace)).collect();
    reply::json(StatusCode::OK, &Page::<wire::Workspace> { data, next_cursor: last })
}

pub(super) async fn get(State(surface): Shared, Ids([workspace]): Ids<1>) -> Answer {
    let workspace = surface.engine.stored_workspace(&workspace).await?;
    let usage = surface.engine.usage(workspace.id).await?;
    let usage = wire::Usage { events: usage.events, bytes: usage.bytes };
    let shown = shown(surface.cell(), workspace);
    reply::json(StatusCode::OK, &wire::Workspace { usage: Some(usage), ..shown })
}

pub(super) async fn update(State(surface): Shared, Ids([workspace]): Ids<1>, request: Request) -> Answer {
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let mut fields = Fields::new(Object::parse(&body)?);
    let name = fields.text("name");
    let name = fields.unless_absent("name", name);
    let features = fields.texts("features", FEATURES_MAX);
    let features = fields.unless_absent("features", features);
    let policy = policy(&mut fields);
    fields.refuse_rest(UNKNOWN);
    fields.finish()?;
    let change = WorkspaceChange { name, features, policy };
    let workspace = surface.engine.update_workspace(&workspace, change).await?;
    reply::json(StatusCode::OK, &shown(surface.cell(), workspace))
}

pub(super) async fn delete(
    State(surface): Shared,
    Ids([workspace]): Ids<1>,
) -> Result<Response, crate::kit::refusal::Refusal> {
    surface.engine.erase_workspace(&workspace).await?;
    Ok(reply::no_content())
}

fn shown(cell: &Cell, workspace: Workspace) -> wire::Workspace {
    let engine = &cell.engine;
    // A workspace whose dialect is not served any more is still listed.
    let profile = engine.profile(&workspace.dialect).ok();
    let retention = engine.retention().of(&workspace);
    let base = profile.as_ref().map(|profile| &profile.delivery.policy);
    let cell = cell.number.map(CellNumber::number);
    wire::Workspace { cell, ..convert::workspace(workspace, base, retention) }
}

/// What `policy` changes (RFC 7396): a null member falls back to the dialect's or the server's rule, a null policy gives
/// up all of its own.
fn policy(fields: &mut Fields<'_>) -> PolicyChange {
    let raw = match fields.raw("policy") {
        Member::Absent | Member::Broken => return PolicyChange::default(),
        Member::Null => return PolicyChange::reset(),
        Member::Value(raw) => raw,
    };
    let object = Object::of_element(raw).map_err(|_| "must be an object".to_owned());
    let Some(object) = fields.check("policy", object) else { return PolicyChange::default() };
    let mut inner = Fields::inside(object, "policy/".to_owned());
    let seconds = "a whole number of seconds";
    let change = PolicyChange {
        retry: patience::retry(&mut inner),
        timeout: patience::timeout(&mut inner),
        hold_after: inner.merged("pause_after_failing_s", seconds, |Whole(s)| HoldAfter::from_seconds(s)),
        release: inner.merged("release_order", "a string", |name: String| release::order(&name)),
        event_age_max: inner.merged("event_retention_s", seconds, |Whole(s)| check_age_s(s)),
        payload_age_max: inner.merged("payload_retention_s", seconds, |Whole(s)| check_age_s(s)),
        bytes_max: inner
            .merged("retention_bytes", "a whole number of bytes", |Whole(bytes)| check_bytes(bytes)),
    };
    inner.refuse_rest("is not a property of a policy");
    fields.adopt(inner);
    change
}
