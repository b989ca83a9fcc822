//! One connection: its handshake, its first head, its calls, its end.

use std::error::Error;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use signalpost_core::limits::CALLER_HEADER_BYTES_MAX;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::begun;
use super::call::{self, Caller};
use super::door::{Manner, Welcome};
use super::linger::Lingering;
use super::stall::Stalling;

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    (peer, welcome): (IpAddr, Welcome),
    router: Router,
    manner: &Arc<Manner>,
    mut draining: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        return tracing::debug!(%error, "a caller was gone before it was served");
    }
    let stream = Stalling::new(stream, manner.patience.stall);
    let Some(acceptor) = &manner.tls else {
        return talk(stream, (peer, welcome), router, manner, draining).await;
    };
    let handshake = tokio::time::timeout(manner.patience.handshake, acceptor.accept(stream));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        () = begun(&mut draining) => return,
    };
    match shaken {
        Ok(Ok(stream)) => talk(stream, (peer, welcome), router, manner, draining).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
    }
}

/// HTTP over whatever carries it.
async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    (peer, welcome): (IpAddr, Welcome),
    router: Router,
    manner: &Arc<Manner>,
    mut draining: watch::Receiver<bool>,
) {
    let heard = Arc::new(AtomicBool::new(false));
    let unread = Arc::new(AtomicBool::new(false));
    let stream = Lingering::new(stream, Arc::clone(&unread));
    let caller = Caller { peer, welcome, manner: Arc::clone(manner), heard: Arc::clone(&heard), unread };
    let service = service_fn(move |request| call::answer(router.clone(), &caller, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(manner.patience.next_head)
        .max_header_size(CALLER_HEADER_BYTES_MAX)
        .max_buf_size(CALLER_HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut first_head = pin!(tokio::time::sleep(manner.patience.first_head));
    let (mut watching, mut serving_on) = (true, true);
    let served = loop {
        tokio::select! {
            served = connection.as_mut() => break served,
            () = first_head.as_mut(), if watching => {
                if !heard.load(Ordering::Relaxed) {
                    return tracing::debug!(%peer, "no request came in time");
                }
                watching = false;
            }
            () = begun(&mut draining), if serving_on => {
                connection.as_mut().graceful_shutdown();
                serving_on = false;
            }
        }
    };
    if let Err(error) = served {
        // Callers that go away or send garbage are everyday and their own affair.
        tracing::debug!(%peer, %error, cause = error.source(), "a connection ended early");
    }
}
