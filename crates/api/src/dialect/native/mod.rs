//! The operator's own API: our words, without an older contract to keep. Also health and metrics.

mod auth;
mod batch;
mod convert;
mod credentials;
mod deliveries;
mod events;
mod health;
mod metrics;
mod operations;
mod profile;
mod publish;
mod storage;
mod webhooks;
mod wire;
mod workspaces;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use signalpost_engine::Engine;

use crate::dialect::Dialect;
use crate::kit::context::Context;
use crate::kit::description::Description;
use crate::kit::refusal::{Refusal, method_unknown, path_unknown};
use crate::kit::request_id::RequestIds;
use crate::kit::{operation, problem};
use operations::Served;

pub use auth::OperatorAccess;
pub(crate) use health::{operations as health_operations, router as health_router};
pub(crate) use operations::TAGS;
pub use profile::NAME;

/// Where the API stands on the operator port.
pub(crate) const BASE_PATH: &str = "/v1";

/// The profile of native workspaces. There is no public side: their webhooks are managed by the operator.
pub fn dialect() -> Dialect {
    Dialect { name: NAME.to_owned(), base_path: String::new(), profile: profile::profile(), public: None }
}

/// What every handler of this surface needs.
pub(super) struct Surface {
    engine: Arc<Engine>,
    access: OperatorAccess,
    request_ids: RequestIds,
}

type Shared = State<Arc<Surface>>;

pub(crate) fn router(engine: Arc<Engine>, access: OperatorAccess, dialects: &[Dialect]) -> Router {
    let surface = Arc::new(Surface { engine, access, request_ids: RequestIds::default() });
    operation::router(operations::operations(&Served::by(dialects)))
        .fallback(path_unknown)
        .method_not_allowed_fallback(method_unknown)
        .layer(from_fn_with_state(Arc::clone(&surface), guard))
        .with_state(surface)
}

/// Every call of the API with its whole path, for the document.
pub(crate) fn descriptions(dialects: &[Dialect]) -> Vec<Description> {
    let descriptions = operation::descriptions(operations::operations(&Served::by(dialects)));
    descriptions.into_iter().map(|description| description.below(BASE_PATH)).collect()
}

/// Around everything, unknown paths included: who calls, and the surface's form of a refusal.
async fn guard(State(surface): Shared, mut request: Request, next: Next) -> Response {
    let context = Context::of(&request, &surface.request_ids, surface.engine.now());
    let response = match surface.access.check(request.headers()) {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(error) => Refusal::from(error).into_response(),
    };
    context.finish(response, problem::render)
}
