//! One call: who it comes from, how long its body may take, and what follows for the connection.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Request, StatusCode, Version};
use hyper::body::Incoming;
use signalpost_api::NoRoom;
use signalpost_core::caller_address::CallerAddress;
use tower_service::Service;

use super::body::PatientBody;
use super::door::{Manner, Welcome};

/// What is known of a connection before its calls.
pub(super) struct Caller {
    pub(super) peer: IpAddr,
    pub(super) welcome: Welcome,
    pub(super) manner: Arc<Manner>,
    /// Whether any head has arrived.
    pub(super) heard: Arc<AtomicBool>,
    /// Whether a body was left unread.
    pub(super) unread: Arc<AtomicBool>,
}

/// Lets the router answer.
pub(super) fn answer(
    mut router: Router,
    caller: &Caller,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response, Infallible>> + use<> {
    caller.heard.store(true, Ordering::Relaxed);
    let readable = names_one_host(&request) && is_at_most_chunked(&request);
    let Manner { trusted_proxies, patience, .. } = &*caller.manner;
    let address = trusted_proxies.caller(caller.peer, request.headers());
    let (patience, unread) = (*patience, Arc::clone(&caller.unread));
    let mut request = request.map(|body| Body::new(PatientBody::new(body, patience, unread)));
    request.extensions_mut().insert(CallerAddress(address));
    let is_turned_away = caller.welcome == Welcome::TurnedAway;
    if is_turned_away {
        request.extensions_mut().insert(NoRoom);
    }
    async move {
        let mut response = match readable {
            true => router.call(request).await?,
            false => StatusCode::BAD_REQUEST.into_response(),
        };
        // What follows on the connection may be the rest of this request.
        let is_broken = !readable || response.status() == StatusCode::REQUEST_TIMEOUT;
        if is_broken || is_turned_away {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

/// RFC 9112 section 3.2: exactly one, and before HTTP/1.1 at most one. With two of them a proxy and we could think
/// of different hosts.
fn names_one_host(request: &Request<Incoming>) -> bool {
    match request.headers().get_all(HOST).iter().count() {
        0 => request.version() < Version::HTTP_11,
        count => count == 1,
    }
}

/// RFC 9112 section 6.1: `chunked`, once, is the one coding that we know. A proxy that understands more of a longer list, or
/// less, could think that the body ends elsewhere, and that what follows is another caller's.
fn is_at_most_chunked(request: &Request<Incoming>) -> bool {
    let mut codings = request.headers().get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(only), None) => only.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}
