//! How many connections one caller's address may hold, so that no single machine keeps all others out.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signalpost_core::cidr::neighbourhood_of;
use signalpost_core::limits::{ADDRESS_CONNECTIONS_MIN, ADDRESS_CONNECTIONS_PARTS};

/// Who holds how many. There are no more entries than connections.
pub(super) struct Addresses {
    /// Connections that an address may hold.
    share: usize,
    holders: Mutex<HashMap<IpAddr, Holder>>,
}

#[derive(Default)]
struct Holder {
    connections: usize,
    /// The log was told that it has its share, since it had none.
    told: bool,
}

impl Addresses {
    /// Of a door with so many connections.
    pub(super) fn of(connections: usize) -> Self {
        let share = (connections / ADDRESS_CONNECTIONS_PARTS).max(ADDRESS_CONNECTIONS_MIN);
        Self { share, holders: Mutex::default() }
    }

    /// A place for one more connection from there; `None` when the address has its share.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Option<AddressPlace> {
        let network = neighbourhood_of(peer);
        let mut holders = self.lock();
        let holder = holders.entry(network).or_default();
        if holder.connections >= self.share {
            if !std::mem::replace(&mut holder.told, true) {
                tracing::warn!(%network, connections = self.share, "an address has its share of connections");
            }
            return None;
        }
        holder.connections += 1;
        Some(AddressPlace { addresses: Arc::clone(self), network })
    }

    fn give_back(&self, network: IpAddr) {
        let mut holders = self.lock();
        if let Entry::Occupied(mut holder) = holders.entry(network) {
            holder.get_mut().connections -= 1;
            if holder.get().connections == 0 {
                holder.remove();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Holder>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of an address's connections, given back when it ends.
pub(super) struct AddressPlace {
    addresses: Arc<Addresses>,
    network: IpAddr,
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        self.addresses.give_back(self.network);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_share_and_others_have_theirs() {
        let address = |text: &str| -> IpAddr { text.parse().expect("an address") };
        let addresses = Arc::new(Addresses::of(2 * ADDRESS_CONNECTIONS_PARTS * ADDRESS_CONNECTIONS_MIN));
        let share = 2 * ADDRESS_CONNECTIONS_MIN;
        for (all_of, other) in [
            (["192.0.2.1", "::ffff:192.0.2.1"], "192.0.2.2"),
            (["2001:db8::1", "2001:db8::ffff:0:0:1"], "2001:db8:0:1::1"),
        ] {
            let from = |n: usize| address(all_of[n % 2]);
            let mut held: Vec<_> = (0..share).map(|n| addresses.take(from(n)).expect("a share")).collect();
            assert!(addresses.take(from(0)).is_none() && addresses.take(from(1)).is_none());
            assert!(addresses.take(address(other)).is_some(), "{other} is somebody else");
            held.pop();
            assert!(addresses.take(from(0)).is_some(), "one has ended");
        }
        assert!(addresses.lock().is_empty(), "who holds none is not remembered");
        assert_eq!(Addresses::of(2).share, ADDRESS_CONNECTIONS_MIN);
    }
}
