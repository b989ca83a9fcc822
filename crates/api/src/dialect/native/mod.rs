//! The operator's own API: our words, without an older contract to keep. Also health and metrics.

mod auth;
mod batch;
mod convert;
mod credentials;
mod deliveries;
mod events;
mod health;
mod metrics;
mod profile;
mod publish;
mod webhooks;
mod wire;
mod workspaces;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use signalpost_engine::Engine;

use crate::dialect::Dialect;
use crate::kit::context::Context;
use crate::kit::problem;
use crate::kit::refusal::{method_unknown, path_unknown};
use crate::kit::request_id::RequestIds;

pub use auth::OperatorAccess;
pub(crate) use health::router as health_router;
pub use profile::NAME;

/// Where the API stands on the operator port.
pub(crate) const BASE_PATH: &str = "/v1";

/// The profile of native workspaces. There is no public side: their webhooks are managed by the operator.
pub fn dialect() -> Dialect {
    Dialect { name: NAME.to_owned(), base_path: String::new(), profile: profile::profile(), router: None }
}

/// What every handler of this surface needs.
pub(super) struct Surface {
    engine: Arc<Engine>,
    access: OperatorAccess,
    request_ids: RequestIds,
}

type Shared = State<Arc<Surface>>;

pub(crate) fn router(engine: Arc<Engine>, access: OperatorAccess) -> Router {
    let surface = Arc::new(Surface { engine, access, request_ids: RequestIds::default() });
    Router::new()
        .route("/workspaces", get(workspaces::list).post(workspaces::create))
        .route(
            "/workspaces/{workspace}",
            get(workspaces::get).patch(workspaces::update).delete(workspaces::delete),
        )
        .route("/workspaces/{workspace}/credentials", get(credentials::list).post(credentials::create))
        .route("/workspaces/{workspace}/credentials/{credential}", delete(credentials::revoke))
        .route("/workspaces/{workspace}/events", get(events::list).post(publish::publish))
        .route("/workspaces/{workspace}/events/batch", post(batch::publish))
        .route("/workspaces/{workspace}/events/{event}", get(events::get))
        .route("/workspaces/{workspace}/webhooks", get(webhooks::list).post(webhooks::create))
        .route(
            "/workspaces/{workspace}/webhooks/{webhook}",
            get(webhooks::get).patch(webhooks::update).delete(webhooks::delete),
        )
        .route("/workspaces/{workspace}/deliveries", get(deliveries::list))
        .route("/deliveries/{delivery}", get(deliveries::get))
        .route("/deliveries/{delivery}/redeliver", post(deliveries::redeliver))
        .fallback(path_unknown)
        .method_not_allowed_fallback(method_unknown)
        .layer(from_fn_with_state(Arc::clone(&surface), guard))
        .with_state(surface)
}

/// Around everything, unknown paths included: who calls, and the surface's form of a refusal.
async fn guard(State(surface): Shared, request: Request, next: Next) -> Response {
    let context = Context::of(&request, &surface.request_ids, surface.engine.now());
    let response = match surface.access.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => crate::kit::refusal::Refusal::from(error).into_response(),
    };
    context.finish(response, problem::render)
}
