//! SigmaMind's webhook API: five operations below `/v1/webhooks`. What is covered and where it deviates stands in
//! the README beside this file.

mod auth;
mod convert;
mod create;
mod delete;
mod document;
mod error;
mod get;
mod list;
mod operations;
mod profile;
mod update;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use signalpost_engine::Engine;

use crate::dialect::{Brand, Dialect, Public};
use crate::kit::context::Context;
use crate::kit::openapi::Api;
use crate::kit::operation;
use crate::kit::refusal::{method_unknown, path_unknown};
use crate::kit::request_id::RequestIds;

pub use profile::Instance;

impl Brand for Instance {
    fn into_dialect(self) -> Result<Dialect, String> {
        self.dialect()
    }
}

impl Instance {
    /// The dialect with these values. The error is a sentence about the value that cannot work.
    pub fn dialect(self) -> Result<Dialect, String> {
        let profile = self.profile()?;
        let (name, base_path) = (self.name.clone(), self.base_path.clone());
        Ok(Dialect { name, base_path, profile, public: Some(Arc::new(Shown(Arc::new(self)))) })
    }
}

struct Shown(Arc<Instance>);

impl Public for Shown {
    fn router(&self, engine: Arc<Engine>) -> Router {
        router(engine, Arc::clone(&self.0))
    }

    fn api(&self) -> Api {
        document::api(&self.0)
    }
}

/// What every handler of this surface needs.
struct Surface {
    engine: Arc<Engine>,
    instance: Arc<Instance>,
    request_ids: RequestIds,
}

type Shared = State<Arc<Surface>>;

fn router(engine: Arc<Engine>, instance: Arc<Instance>) -> Router {
    let surface = Arc::new(Surface { engine, instance, request_ids: RequestIds::default() });
    operation::router(operations::operations(&surface.instance))
        .fallback(path_unknown)
        .method_not_allowed_fallback(method_unknown)
        .layer(from_fn_with_state(Arc::clone(&surface), guard))
        .with_state(surface)
}

/// Around everything, unknown paths included: who calls, and the surface's form of a refusal.
async fn guard(State(surface): Shared, mut request: Request, next: Next) -> Response {
    let context = Context::of(&request, &surface.request_ids, surface.engine.now());
    let response = match auth::caller(&surface, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    };
    context.finish(response, error::render)
}
