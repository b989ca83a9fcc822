//! What the surfaces of customers have in common: whoever calls is judged before anything else, and every refusal has the
//! surface's own form.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::HeaderMap;
use signalpost_engine::credentials::Caller;

use crate::kit::caller_address::neighbourhood;
use crate::kit::context::Context;
use crate::kit::guesses::Turned;
use crate::kit::operation::{self, Operation, Surface};
use crate::kit::refusal::{Refusal, method_unknown, path_unknown};
use crate::kit::request_id::RequestIds;

/// A surface whose callers carry a customer's credential.
pub(crate) trait VendorSurface: Surface {
    fn request_ids(&self) -> RequestIds;

    /// Who calls, from an address in this neighbourhood.
    fn caller(
        &self,
        headers: &HeaderMap,
        from: Option<IpAddr>,
    ) -> impl Future<Output = Result<Caller, Turned>> + Send;

    /// A refusal in the surface's form.
    fn render(refusal: &Refusal, context: &Context) -> Response;
}

/// The routes of a surface, behind its guard.
pub(crate) fn router<S: VendorSurface>(surface: Arc<S>, operations: Vec<Operation<Arc<S>>>) -> Router {
    operation::router(operations)
        .fallback(path_unknown)
        .method_not_allowed_fallback(method_unknown)
        .layer(from_fn_with_state(Arc::clone(&surface), guard::<S>))
        .with_state(surface)
}

/// Around everything, unknown paths included: who calls, and the surface's form of a refusal.
async fn guard<S: VendorSurface>(
    State(surface): State<Arc<S>>,
    mut request: Request,
    next: Next,
) -> Response {
    let context = Context::of(&request, &surface.request_ids(), surface.engine().now());
    match surface.caller(request.headers(), neighbourhood(&request)).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            context.finish(next.run(request).await, S::render)
        }
        Err(turned) => turned.answer(&context, S::render),
    }
}
