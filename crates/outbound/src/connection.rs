//! One HTTP/1.1 connection to a judged address, with what belongs to it.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::AbortHandle;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::time::Monotonic;

use crate::egress::EgressPolicy;
use crate::outcome::{Answered, Fault};
use crate::request;
use crate::stream::{Listener, Meter};

/// Dropping it closes the socket at once, whatever the other side still does: a receiver that never reads
/// cannot hold it.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
    meter: Rc<Meter>,
    listener: Listener,
    host: HeaderValue,
    /// The request target of the last request: one webhook's requests follow each other.
    target: (Arc<TargetUrl>, Uri),
    /// When its address was judged, and by which policy.
    pub(crate) born: Monotonic,
    judged_by: Rc<EgressPolicy>,
}

/// What a fresh connection is made of.
pub(crate) struct Parts {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    pub(crate) driver: AbortHandle,
    pub(crate) meter: Rc<Meter>,
    pub(crate) listener: Listener,
    pub(crate) born: Monotonic,
    pub(crate) judged_by: Rc<EgressPolicy>,
}

impl Connection {
    pub(crate) fn new(parts: Parts, url: &Arc<TargetUrl>) -> Result<Self, Fault> {
        let Parts { sender, driver, meter, listener, born, judged_by } = parts;
        let host = request::host(url)?;
        let target = (Arc::clone(url), request::target(url)?);
        Ok(Self { sender, driver, meter, listener, host, target, born, judged_by })
    }

    /// Whether another request may be sent on it under this policy.
    pub(crate) fn is_usable(&self, policy: &Rc<EgressPolicy>) -> bool {
        self.sender.is_ready() && Rc::ptr_eq(&self.judged_by, policy)
    }

    /// Whether the receiver is still there and has said nothing since its last answer: whatever it says now would be taken
    /// for the answer to a request that it has not seen.
    pub(crate) fn is_silent(&self) -> bool {
        self.listener.is_silent()
    }

    /// Sends a request to what it was aimed at, and waits for the answer's headers, however long that takes.
    ///
    /// # Errors
    /// With a note whether any byte of an answer had come.
    pub(crate) async fn exchange(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, (hyper::Error, Answered)> {
        self.meter.restart();
        request.headers_mut().insert(http::header::HOST, self.host.clone());
        *request.uri_mut() = self.target.1.clone();
        let answer = self.sender.send_request(request).await;
        answer.map_err(|error| (error, self.meter.answered()))
    }

    /// Makes the request target fit `url`, which has the connection's origin.
    pub(crate) fn aim(&mut self, url: &Arc<TargetUrl>) -> Result<(), Fault> {
        debug_assert_eq!(self.target.0.origin(), url.origin());
        if !Arc::ptr_eq(&self.target.0, url) {
            self.target = (Arc::clone(url), request::target(url)?);
        }
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
