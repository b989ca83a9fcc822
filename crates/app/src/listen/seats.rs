//! Which core serves a new connection: the one that has the fewest.
//!
//! Every core waits at the same listening socket, and the system wakes whichever it likes: left alone, one core can
//! end up with all the callers while another has none. So the core that accepts a connection looks who has room and
//! hands it over.

use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::addresses::AddressPlace;
use super::door::{Manner, Welcome};

/// A connection that was accepted, and what it needs to be served.
pub(super) struct Arrival {
    pub(super) stream: TcpStream,
    pub(super) peer: IpAddr,
    pub(super) manner: Arc<Manner>,
    pub(super) router: Router,
    pub(super) welcome: Welcome,
    /// Its door's, kept until the connection ends.
    pub(super) permit: OwnedSemaphorePermit,
    /// Its address's, where addresses have shares.
    pub(super) share: Option<AddressPlace>,
}

/// All cores, as those see them who hand out connections.
#[derive(Clone)]
pub(crate) struct Seats {
    cores: Arc<[Core]>,
}

struct Core {
    connections: Arc<AtomicUsize>,
    // Unbounded, because every arrival holds one of its door's permits, and those are bounded.
    arrivals: UnboundedSender<(Arrival, Place)>,
}

/// What one core is handed.
pub(crate) struct Seat {
    pub(super) arrivals: UnboundedReceiver<(Arrival, Place)>,
}

impl Seats {
    /// One seat for each core.
    pub(crate) fn new(cores: usize) -> (Self, Vec<Seat>) {
        let (cores, seats): (Vec<_>, Vec<_>) = (0..cores)
            .map(|_| {
                let (sender, arrivals) = unbounded_channel();
                (Core { connections: Arc::default(), arrivals: sender }, Seat { arrivals })
            })
            .unzip();
        (Self { cores: cores.into() }, seats)
    }

    /// Connections that are open, those on their way to a core too.
    pub(crate) fn open(&self) -> usize {
        self.cores.iter().map(|core| core.connections.load(Ordering::SeqCst)).sum()
    }

    /// Hands a connection to the core with the fewest.
    pub(super) fn hand_over(&self, arrival: Arrival) {
        let core = self.cores.iter().min_by_key(|core| core.connections.load(Ordering::SeqCst));
        let core = core.expect("a server has a core");
        let peer = arrival.peer;
        if core.arrivals.send((arrival, Place::at(core))).is_err() {
            tracing::debug!(%peer, "a caller came when its core had stopped");
        }
    }
}

/// A connection's place at its core, given back when it ends.
pub(super) struct Place(Arc<AtomicUsize>);

impl Place {
    fn at(core: &Core) -> Self {
        core.connections.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(&core.connections))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use tokio::sync::Semaphore;

    use super::*;
    use crate::listen::{Callers, TrustedProxies};
    use crate::patience::Patience;

    fn arrive(seats: &Seats, listener: &TcpListener) {
        let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("listens");
        let permits = Arc::new(Semaphore::new(1));
        let permit = permits.try_acquire_owned().expect("nobody else holds one");
        let proxies = TrustedProxies::new(Vec::new());
        let manner = Arc::new(Manner::new((Callers::Operators, 1), None, Patience::default(), proxies));
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (router, welcome) = (Router::new(), Welcome::Served);
        seats.hand_over(Arrival { stream, peer, manner, router, welcome, permit, share: None });
    }

    #[test]
    fn the_core_with_the_fewest_connections_gets_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let (seats, mut cores) = Seats::new(3);
        (0..6).for_each(|_| arrive(&seats, &listener));
        assert_eq!(cores.iter().map(|seat| seat.arrivals.len()).collect::<Vec<_>>(), [2, 2, 2]);
        // Two end at the last core: the next two go there.
        for _ in 0..2 {
            drop(cores[2].arrivals.try_recv().expect("it was handed two"));
        }
        assert_eq!(seats.open(), 4);
        (0..2).for_each(|_| arrive(&seats, &listener));
        assert_eq!(cores.iter().map(|seat| seat.arrivals.len()).collect::<Vec<_>>(), [2, 2, 2]);
        drop(cores);
        assert_eq!(seats.open(), 0, "those that were on their way are counted off too");
    }
}
