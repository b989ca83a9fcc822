//! What the surfaces of customers have in common: whoever calls is judged before anything is read, and every refusal has
//! the surface's own form.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use signalpost_core::error::Error;

use crate::kit::across;
use crate::kit::caller_address::neighbourhood;
use crate::kit::context::{Context, Render};
use crate::kit::operation::{self, Access, Operation, Surface};
use crate::kit::refusal::{Refusal, path_unknown};
use crate::kit::request_id::RequestIds;

/// A surface whose callers are customers.
pub(crate) trait VendorSurface: Surface {
    /// Whoever was let in, as handlers find them among a request's extensions.
    type Caller: Clone + Send + Sync + 'static;

    const JUDGED: Judged = Judged::First;

    fn request_ids(&self) -> RequestIds;

    /// Who calls, from an address in this neighbourhood.
    fn caller(
        &self,
        headers: &HeaderMap,
        from: Option<IpAddr>,
    ) -> impl Future<Output = Result<Self::Caller, Error>> + Send;

    /// A refusal in the surface's form.
    fn render(refusal: &Refusal, context: &Context) -> Response;

    /// The form of refusals of a request with these headers, where that depends on them.
    fn form(&self, _: &HeaderMap) -> Render {
        Self::render
    }
}

/// When callers are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    /// Before anything else, unknown paths included: a stranger learns nothing of what there is.
    First,
    /// Once path and method are known to exist, and for calls that are not open to everybody.
    OnceRouted,
}

/// The routes of a surface, behind its guard.
pub(crate) fn router<S: VendorSurface>(surface: Arc<S>, operations: Vec<Operation<Arc<S>>>) -> Router {
    let judge = from_fn_with_state(Arc::clone(&surface), judge::<S>);
    let routes = match S::JUDGED {
        Judged::First => operation::router(operations).fallback(path_unknown).layer(judge),
        Judged::OnceRouted => {
            let judged = operations.into_iter().map(|operation| match operation.description.access {
                Access::Open => operation,
                _ => operation.behind(|route| route.route_layer(judge.clone())),
            });
            operation::router(judged.collect()).fallback(path_unknown)
        }
    };
    routes.layer(from_fn_with_state(Arc::clone(&surface), finish::<S>)).with_state(surface)
}

/// Who calls.
async fn judge<S: VendorSurface>(
    State(surface): State<Arc<S>>,
    mut request: Request,
    next: Next,
) -> Response {
    match surface.caller(request.headers(), neighbourhood(&request)).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => Refusal::from(error).into_response(),
    }
}

/// Around everything: the surface's form of a refusal.
async fn finish<S: VendorSurface>(State(surface): State<Arc<S>>, request: Request, next: Next) -> Response {
    let context = Context::of(&request, &surface.request_ids(), surface.engine().now());
    let form = surface.form(request.headers());
    if let Err(error) = across::unasked(&request) {
        return context.refuse(error, form);
    }
    context.finish(next.run(request).await, form)
}
