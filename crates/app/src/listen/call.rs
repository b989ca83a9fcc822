//! One call: who it comes from, how long its body may take, and what follows for the connection.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::CONNECTION;
use http::{HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use signalpost_api::CallerAddress;

use super::body::PatientBody;
use super::door::Manner;
use crate::completing;

/// What is known of a connection before its calls.
pub(super) struct Caller {
    pub(super) peer: IpAddr,
    pub(super) manner: Arc<Manner>,
    /// Whether any head has arrived.
    pub(super) heard: Arc<AtomicBool>,
}

/// Lets the router answer.
pub(super) fn answer(
    router: Router,
    caller: &Caller,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response, Infallible>> + use<> {
    caller.heard.store(true, Ordering::Relaxed);
    let Manner { trusted_proxies, patience, .. } = &*caller.manner;
    let address = trusted_proxies.caller(caller.peer, request.headers());
    let patience = *patience;
    let mut request = request.map(|body| Body::new(PatientBody::new(body, patience)));
    request.extensions_mut().insert(CallerAddress(address));
    async move {
        let mut response = completing::answer(router, request).await?;
        if response.status() == StatusCode::REQUEST_TIMEOUT {
            // The rest of the body would be read as the next request.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}
