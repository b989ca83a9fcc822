//! Looking for what is owed and nobody thinks of: everything after a start, strays later.

use std::time::Duration;

use futures_util::future::select;
use futures_util::pin_mut;
use signalpost_core::limits::RECONCILE_INTERVAL;
use signalpost_store::ledger::DueLanes;

use crate::Engine;
use crate::oldest_due::Look;

/// Lanes told of in one step. A lane takes its own deliveries in pages after that.
const LANES_A_STEP: usize = 1_000;

/// Between looks at whether the cores run; they need some milliseconds to start.
const CORES_PAUSE: Duration = Duration::from_millis(2);

impl Engine {
    /// Tells the delivery cores of everything that is owed, now and from time to time. Never returns; run it once
    /// per process, beside the cores.
    pub async fn watch_owed(&self) {
        // A core that does not run yet would not hear, and what is owed would wait for the next round.
        while !self.doorbell.is_open() {
            self.clock.sleep(CORES_PAUSE).await;
        }
        loop {
            if let Err(error) = self.ring_for_owed().await {
                tracing::error!(%error, "owed deliveries could not be looked up, trying again later");
            }
            let (sleep, rung) = (self.clock.sleep(RECONCILE_INTERVAL), self.owed_bell.take());
            pin_mut!(rung);
            select(sleep, rung).await;
        }
    }

    async fn ring_for_owed(&self) -> Result<(), signalpost_store::StoreError> {
        let (mut after, mut look) = (None, Look::begin(self.clock.now()));
        loop {
            let lanes = self.store.due_lanes(DueLanes { after, limit: LANES_A_STEP }).await?;
            let Some(last) = lanes.last() else { break };
            after = Some(last.webhook);
            look.see(&lanes);
            self.doorbell.owed(&lanes);
        }
        self.metrics.oldest_due.saw(look);
        Ok(())
    }
}
