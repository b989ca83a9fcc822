//! Inbound connections: accept, bound, spread over the cores, serve, and end politely.
//!
//! A call passes these files in this order: `door` has the bound address, this one accepts, `addresses` says whether its
//! caller may have one more, `seats` which core serves, `connection` speaks TLS and HTTP and watches the first head, `stall` cuts off who does not read, `call`
//! tells the router who calls (`forwarded`) and bounds the body (`body`), and `linger` hears out who was answered too early.

mod addresses;
mod body;
mod call;
mod connection;
mod door;
mod forwarded;
mod linger;
mod seats;
mod stall;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) use self::door::{Callers, Door, Manner};
pub(crate) use self::forwarded::TrustedProxies;
pub(crate) use self::seats::Seat;
use self::seats::{Arrival, Seats};

/// Pause after the system refused a connection for want of resources.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What all connections of a process share.
#[derive(Clone)]
pub(crate) struct Connections {
    seats: Seats,
    draining: watch::Receiver<bool>,
}

impl Connections {
    /// With a seat for each core.
    pub(crate) fn new(cores: usize, draining: watch::Receiver<bool>) -> (Self, Vec<Seat>) {
        let (seats, each) = Seats::new(cores);
        (Self { seats, draining }, each)
    }

    pub(crate) fn open(&self) -> usize {
        self.seats.open()
    }
}

/// Accepts until draining begins, and hands each connection to the core that has the fewest. Must run on a tokio
/// runtime. When the door has all the connections that it may, new ones wait in the system's queue, or are turned away; one of
/// an address that has its share is closed at once.
pub(crate) async fn accept(door: Door, router: Router, mut connections: Connections) {
    let Door { listener, manner, .. } = door;
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a listening socket cannot be used"),
    };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = begun(&mut connections.draining) => return,
        };
        match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer.ip()))) {
            Ok((stream, peer)) => {
                let Ok(share) = manner.share_of(peer) else {
                    tracing::debug!(%peer, "a connection was closed: its address has its share");
                    continue;
                };
                let (permit, welcome) = tokio::select! {
                    place = manner.place() => place,
                    () = begun(&mut connections.draining) => return,
                };
                let (manner, router) = (Arc::clone(&manner), router.clone());
                connections.seats.hand_over(Arrival { stream, peer, manner, router, welcome, permit, share });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves what a core is handed. Must run on a tokio runtime; each connection becomes a task of it.
pub(crate) async fn serve_seat(mut seat: Seat, connections: Connections) {
    while let Some((arrival, place)) = seat.arrivals.recv().await {
        let draining = connections.draining.clone();
        tokio::spawn(async move {
            let Arrival { stream, peer, manner, router, welcome, permit, share } = arrival;
            match TcpStream::from_std(stream) {
                Ok(stream) => connection::serve(stream, (peer, welcome), router, &manner, draining).await,
                Err(error) => tracing::warn!(%peer, %error, "a connection could not be served"),
            }
            drop((permit, share, place));
        });
    }
}

/// Resolves once draining has begun; also when nobody is left who could begin it, which is the end as well.
async fn begun(draining: &mut watch::Receiver<bool>) {
    draining.wait_for(|draining| *draining).await.map(drop).unwrap_or_default();
}
