//! Inbound connections of one core: accept, bound, serve, and end politely.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use signalpost_core::limits::{CALLER_CONNECTIONS_MAX, CALLER_HEAD_TIMEOUT, CALLER_HEADER_BYTES_MAX};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::cmd::Failure;
use crate::completing;

/// Pause after the system refused a connection for want of resources.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound address that several cores accept from.
pub(crate) struct Door {
    listener: StdListener,
    pub(crate) address: SocketAddr,
}

impl Door {
    /// Binds an address. `name` says in an error which one it was.
    pub(crate) fn bind(name: &str, flag: &str, address: SocketAddr) -> Result<Self, Failure> {
        let bound = StdListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Self { listener, address })
        });
        bound.map_err(|error| {
            Failure::io(format!("cannot listen on the {name} address {address}"), error)
                .hint(format!("Is another process using it? Choose another one with {flag} ADDR:PORT."))
        })
    }

    pub(crate) fn another(&self) -> Result<Self, Failure> {
        let listener = self.listener.try_clone();
        let listener = listener.map_err(|error| Failure::io("cannot share a listening socket", error))?;
        Ok(Self { listener, address: self.address })
    }
}

/// What all connections of a process share.
#[derive(Clone)]
pub(crate) struct Connections {
    open: Arc<AtomicUsize>,
    permits: Arc<Semaphore>,
    draining: watch::Receiver<bool>,
}

impl Connections {
    pub(crate) fn new(draining: watch::Receiver<bool>) -> Self {
        Self { open: Arc::default(), permits: Arc::new(Semaphore::new(CALLER_CONNECTIONS_MAX)), draining }
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

/// Accepts until draining begins. Must run on a tokio runtime; each connection becomes a task of it.
pub(crate) async fn accept(door: Door, router: Router, mut connections: Connections) {
    let listener = match TcpListener::from_std(door.listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a listening socket cannot be used"),
    };
    loop {
        let permit =
            Arc::clone(&connections.permits).acquire_owned().await.expect("the semaphore is never closed");
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = begun(&mut connections.draining) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (router, connections) = (router.clone(), connections.clone());
                connections.open.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    serve(stream, router, connections.draining).await;
                    connections.open.fetch_sub(1, Ordering::SeqCst);
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, router: Router, mut draining: watch::Receiver<bool>) {
    if let Err(error) = stream.set_nodelay(true) {
        return tracing::debug!(%error, "a caller was gone before it was served");
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(CALLER_HEAD_TIMEOUT)
        .max_buf_size(CALLER_HEADER_BYTES_MAX)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| completing::answer(router.clone(), request)),
        );
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = begun(&mut draining) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        // Callers that go away or send garbage are everyday and their own affair.
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Resolves once draining has begun; also when nobody is left who could begin it, which is the end as well.
async fn begun(draining: &mut watch::Receiver<bool>) {
    draining.wait_for(|draining| *draining).await.map(drop).unwrap_or_default();
}
