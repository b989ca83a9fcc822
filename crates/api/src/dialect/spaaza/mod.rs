//! Spaaza's webhooks: calls by name, sessions of users with rights on chains, signatures as objects of their own. What is
//! covered and where it deviates stands in the README beside this file.

mod auth;
mod catalogue;
mod convert;
mod create;
mod create_signature;
mod delete;
mod delete_signature;
mod document;
mod error;
mod get;
mod get_signature;
mod instance_check;
mod list;
mod list_signatures;
mod login;
mod operations;
mod profile;
mod read;
mod schemas;
mod update;
mod wire;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use signalpost_core::cidr::Cidr;
use signalpost_core::error::Error;
use signalpost_core::ports::Spawn;
use signalpost_engine::Engine;
use signalpost_engine::cells::Cells;
use signalpost_engine::guesses::Guesses;
use signalpost_engine::pass::Pass;
use signalpost_engine::sessions::Visitor;

use crate::dialect::{Behind, Brand, Callers, Dialect, Mount, Public, Shape};
use crate::kit::across::Presented;
use crate::kit::context::{Context, Render};
use crate::kit::logins::Logins;
use crate::kit::openapi::Api;
use crate::kit::operation::{self, Access};
use crate::kit::refusal::Refusal;
use crate::kit::request_id::RequestIds;
use crate::kit::vendor::{self, Judged, VendorSurface};

pub use catalogue::EventType;
pub use profile::Instance;

/// What a platform can adopt of this vendor.
pub(crate) fn shapes() -> Vec<Shape> {
    vec![Shape::of(&Instance::default())]
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
        let (name, base_paths) = (self.name.clone(), vec![self.base_path.clone(), self.auth_path.clone()]);
        let public = Some(Arc::new(Shown(Arc::new(self))) as _);
        Ok(Dialect { name, base_paths, hosts: Vec::new(), profile, public })
    }
}

struct Shown(Arc<Instance>);

impl Public for Shown {
    fn mounts(&self, behind: &Behind<'_>) -> Vec<Mount> {
        let surface = Arc::new(Surface {
            engine: Arc::clone(behind.engine),
            cells: behind.cells.clone(),
            tasks: Arc::clone(behind.tasks),
            instance: Arc::clone(&self.0),
            opened: behind.opened.to_vec(),
            guesses: Guesses::default(),
            logins: Logins::default(),
        });
        let mount = |base_path: &str, callers, operations| Mount {
            base_path: base_path.to_owned(),
            callers,
            router: vendor::router(Arc::clone(&surface), operations),
        };
        vec![
            mount(&self.0.base_path, Callers::Known, operations::calls(&self.0)),
            mount(&self.0.auth_path, Callers::Anybody, operations::logins(&self.0)),
        ]
    }

    fn presented<'h>(&self, headers: &'h HeaderMap) -> Presented<'h> {
        auth::session(headers, &self.0).map_or(Presented::Nothing, |(_, key)| Presented::Session(key))
    }

    fn api(&self) -> Api {
        document::api(&self.0)
    }
}

/// What every handler of this surface needs.
struct Surface {
    engine: Arc<Engine>,
    /// Where users may be who log in.
    cells: Cells,
    tasks: Arc<dyn Spawn>,
    instance: Arc<Instance>,
    /// Ranges that webhooks may reach although they are not public.
    opened: Vec<Cidr>,
    /// Of session keys.
    guesses: Guesses,
    logins: Logins,
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

impl VendorSurface for Surface {
    type Caller = Visitor;

    /// A wrong method is told to anybody.
    const JUDGED: Judged = Judged::OnceRouted;

    fn request_ids(&self) -> RequestIds {
        RequestIds::default()
    }

    async fn caller(&self, headers: &HeaderMap, from: Option<IpAddr>) -> Result<Visitor, Error> {
        auth::caller(self, headers, from).await
    }

    fn render(refusal: &Refusal, context: &Context) -> Response {
        error::render(refusal, context)
    }

    fn form(&self, headers: &HeaderMap) -> Render {
        if auth::wants_lists(headers, &self.instance) { error::render_list } else { error::render }
    }
}

type Shared = State<Arc<Surface>>;
