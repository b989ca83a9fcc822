//! The routers, on one screen: which surface is mounted where.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::any_service;
use signalpost_core::cidr::Cidr;
use signalpost_core::limits::LARGE_BODIES_BYTES_MAX;
use signalpost_core::ports::Spawn;
use signalpost_core::request_id::RequestId;
use signalpost_engine::Engine;
use signalpost_engine::cells::Cells;
use tower_service::Service;

use crate::dialect::native::OperatorAccess;
use crate::dialect::{Dialect, Mount, Shape, ShapeValues, native};
use crate::docs;
use crate::kit::bodies::BodyBudget;
use crate::kit::context::Context;
use crate::kit::host::host_of;
use crate::kit::no_room;
use crate::kit::problem;
use crate::kit::refusal::{misdirected, path_unknown};
use crate::kit::request_id::RequestIds;

/// Shapes that a platform can adopt, one line each.
pub fn built_in_shapes() -> Vec<Shape> {
    let vendors = [
        crate::dialect::sigmamind::shapes(),
        crate::dialect::opentrain::shapes(),
        crate::dialect::spaaza::shapes(),
    ];
    vendors.concat()
}

/// The native dialect, and every shape with its vendor's own values.
pub fn built_in_dialects() -> Vec<Dialect> {
    let shapes = built_in_shapes();
    let own = |shape: &Shape| shape.dialect(&ShapeValues::new()).expect("the vendor's own values are good");
    std::iter::once(native::dialect()).chain(shapes.iter().map(own)).collect()
}

/// What customers see: each dialect below its base paths at its hosts, `pages` at every host, and nothing else. `tasks` run
/// calls to their end whose callers go away; `opened` are ranges that webhooks may reach although they are not on the public
/// internet.
///
/// # Panics
/// When two dialects have the same base path or one that is not a path; [`crate::dialect::check_base_paths`]
/// says so beforehand.
pub fn public_router(
    cells: impl Into<Cells>,
    tasks: &Arc<dyn Spawn>,
    dialects: &[Dialect],
    opened: &[Cidr],
    pages: Router,
) -> Router {
    let cells = cells.into();
    let mut anywhere = Router::new();
    let mut by_host: HashMap<&str, Router> = HashMap::new();
    for dialect in dialects {
        for Mount { base_path, router: public, .. } in dialect.mounts(&cells, tasks, opened) {
            for host in &dialect.hosts {
                let router = by_host.remove(host.as_str()).unwrap_or_default();
                by_host.insert(host, mounted(router, &base_path, public.clone()));
            }
            if dialect.hosts.is_empty() {
                anywhere = mounted(anywhere, &base_path, public);
            }
        }
    }
    if by_host.is_empty() {
        return with_strangers(anywhere.merge(pages).fallback(path_unknown), &cells);
    }
    let with_pages = |router: Router| router.merge(pages.clone()).fallback(path_unknown);
    let hosts = by_host.into_iter().map(|(host, router)| (host.to_owned(), with_pages(router))).collect();
    let hosts = Arc::new(Hosts { by_name: hosts, other: with_pages(anywhere) });
    with_strangers(Router::new().fallback(move |request| hosts.answer(request)), &cells)
}

/// Which routes are to be seen at which host.
struct Hosts {
    by_name: HashMap<String, Router>,
    /// At all others.
    other: Router,
}

impl Hosts {
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        let named = host_of(&request).and_then(|host| self.by_name.get(&host));
        let Ok(response) = named.unwrap_or(&self.other).clone().call(request).await;
        response
    }
}

/// What stands beside the API of those who operate.
#[derive(Default)]
pub struct Beside {
    /// Pages that know by themselves who looks.
    pub pages: Router,
    /// Where customers find the portal on the public address, without a slash at its end; `None` where it is not served.
    pub portal: Option<Arc<str>>,
}

/// The native API below `/v1` with the operator's key, and health, metrics and documents without. `dialects` are those
/// that are served; `tasks` are as in [`public_router`].
pub fn operator_router(
    cells: impl Into<Cells>,
    tasks: &Arc<dyn Spawn>,
    access: &OperatorAccess,
    dialects: &[Dialect],
    beside: Beside,
) -> Router {
    let (cells, Beside { pages, portal }) = (cells.into(), beside);
    let open = native::health_router(&cells, access).merge(docs::router(dialects)).merge(pages);
    let api = native::router(&cells, tasks, access, dialects, portal);
    with_strangers(mounted(open, native::BASE_PATH, api).fallback(path_unknown), &cells)
}

/// What a process tells that only delivers: health, metrics and who delivers what. Everything else is another's to answer.
pub fn worker_router(cells: impl Into<Cells>, tasks: &Arc<dyn Spawn>, access: &OperatorAccess) -> Router {
    let cells = cells.into();
    let open = native::health_router(&cells, access);
    let api = native::worker_router(&cells, tasks, access);
    with_strangers(mounted(open, native::BASE_PATH, api).fallback(misdirected), &cells)
}

/// A surface below its base path. The base path with a slash at its end is the surface's as well, which answers
/// that it is not found; the router alone would take it for a stranger's.
fn mounted(router: Router, base_path: &str, surface: Router) -> Router {
    router.route(&format!("{base_path}/"), any_service(surface.clone())).nest(base_path, surface)
}

/// What belongs to no surface is refused as problem details.
fn with_strangers(router: Router, cells: &Cells) -> Router {
    let engine = Arc::clone(&cells.first().engine);
    let bodies = Arc::new(BodyBudget::new(LARGE_BODIES_BYTES_MAX));
    let strangers = Arc::new(Strangers { engine, ids: RequestIds::default(), bodies });
    router.layer(from_fn_with_state(strangers, answer_strangers))
}

/// What is around all surfaces of one address.
struct Strangers {
    engine: Arc<Engine>,
    ids: RequestIds,
    /// Of all callers of this address.
    bodies: Arc<BodyBudget>,
}

/// Surfaces have finished their own answers before they come here; only what belongs to none still carries a
/// refusal.
async fn answer_strangers(
    State(strangers): State<Arc<Strangers>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Strangers { engine, ids, bodies } = &*strangers;
    request.extensions_mut().insert(Arc::clone(bodies));
    let context = Context::of(&request, ids, engine.now());
    if let Some(refusal) = no_room::refusal(&request, &context) {
        engine.metrics().turn_away();
        return context.finish(refusal, problem::render);
    }
    request.extensions_mut().insert(RequestId(context.request_id.clone()));
    context.finish(next.run(request).await, problem::render)
}
