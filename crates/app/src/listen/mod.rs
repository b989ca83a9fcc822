//! Inbound connections of one core: accept, bound, serve, and end politely.
//!
//! A call passes these files in this order: `door` has the bound address, this one accepts, `connection` speaks
//! TLS and HTTP and watches the first head, `stall` cuts off who does not read, `call` tells the router who calls
//! (`forwarded`) and bounds the body (`body`).

mod body;
mod call;
mod connection;
mod door;
mod forwarded;
mod stall;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub(crate) use self::door::{Door, Manner};
pub(crate) use self::forwarded::TrustedProxies;

/// Pause after the system refused a connection for want of resources.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What all connections of a process share.
#[derive(Clone)]
pub(crate) struct Connections {
    open: Arc<AtomicUsize>,
    draining: watch::Receiver<bool>,
}

impl Connections {
    pub(crate) fn new(draining: watch::Receiver<bool>) -> Self {
        Self { open: Arc::default(), draining }
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

/// Accepts until draining begins. Must run on a tokio runtime; each connection becomes a task of it. When the door
/// has all the connections that it may, new ones wait in the system's queue.
pub(crate) async fn accept(door: Door, router: Router, mut connections: Connections) {
    let Door { listener, manner, .. } = door;
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a listening socket cannot be used"),
    };
    loop {
        let permit =
            Arc::clone(&manner.permits).acquire_owned().await.expect("the semaphore is never closed");
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = begun(&mut connections.draining) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, connections) = (router.clone(), connections.clone());
                let manner = Arc::clone(&manner);
                connections.open.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    connection::serve(stream, peer.ip(), router, &manner, connections.draining).await;
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

/// Resolves once draining has begun; also when nobody is left who could begin it, which is the end as well.
async fn begun(draining: &mut watch::Receiver<bool>) {
    draining.wait_for(|draining| *draining).await.map(drop).unwrap_or_default();
}
