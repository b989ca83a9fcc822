//! A bound address, and the manner in which callers are served there.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::TrustedProxies;
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
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) patience: Patience,
    pub(super) trusted_proxies: TrustedProxies,
}

impl Manner {
    pub(crate) fn new(
        connections: usize,
        tls: Option<TlsAcceptor>,
        patience: Patience,
        trusted_proxies: TrustedProxies,
    ) -> Self {
        Self { permits: Arc::new(Semaphore::new(connections)), tls, patience, trusted_proxies }
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
