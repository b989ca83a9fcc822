//! OpenTrain's webhooks: the public API and the partners' API, two shapes of one surface. What is covered and where it
//! deviates stands in the README beside this file.

mod auth;
mod capabilities;
mod catalogue;
mod convert;
mod create;
mod delete;
mod details;
mod document;
mod error;
mod feed;
mod get;
mod instance_check;
mod list;
mod operations;
mod profile;
mod read;
mod redeliver;
mod schemas;
mod update;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use signalpost_core::cidr::Cidr;
use signalpost_core::ports::Spawn;
use signalpost_engine::Engine;
use signalpost_engine::pass::Pass;

use crate::dialect::{Brand, Dialect, Public, Shape};
use crate::kit::caller_address::neighbourhood;
use crate::kit::context::Context;
use crate::kit::guesses::Guesses;
use crate::kit::openapi::Api;
use crate::kit::operation::{self, Access};
use crate::kit::refusal::{Refusal, method_unknown, path_unknown};
use crate::kit::request_id::RequestIds;

pub use catalogue::EventType;
pub use profile::{Call, Instance};

/// What a platform can adopt of this vendor.
pub(crate) fn shapes() -> Vec<Shape> {
    vec![Shape::of(&Instance::public()), Shape::of(&Instance::partner())]
}

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
    fn router(&self, engine: Arc<Engine>, tasks: Arc<dyn Spawn>, opened: &[Cidr]) -> Router {
        router(engine, tasks, Arc::clone(&self.0), opened)
    }

    fn api(&self) -> Api {
        document::api(&self.0)
    }
}

/// What every handler of this surface needs.
struct Surface {
    engine: Arc<Engine>,
    tasks: Arc<dyn Spawn>,
    instance: Arc<Instance>,
    /// Ranges that webhooks may reach although they are not public.
    opened: Vec<Cidr>,
    guesses: Guesses,
    request_ids: RequestIds,
}

impl operation::Surface for Surface {
    fn permit(&self, request: &Request, access: Access) -> Result<Option<Pass>, Refusal> {
        auth::permit(&self.instance, request, access)
    }

    fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    fn tasks(&self) -> &dyn Spawn {
        self.tasks.as_ref()
    }
}

type Shared = State<Arc<Surface>>;

fn router(engine: Arc<Engine>, tasks: Arc<dyn Spawn>, instance: Arc<Instance>, opened: &[Cidr]) -> Router {
    let (guesses, request_ids) = (Guesses::default(), RequestIds::uuids());
    let opened = opened.to_vec();
    let surface = Arc::new(Surface { engine, tasks, instance, opened, guesses, request_ids });
    operation::router(operations::operations(&surface.instance))
        .fallback(path_unknown)
        .method_not_allowed_fallback(method_unknown)
        .layer(from_fn_with_state(Arc::clone(&surface), guard))
        .with_state(surface)
}

/// Around everything, unknown paths included: who calls, and the surface's form of a refusal.
async fn guard(State(surface): Shared, mut request: Request, next: Next) -> Response {
    let context = Context::of(&request, &surface.request_ids, surface.engine.now());
    match auth::caller(&surface, request.headers(), neighbourhood(&request)).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            context.finish(next.run(request).await, error::render)
        }
        Err(turned) => turned.answer(&context, error::render),
    }
}
