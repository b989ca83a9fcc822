//! `/v1/keys`: keys of the operator side, each with its scopes and, if wanted, one workspace.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use http::{StatusCode, Uri};
use signalpost_core::error::{Error, FieldErrors};
use signalpost_core::id::OperatorKeyId;
use signalpost_core::limits::{KEY_OVERLAP_S_DEFAULT, KEY_RATE_PER_S_MAX, MANAGEMENT_BODY_BYTES_MAX};
use signalpost_core::scope::Scope;
use signalpost_engine::Engine;
use signalpost_engine::once::Stale;
use signalpost_engine::operator::Operator;
use signalpost_engine::operator_keys::{
    IssuedOperatorKey, NewOperatorKey, RotatedOperatorKey, ShownOperatorKey,
};

use super::{Shared, Surface, convert, wire};
use crate::kit::body::read_json;
use crate::kit::fields::{Fields, Member, Whole};
use crate::kit::idempotency::{self, Announced};
use crate::kit::json::Object;
use crate::kit::page::{self, Page, Wanted};
use crate::kit::paths::Ids;
use crate::kit::query::Query;
use crate::kit::refusal::Answer;
use crate::kit::{cursor, instant, reply};

const LIST: &str = "keys";

pub(super) async fn create(
    State(surface): Shared,
    Extension(caller): Extension<Operator>,
    request: Request,
) -> Answer {
    let announced = Announced::of("createKey", &request)?;
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let call = announced.with(&body);
    // A body that breaks a rule now did so the first time, and nothing was kept for it.
    let new = read_new(&body)?;
    let engine = engine_of(&surface, new.workspace.as_deref()).await?;
    let make = async {
        let show = |issued: &IssuedOperatorKey| {
            idempotency::kept(StatusCode::CREATED, "", &convert::issued_operator_key(issued))
        };
        let done = engine.create_operator_key(&caller, new, call.keep(&show)).await?;
        idempotency::answer(done, show)
    };
    call.once(engine, caller.binding(), Stale::Nothing, make).await
}

/// A key lies with the workspace that it is bound to.
async fn engine_of<'s>(surface: &'s Surface, workspace: Option<&str>) -> Result<&'s Arc<Engine>, Error> {
    let Some(workspace) = workspace else { return Ok(&surface.engine) };
    let place = surface.cells.of_workspace(workspace).await?;
    Ok(place.map_or(&surface.engine, |place| &surface.cells.all()[place].engine))
}

pub(super) async fn list(State(surface): Shared, Extension(caller): Extension<Operator>, uri: Uri) -> Answer {
    let mut query = Query::parse(uri.query())?;
    let mut errors = FieldErrors::default();
    let workspace = query.take("workspace");
    let Wanted { position, limit } = page::take::<1>(LIST, &mut query, &mut errors);
    query.refuse_rest(&mut errors);
    errors.into_result()?;
    let after = position.map(|[id]| OperatorKeyId::from_raw(id));
    let mut rows: Vec<ShownOperatorKey> = match (&workspace, caller.binding()) {
        (None, None) => surface.cells.list_operator_keys(&caller, after, limit + 1).await?,
        (workspace, _) => {
            let engine = engine_of(&surface, workspace.as_deref()).await?;
            engine.list_operator_keys(&caller, workspace.as_deref(), after, limit + 1).await?
        }
    };
    let more = page::cut(&mut rows, limit);
    let next_cursor = rows.last().filter(|_| more).map(|last| cursor::encode(LIST, &[last.key.id.raw()]));
    let data = rows.into_iter().map(|shown| convert::operator_key(&shown, None)).collect();
    reply::json(StatusCode::OK, &Page::<wire::OperatorKey> { data, next_cursor })
}

pub(super) async fn get(
    State(surface): Shared,
    Extension(caller): Extension<Operator>,
    Ids([key]): Ids<1>,
) -> Answer {
    let shown = surface.engine.operator_key(&caller, &key).await?;
    reply::json(StatusCode::OK, &convert::operator_key(&shown, None))
}

pub(super) async fn revoke(
    State(surface): Shared,
    Extension(caller): Extension<Operator>,
    Ids([key]): Ids<1>,
) -> Answer {
    surface.engine.revoke_operator_key(&caller, &key).await?;
    Ok(reply::no_content())
}

pub(super) async fn rotate(
    State(surface): Shared,
    Extension(caller): Extension<Operator>,
    Ids([key]): Ids<1>,
    request: Request,
) -> Answer {
    let announced = Announced::of("rotateKey", &request)?;
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let call = announced.with(&body);
    let make = async {
        let mut fields = Fields::new(Object::parse(&body)?);
        let overlap_s = fields.member::<Whole>("overlap_s", "a whole number of seconds").given();
        fields.refuse_rest("is not a property of a rotation");
        fields.finish()?;
        let overlap_s = overlap_s.map_or(KEY_OVERLAP_S_DEFAULT, |Whole(seconds)| seconds);
        let show = |rotated: &RotatedOperatorKey| {
            idempotency::kept(StatusCode::CREATED, "", &convert::rotated_operator_key(rotated))
        };
        let done = surface.engine.rotate_operator_key(&caller, &key, overlap_s, call.keep(&show)).await?;
        idempotency::answer(done, show)
    };
    call.once(&surface.engine, caller.binding(), Stale::OperatorKey(&key), make).await
}

fn read_new(body: &[u8]) -> Result<NewOperatorKey, Error> {
    let mut fields = Fields::new(Object::parse(body)?);
    let name = fields.optional_text("name");
    let scopes = scopes(&mut fields);
    let workspace = fields.optional_text("workspace");
    let expires_at = fields.optional_text("expires_at");
    let expires_at = expires_at.and_then(|text| fields.check("expires_at", instant::parse(&text)));
    let rate_limit_per_s = fields.member::<Whole>("rate_limit_per_s", "a whole number of calls").given();
    let rate_limit_per_s = rate_limit_per_s.and_then(|Whole(per_s)| {
        let fits = u32::try_from(per_s).ok().filter(|per_s| (1..=KEY_RATE_PER_S_MAX).contains(per_s));
        fields.check("rate_limit_per_s", fits.ok_or(format!("must be from 1 to {KEY_RATE_PER_S_MAX}")))
    });
    fields.refuse_rest("is not a property of a key");
    fields.finish()?;
    Ok(NewOperatorKey { name, scopes, workspace, rate_limit_per_s, expires_at })
}

/// A set that must be there; what is wrong with an element is noted at its place.
fn scopes(fields: &mut Fields<'_>) -> Vec<Scope> {
    let names = match fields.texts("scopes", Scope::ALL.len()) {
        Member::Value(names) => names,
        member => {
            fields.required("scopes", member, "must be an array of scopes, not null");
            return Vec::new();
        }
    };
    if names.is_empty() {
        fields.note("scopes", "must name at least one scope");
    }
    let mut scopes = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let known = Scope::from_name(name).ok_or_else(|| {
            let known = Scope::ALL.map(Scope::name).join(", ");
            format!("must be one of {known}")
        });
        let once =
            known.and_then(
                |scope| {
                    if scopes.contains(&scope) { Err("stands twice".to_owned()) } else { Ok(scope) }
                },
            );
        scopes.extend(fields.check(&format!("scopes/{position}"), once));
    }
    scopes
}
