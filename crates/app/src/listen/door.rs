//! A bound address, and the manner in which callers are served there.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::TrustedProxies;
use super::addresses::{AddressPlace, Addresses};
use crate::cmd::Failure;
use crate::patience::Patience;

/// A bound address that several cores accept from.
pub(crate) struct Door {
    pub(super) listener: TcpListener,
    pub(crate) address: SocketAddr,
    pub(super) manner: Arc<Manner>,
}

/// How callers at one address are served, by whichever core.
pub(crate) struct Manner {
    /// One for each connection that there may be at once.
    pub(super) permits: Arc<Semaphore>,
    /// Set where one address may not hold them all.
    addresses: Option<Arc<Addresses>>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) patience: Patience,
    pub(super) trusted_proxies: TrustedProxies,
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
        let addresses = match callers {
            Callers::Strangers => Some(Arc::new(Addresses::of(connections))),
            Callers::Operators => None,
        };
        Self { permits: Arc::new(Semaphore::new(connections)), addresses, tls, patience, trusted_proxies }
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

impl Door {
    /// Binds an address. `name` says in an error which one it was.
    pub(crate) fn bind(name: &str, flag: &str, address: SocketAddr, manner: Manner) -> Result<Self, Failure> {
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
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
