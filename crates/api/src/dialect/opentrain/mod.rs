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

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use signalpost_core::cidr::Cidr;
use signalpost_core::error::Error;
use signalpost_core::ports::Spawn;
use signalpost_engine::Engine;
use signalpost_engine::credentials::Caller;
use signalpost_engine::guesses::Guesses;
use signalpost_engine::pass::Pass;

use crate::dialect::{Behind, Brand, Callers, Dialect, Mount, Public, Shape};
use crate::kit::across::Presented;
use crate::kit::auth::bearer;
use crate::kit::context::Context;
use crate::kit::openapi::Api;
use crate::kit::operation::{self, Access};
use crate::kit::refusal::Refusal;
use crate::kit::request_id::RequestIds;
use crate::kit::vendor::{self, VendorSurface};

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
        let (name, base_paths) = (self.name.clone(), vec![self.base_path.clone()]);
        let public = Some(Arc::new(Shown(Arc::new(self))) as _);
        Ok(Dialect { name, base_paths, hosts: Vec::new(), profile, public })
    }
}

struct Shown(Arc<Instance>);

impl Public for Shown {
    fn mounts(&self, behind: &Behind<'_>) -> Vec<Mount> {
        let router = router(behind, Arc::clone(&self.0));
        vec![Mount { base_path: self.0.base_path.clone(), callers: Callers::Known, router }]
    }

    fn presented<'h>(&self, headers: &'h HeaderMap) -> Presented<'h> {
        bearer(headers).map_or(Presented::Nothing, Presented::Credential)
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

impl VendorSurface for Surface {
    type Caller = Caller;

    fn request_ids(&self) -> RequestIds {
        RequestIds::uuids()
    }

    async fn caller(&self, headers: &HeaderMap, from: Option<IpAddr>) -> Result<Caller, Error> {
        auth::caller(self, headers, from).await
    }

    fn render(refusal: &Refusal, context: &Context) -> Response {
        error::render(refusal, context)
    }
}

type Shared = State<Arc<Surface>>;

fn router(behind: &Behind<'_>, instance: Arc<Instance>) -> Router {
    let (engine, tasks) = (Arc::clone(behind.engine), Arc::clone(behind.tasks));
    let (guesses, opened) = (Guesses::default(), behind.opened.to_vec());
    let surface = Arc::new(Surface { engine, tasks, instance, opened, guesses });
    let operations = operations::operations(&surface.instance);
    vendor::router(surface, operations)
}
