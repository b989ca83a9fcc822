//! What the surfaces of customers have in common: whoever calls is judged before anything else, and every refusal has the
//! surface's own form.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use signalpost_core::error::Error;

use crate::kit::caller_address::neighbourhood;
use crate::kit::context::{Context, Render};
use crate::kit::operation::{self, Operation, Surface};
use crate::kit::refusal::{Refusal, method_unknown, path_unknown};
use crate::kit::request_id::RequestIds;

/// A surface whose callers are customers.
pub(crate) trait VendorSurface: Surface {
    /// Whoever was let in, as handlers find them among a request's extensions.
    type Caller: Clone + Send + Sync + 'static;

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
    fn form(_: &HeaderMap) -> Render {
        Self::render
    }
}

/// The routes of a surface, behind its guard.
pub(crate) fn router<S: VendorSurface>(surface: Arc<S>, operations: Vec<Operation<Arc<S>>>) -> Router {
    operation::router(operations)
        .fallback(path_unknown)
        .method_not_allowed_fallback(method_unknown)
        .layer(from_fn_with_state(Arc::clone(&surface), judge::<S>))
        .layer(from_fn_with_state(Arc::clone(&surface), finish::<S>))
        .with_state(surface)
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
    let form = S::form(request.headers());
    context.finish(next.run(request).await, form)
}
