//! The operator's own API: our words, without an older contract to keep. Also health and metrics.

mod auth;
mod batch;
mod cluster;
mod convert;
mod credential_wire;
mod credentials;
mod deliveries;
mod events;
mod explain;
mod health;
mod keys;
mod metrics;
mod operations;
mod patience;
mod profile;
mod publish;
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

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use signalpost_core::error::Error;
use signalpost_core::ports::Spawn;
use signalpost_engine::Engine;
use signalpost_engine::operator::Operator;
use signalpost_engine::pass::Pass;

use crate::dialect::Dialect;
use crate::kit::caller_address::neighbourhood;
use crate::kit::context::Context;
use crate::kit::description::Description;
use crate::kit::operation::Access;
use crate::kit::refusal::{Refusal, misdirected, path_unknown};
use crate::kit::request_id::RequestIds;
use crate::kit::{limiter, operation, problem};
use auth::{Gate, Pace};
use operations::Served;

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
    tasks: Arc<dyn Spawn>,
    gate: Gate,
    request_ids: RequestIds,
}

impl operation::Surface for Surface {
    fn permit(&self, request: &Request, access: Access) -> Result<Option<Pass>, Refusal> {
        auth::permit(request, access)
    }

    fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    fn tasks(&self) -> &dyn Spawn {
        self.tasks.as_ref()
    }
}

type Shared = State<Arc<Surface>>;

pub(crate) fn router(
    engine: Arc<Engine>,
    tasks: Arc<dyn Spawn>,
    access: &OperatorAccess,
    dialects: &[Dialect],
) -> Router {
    let routes = operation::router(operations::operations(&Served::by(dialects)));
    guarded(routes.fallback(path_unknown), engine, tasks, access)
}

/// What is left of it where nothing is served: who delivers.
pub(crate) fn worker_router(engine: Arc<Engine>, tasks: Arc<dyn Spawn>, access: &OperatorAccess) -> Router {
    let routes = operation::router(operations::about_the_cluster());
    guarded(routes.fallback(misdirected), engine, tasks, access)
}

fn guarded(
    routes: Router<Arc<Surface>>,
    engine: Arc<Engine>,
    tasks: Arc<dyn Spawn>,
    access: &OperatorAccess,
) -> Router {
    let (gate, request_ids) = (Gate::new(access), RequestIds::default());
    let surface = Arc::new(Surface { engine, tasks, gate, request_ids });
    routes.layer(from_fn_with_state(Arc::clone(&surface), guard)).with_state(surface)
}

/// Every call of the API with its whole path, for the document.
pub(crate) fn descriptions(dialects: &[Dialect]) -> Vec<Description> {
    let descriptions = operation::descriptions(operations::operations(&Served::by(dialects)));
    descriptions.into_iter().map(|description| description.below(BASE_PATH)).collect()
}

/// Around everything, unknown paths included: who calls and how fast, what they may know of, and the surface's form of
/// a refusal.
async fn guard(State(surface): Shared, request: Request, next: Next) -> Response {
    let context = Context::of(&request, &surface.request_ids, surface.engine.now());
    let (operator, pace) = match admitted(&surface, request.headers(), neighbourhood(&request)).await {
        Ok(admitted) => admitted,
        Err((error, pace)) => return paced(context.refuse(error, problem::render), pace),
    };
    let response = run(&surface, operator, request, next).await;
    paced(context.finish(response, problem::render), pace)
}

async fn admitted(
    surface: &Surface,
    headers: &HeaderMap,
    from: Option<IpAddr>,
) -> Result<(Operator, Pace), (Error, Pace)> {
    let Surface { engine, gate, .. } = surface;
    let operator = gate.authenticate(engine, headers, from).await.map_err(|error| (error, None))?;
    let pace = gate.check_pace(engine, &operator)?;
    Ok((operator, pace))
}

async fn run(surface: &Surface, operator: Operator, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(operator.clone());
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
