//! A bound address, and the manner in which callers are served there.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use signalpost_core::limits::{OPERATOR_TURNED_AWAY_MAX, TURNED_AWAY_TOLD_INTERVAL};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::TrustedProxies;
use super::addresses::{AddressPlace, Addresses};
use crate::cmd::Failure;
use crate::patience::Patience;

/// Callers that may wait in the system's queue until they are accepted; the system may permit fewer. Who finds it full is not told
/// so: its system tries again by itself, after a second, then three, then seven, and a caller waits for half a minute for what takes a
/// millisecond. The standard library's 128 are a fraction of the connections that we serve.
const BACKLOG_MAX: i32 = 4_096;

/// A bound address that several cores accept from.
pub(crate) struct Door {
    pub(super) listener: TcpListener,
    pub(crate) address: SocketAddr,
    pub(super) manner: Arc<Manner>,
}

/// How callers at one address are served, by whichever core.
pub(crate) struct Manner {
    /// One for each connection that there may be at once.
    permits: Arc<Semaphore>,
    /// One for each caller that is told that it may have none; `None` where callers wait until they may.
    turned_away: Option<TurnedAway>,
    /// Set where one address may not hold them all.
    addresses: Option<Arc<Addresses>>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) patience: Patience,
    pub(super) trusted_proxies: TrustedProxies,
}

struct TurnedAway {
    permits: Arc<Semaphore>,
    /// When the log was last told of it.
    told: Mutex<Option<Instant>>,
}

/// What a connection is accepted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Welcome {
    /// Its calls are served.
    Served,
    /// Its first call is told that there is no room for it.
    TurnedAway,
}

/// Who calls at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Each address has a share of the connections.
    Strangers,
    /// Few machines, which may hold them all.
    Operators,
}

/// The caller's address has its share of the connections.
pub(super) struct HasItsShare;

impl Manner {
    /// For so many connections at once.
    pub(crate) fn new(
        (callers, connections): (Callers, usize),
        tls: Option<TlsAcceptor>,
        patience: Patience,
        trusted_proxies: TrustedProxies,
    ) -> Self {
        let (addresses, turned_away) = match callers {
            Callers::Strangers => (Some(Arc::new(Addresses::of(connections))), None),
            Callers::Operators => (None, Some(TurnedAway::default())),
        };
        let permits = Arc::new(Semaphore::new(connections));
        Self { permits, turned_away, addresses, tls, patience, trusted_proxies }
    }

    /// A place for a connection that was accepted; waits until there is one.
    pub(super) async fn place(&self) -> (OwnedSemaphorePermit, Welcome) {
        let Some(turned_away) = &self.turned_away else {
            return (place_among(&self.permits).await, Welcome::Served);
        };
        tokio::select! {
            biased;
            permit = place_among(&self.permits) => (permit, Welcome::Served),
            permit = place_among(&turned_away.permits) => {
                turned_away.tell();
                (permit, Welcome::TurnedAway)
            }
        }
    }

    /// The place of a new connection among those of its address. A trusted proxy stands for many callers and has none.
    pub(super) fn share_of(&self, peer: IpAddr) -> Result<Option<AddressPlace>, HasItsShare> {
        match &self.addresses {
            Some(addresses) if !self.trusted_proxies.trusts(peer.to_canonical()) => {
                addresses.take(peer).map(Some).ok_or(HasItsShare)
            }
            Some(_) | None => Ok(None),
        }
    }
}

impl Default for TurnedAway {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(OPERATOR_TURNED_AWAY_MAX)), told: Mutex::default() }
    }
}

impl TurnedAway {
    /// Not for each of them: they come by the thousand.
    fn tell(&self) {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| now.duration_since(told) >= TURNED_AWAY_TOLD_INTERVAL) {
            *told = Some(now);
            tracing::warn!(
                "all connections to the operator address are taken, and callers are turned away; where that is no overload, \
                 raise `limits.operator_connections`"
            );
        }
    }
}

async fn place_among(permits: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(permits).acquire_owned().await.expect("the semaphore is never closed")
}

impl Door {
    /// Binds an address. `name` says in an error which one it was.
    pub(crate) fn bind(name: &str, flag: &str, address: SocketAddr, manner: Manner) -> Result<Self, Failure> {
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            rustix::net::listen(&listener, BACKLOG_MAX)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        });
        let (listener, address) = bound.map_err(|error| {
            Failure::io(format!("cannot listen on the {name} address {address}"), error)
                .hint(format!("Is another process using it? Choose another one with --{flag} ADDR:PORT."))
        })?;
        Ok(Self { listener, address, manner: Arc::new(manner) })
    }

    pub(crate) fn another(&self) -> Result<Self, Failure> {
        let listener = self.listener.try_clone();
        let listener = listener.map_err(|error| Failure::io("cannot share a listening socket", error))?;
        Ok(Self { listener, address: self.address, manner: Arc::clone(&self.manner) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;
    use std::time::Duration;

    /// Less than a system waits before it tries again.
    const AT_ONCE: Duration = Duration::from_millis(500);

    #[test]
    fn hundreds_may_call_before_one_is_accepted() {
        let proxies = TrustedProxies::new(Vec::new());
        let manner = Manner::new((Callers::Operators, 1), None, Patience::default(), proxies);
        let anywhere = "127.0.0.1:0".parse().expect("an address");
        let door = Door::bind("operator", "operator", anywhere, manner).expect("loopback is there");
        let call = |_| TcpStream::connect_timeout(&door.address, AT_ONCE).expect("it is let in");
        let callers: Vec<TcpStream> = (0..300).map(call).collect();
        assert_eq!(callers.len(), 300);
    }
}
