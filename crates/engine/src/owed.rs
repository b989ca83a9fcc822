//! Looking for what is owed and nobody thinks of: everything after a start, strays later.

use std::time::Duration;

use futures_util::future::select;
use futures_util::pin_mut;
use signalpost_core::limits::{RECONCILE_INTERVAL, RECONCILE_INTERVAL_MAX, RECONCILE_REST_FACTOR};
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
            let began = self.clock.monotonic();
            if let Err(error) = self.ring_for_owed().await {
                tracing::error!(%error, "owed deliveries could not be looked up, trying again later");
            }
            let took = Duration::from_micros(self.clock.monotonic().us_since(began));
            let (sleep, rung) = (self.clock.sleep(rest_after(took)), self.owed_bell.take());
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

fn rest_after(look: Duration) -> Duration {
    (look * RECONCILE_REST_FACTOR).clamp(RECONCILE_INTERVAL, RECONCILE_INTERVAL_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_take_long_are_rare() {
        let rests = [0, 300, 301, 2_000, 3_000, 60_000].map(Duration::from_millis).map(rest_after);
        assert_eq!(rests.map(|rest| rest.as_millis()), [30_000, 30_000, 30_100, 200_000, 300_000, 300_000]);
    }
}
