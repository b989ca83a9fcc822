//! How callers prove who they are: an API key in a header of its own. A key has every right in its workspace.

use std::net::IpAddr;

use axum::extract::Request;
use http::HeaderMap;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_engine::credentials::Caller;
use signalpost_engine::pass::Pass;

use super::{Instance, Surface};
use crate::kit::auth::single;
use crate::kit::operation::Access;
use crate::kit::refusal::Refusal;

pub(super) async fn caller(
    surface: &Surface,
    headers: &HeaderMap,
    from: Option<IpAddr>,
) -> Result<Caller, Error> {
    let Surface { engine, instance, guesses, .. } = surface;
    let refused = || {
        let message = format!("{} is missing or invalid", instance.api_key_header);
        Error::new(ErrorCode::Unauthenticated, message)
    };
    let key = key(headers, instance);
    let judge = async {
        let caller = engine.authenticate(&instance.name, key.ok_or_else(refused)?).await;
        caller.map_err(|error| if error.code == ErrorCode::Unauthenticated { refused() } else { error })
    };
    let is_known = || key.is_some_and(|key| engine.knows_credential(key));
    guesses.judged(from, engine.now(), is_known, judge).await
}

/// What is presented as one.
pub(super) fn key<'h>(headers: &'h HeaderMap, instance: &Instance) -> Option<&'h [u8]> {
    single(headers, &instance.api_key_header)
}

/// A good key may do everything in its workspace; whoever comes here without one does nothing.
pub(super) fn permit(request: &Request, access: Access) -> Result<Option<Pass>, Refusal> {
    match (access, request.extensions().get::<Caller>()) {
        (_, Some(caller)) => Ok(Some(caller.pass)),
        (Access::Open, None) => Ok(None),
        (_, None) => Err(Error::new(ErrorCode::Unauthenticated, "the request was not judged").into()),
    }
}
