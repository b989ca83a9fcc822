//! Who delivers what, where several nodes share a store.

use signalpost_core::error::Error;
use signalpost_store::Ownership;
use signalpost_store::cluster::Cluster;

use crate::Engine;

impl Engine {
    /// Every node and every lane group with its owner, as the store says.
    pub async fn cluster(&self) -> Result<Cluster, Error> {
        Ok(self.store.cluster().await?)
    }

    /// What this node delivers for.
    pub fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    /// Whether this node may rely on that right now. It starts nothing while it may not.
    pub fn trusts_its_lease(&self) -> bool {
        self.ownership.is_trusted(self.clock.monotonic())
    }
}
