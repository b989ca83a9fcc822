//! How callers prove who they are: an API key in a header of its own. A key has every right in its workspace.

use axum::extract::Request;
use http::HeaderMap;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_engine::credentials::Caller;

use super::Surface;
use crate::kit::auth::single;
use crate::kit::operation::Access;
use crate::kit::refusal::Refusal;

pub(super) async fn caller(surface: &Surface, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let Surface { engine, instance, .. } = surface;
    let refused = || {
        let message = format!("{} is missing or invalid", instance.api_key_header);
        Error::new(ErrorCode::Unauthenticated, message)
    };
    let key = single(headers, &instance.api_key_header).ok_or_else(refused)?;
    let caller = engine.authenticate(&instance.name, key).await;
    Ok(caller.map_err(|error| if error.code == ErrorCode::Unauthenticated { refused() } else { error })?)
}

/// A good key may do everything in its workspace; whoever comes here without one does nothing.
pub(super) fn permit(request: &Request, access: Access) -> Result<(), Error> {
    match (access, request.extensions().get::<Caller>()) {
        (Access::Open, _) | (_, Some(_)) => Ok(()),
        (_, None) => Err(Error::new(ErrorCode::Unauthenticated, "the request was not judged")),
    }
}
