//! The operator's own API: our words, without an older contract to keep. Also health and metrics.

mod audit;
mod auth;
mod batch;
mod choose;
mod cluster;
mod convert;
mod credential_wire;
mod credentials;
mod deliveries;
mod desk_wire;
mod events;
mod explain;
mod health;
mod keys;
mod metrics;
mod operations;
mod operator_sessions;
mod operators;
mod patience;
mod portal;
mod profile;
mod publish;
mod record;
mod release;
mod replay_wire;
mod replays;
mod secrets;
mod storage;
mod test_event;
mod users;
mod webhook_fields;
mod webhook_wire;
mod webhooks;
mod wire;
mod workspaces;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use http::HeaderMap;
use signalpost_core::error::Error;
use signalpost_core::ports::Spawn;
use signalpost_core::request_id::RequestId;
use signalpost_core::time::Timestamp;
use signalpost_engine::Engine;
use signalpost_engine::cells::{Cell, Cells};
use signalpost_engine::operator::Operator;
use signalpost_engine::pass::Pass;

use crate::dialect::Dialect;
use crate::kit::caller_address::neighbourhood;
use crate::kit::context::Context;
use crate::kit::description::Description;
use crate::kit::on_record::OnRecord;
use crate::kit::operation::{Access, Begun};
use crate::kit::refusal::{Refusal, misdirected, path_unknown};
use crate::kit::request_id::RequestIds;
use crate::kit::{limiter, operation, problem};
use auth::{Gate, Judged, Pace};
use operations::Served;
use record::Actions;

pub use auth::OperatorAccess;
pub(crate) use health::{PATHS as HEALTH_PATHS, operations as health_operations, router as health_router};
pub(crate) use operations::TAGS;
pub use profile::NAME;

/// Where the API stands on the operator port.
pub(crate) const BASE_PATH: &str = "/v1";

/// The profile of native workspaces. There is no public side: their webhooks are managed by the operator.
pub fn dialect() -> Dialect {
    Dialect {
        name: NAME.to_owned(),
        base_paths: Vec::new(),
        hosts: Vec::new(),
        profile: profile::profile(),
        public: None,
    }
}

/// What every handler of this surface needs.
pub(super) struct Surface {
    engine: Arc<Engine>,
    cells: Cells,
    /// Of that engine among them.
    place: usize,
    tasks: Arc<dyn Spawn>,
    actions: Arc<Actions>,
    /// Where customers find the portal; `None` where it is not served.
    portal: Option<Arc<str>>,
}

/// What stands before the surfaces of all cells.
struct Guard {
    cells: Cells,
    gate: Gate,
    request_ids: RequestIds,
}

impl Surface {
    /// Whose engine it is.
    fn cell(&self) -> &Cell {
        &self.cells.all()[self.place]
    }

    /// Where accounts lie, and the record of what was done, whatever cell a call is about.
    fn desk(&self) -> &Engine {
        &self.cells.first().engine
    }
}

impl operation::Surface for Surface {
    fn permit(&self, request: &Request, access: Access) -> Result<Option<Pass>, Refusal> {
        auth::permit(request, access)
    }

    fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    fn judge(&self, request: &Request) -> Arc<Engine> {
        let judged = request.extensions().get::<Judged>();
        Arc::clone(judged.map_or(&self.engine, |judged| &self.cells.all()[judged.cell].engine))
    }

    fn tasks(&self) -> &dyn Spawn {
        self.tasks.as_ref()
    }

    /// The record is the installation's, whatever cell a call is about.
    fn begin(&self, request: &Request) -> Option<Begun> {
        let act = self.actions.act(request.extensions().get::<Operator>()?, request)?;
        let engine = Arc::clone(&self.cells.first().engine);
        Some(Box::pin(async move { Ok(OnRecord { act: engine.begin_act(act).await?, engine }) }))
    }
}

type Shared = State<Arc<Surface>>;

pub(crate) fn router(
    cells: &Cells,
    tasks: &Arc<dyn Spawn>,
    access: &OperatorAccess,
    dialects: &[Dialect],
    portal: Option<Arc<str>>,
) -> Router {
    let served = Served::by(dialects);
    let calls = || operations::operations(&served);
    let actions = Actions::of(&operation::descriptions(calls()));
    let routes = || operation::router(calls()).fallback(path_unknown);
    guarded(routes, (actions, portal), cells, tasks, access)
}

/// What is left of it where nothing is served: who delivers.
pub(crate) fn worker_router(cells: &Cells, tasks: &Arc<dyn Spawn>, access: &OperatorAccess) -> Router {
    let routes = || operation::router(operations::about_the_cluster()).fallback(misdirected);
    guarded(routes, (Actions::of(&[]), None), cells, tasks, access)
}

fn guarded(
    routes: impl Fn() -> Router<Arc<Surface>>,
    (actions, portal): (Actions, Option<Arc<str>>),
    cells: &Cells,
    tasks: &Arc<dyn Spawn>,
    access: &OperatorAccess,
) -> Router {
    let actions = Arc::new(actions);
    let of_one = |(place, Cell { engine, .. }): (usize, &Cell)| {
        let (engine, cells, tasks) = (Arc::clone(engine), cells.clone(), Arc::clone(tasks));
        let (actions, portal) = (Arc::clone(&actions), portal.clone());
        let surface = Arc::new(Surface { engine, cells, place, tasks, actions, portal });
        routes().layer(from_fn_with_state(Arc::clone(&surface), bind)).with_state(surface)
    };
    let each = cells.all().iter().enumerate().map(of_one).collect();
    let (gate, request_ids) = (Gate::new(access), RequestIds::default());
    let guard = Arc::new(Guard { cells: cells.clone(), gate, request_ids });
    choose::front(cells, each).layer(from_fn_with_state(guard, let_in))
}

/// Every call of the API with its whole path, for the document.
pub(crate) fn descriptions(dialects: &[Dialect]) -> Vec<Description> {
    let descriptions = operation::descriptions(operations::operations(&Served::by(dialects)));
    descriptions.into_iter().map(|description| description.below(BASE_PATH)).collect()
}

/// Around everything, unknown paths included: who calls and how fast, and the surface's form of a refusal.
async fn let_in(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let now = guard.cells.first().engine.now();
    let context = Context::of(&request, &guard.request_ids, now);
    request.extensions_mut().insert(RequestId(context.request_id.clone()));
    let (judged, pace) = match admitted(&guard, request.headers(), neighbourhood(&request), now).await {
        Ok(admitted) => admitted,
        Err((error, pace)) => return paced(context.refuse(error, problem::render), pace),
    };
    request.extensions_mut().insert(judged.operator.clone());
    request.extensions_mut().insert(judged);
    let response = next.run(request).await;
    paced(context.finish(response, problem::render), pace)
}

async fn admitted(
    guard: &Guard,
    headers: &HeaderMap,
    from: Option<IpAddr>,
    now: Timestamp,
) -> Result<(Judged, Pace), (Error, Pace)> {
    let Guard { cells, gate, .. } = guard;
    let judged = gate.authenticate(cells, headers, from).await.map_err(|error| (error, None))?;
    let pace = gate.check_pace(now, &judged.operator)?;
    Ok((judged, pace))
}

/// What the caller may know of, where it is known which cell and which call it is.
async fn bind(
    State(surface): Shared,
    Extension(operator): Extension<Operator>,
    request: Request,
    next: Next,
) -> Response {
    match auth::check_binding(&surface.engine, &operator, request).await {
        Ok(request) => next.run(request).await,
        Err(error) => Refusal::from(error).into_response(),
    }
}

fn paced(mut response: Response, pace: Pace) -> Response {
    if let Some((limit, allowance)) = pace {
        limiter::tell(response.headers_mut(), limit, allowance);
    }
    response
}
