//! `/v1/workspaces/{workspace}/replays`: sending many deliveries once more, or to another webhook.

use axum::Extension;
use axum::extract::{Request, State};
use http::{StatusCode, Uri};
use signalpost_core::error::{Error, FieldErrors};
use signalpost_core::id::ReplayId;
use signalpost_core::limits::{MANAGEMENT_BODY_BYTES_MAX, REPLAY_PER_SECOND_DEFAULT, REPLAY_TYPES_MAX};
use signalpost_core::replay::{Command, Start, Which};
use signalpost_engine::once::Stale;
use signalpost_engine::operator::Operator;
use signalpost_engine::replay::{NewReplay, ShownReplay};

use super::{Shared, replay_wire};
use crate::kit::body::read_json;
use crate::kit::fields::{Fields, Whole, without_repetitions};
use crate::kit::idempotency::{self, Announced};
use crate::kit::json::Object;
use crate::kit::page::{self, Page, Wanted};
use crate::kit::paths::Ids;
use crate::kit::query::Query;
use crate::kit::refusal::Answer;
use crate::kit::{cursor, instant, reply};

const LIST: &str = "replays";

/// Of any dialect: deliveries are the operator's to look after.
pub(super) async fn create(
    State(surface): Shared,
    Extension(caller): Extension<Operator>,
    Ids([workspace, webhook]): Ids<2>,
    request: Request,
) -> Answer {
    let announced = Announced::of("createReplay", &request)?;
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let view = surface.engine.workspace(&workspace).await?;
    let call = announced.with(&body);
    let make = async {
        let new = new_replay(Fields::new(Object::parse(&body)?))?;
        let show = |shown: &ShownReplay| {
            let replay = replay_wire::replay(shown.clone(), Some(Vec::new()));
            idempotency::kept(StatusCode::ACCEPTED, "", &replay)
        };
        let by = caller.principal();
        let done = surface.engine.create_replay(&view, &webhook, new, by, call.keep(&show)).await?;
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
    let workspace = surface.engine.workspace_id(&workspace).await?;
    let before = position.map(|[id]| ReplayId::from_raw(id));
    let mut rows = surface.engine.list_replays(workspace, before, limit + 1).await?;
    let more = page::cut(&mut rows, limit);
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|last| cursor::encode(LIST, &[last.replay.id.raw()]));
    let data = rows.into_iter().map(|shown| replay_wire::replay(shown, None)).collect();
    reply::json(StatusCode::OK, &Page { data, next_cursor })
}

pub(super) async fn get(State(surface): Shared, Ids([workspace, replay]): Ids<2>) -> Answer {
    let workspace = surface.engine.workspace_id(&workspace).await?;
    let (shown, sample) = surface.engine.replay(workspace, &replay).await?;
    reply::json(StatusCode::OK, &replay_wire::replay(shown, Some(sample)))
}

pub(super) async fn start(surface: Shared, caller: Extension<Operator>, ids: Ids<2>) -> Answer {
    carry_out(surface, caller, ids, Command::Start).await
}

pub(super) async fn pause(surface: Shared, caller: Extension<Operator>, ids: Ids<2>) -> Answer {
    carry_out(surface, caller, ids, Command::Pause).await
}

pub(super) async fn resume(surface: Shared, caller: Extension<Operator>, ids: Ids<2>) -> Answer {
    carry_out(surface, caller, ids, Command::Resume).await
}

pub(super) async fn cancel(surface: Shared, caller: Extension<Operator>, ids: Ids<2>) -> Answer {
    carry_out(surface, caller, ids, Command::Cancel).await
}

async fn carry_out(
    State(surface): Shared,
    Extension(caller): Extension<Operator>,
    Ids([workspace, replay]): Ids<2>,
    command: Command,
) -> Answer {
    let workspace = surface.engine.workspace_id(&workspace).await?;
    let shown = surface.engine.command_replay(workspace, &replay, command, caller.principal()).await?;
    reply::json(StatusCode::OK, &replay_wire::replay(shown, None))
}

fn new_replay(mut fields: Fields<'_>) -> Result<NewReplay, Error> {
    let which = fields.required_text("which");
    let which = which.and_then(|name| fields.check("which", which_named(&name)));
    let since = fields.required_text("since");
    let since = since.and_then(|text| fields.check("since", instant::parse(&text)));
    let until = fields.optional_text("until");
    let until = until.and_then(|text| fields.check("until", instant::parse(&text)));
    let source = fields.optional_text("source");
    let types = fields.texts("types", REPLAY_TYPES_MAX).given().unwrap_or_default();
    let subject = fields.optional_text("subject");
    let rate = fields.member("rate_per_second", "a whole number").given();
    let start = fields.optional_text("start");
    let start = start.and_then(|name| fields.check("start", replay_wire::start_named(&name)));
    fields.refuse_rest("is not a property of a replay");
    fields.finish()?;
    let required = |name| Error::field(name, "is required");
    Ok(NewReplay {
        source,
        which: which.ok_or_else(|| required("which"))?,
        since: since.ok_or_else(|| required("since"))?,
        until,
        types: without_repetitions(types),
        subject,
        per_second: rate.map_or(REPLAY_PER_SECOND_DEFAULT.into(), |Whole(rate)| rate),
        start: start.unwrap_or(Start::WhenTold),
    })
}

fn which_named(name: &str) -> Result<Which, String> {
    Which::from_name(name).ok_or_else(|| {
        let [failed, never, all] = Which::ALL.map(Which::name);
        format!("must be {failed}, {never} or {all}")
    })
}
