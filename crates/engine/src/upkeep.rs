//! Keeping house: secrets are wiped when their time has come. What else has had its time is retention's business.

use signalpost_core::limits::{UPKEEP_INTERVAL, UPKEEP_STEPS_MAX};
use signalpost_store::StoreError;

use crate::Engine;

impl Engine {
    /// Wipes what has expired, now and from time to time. Never returns; run it once per process.
    pub async fn keep_house(&self) {
        loop {
            if let Err(error) = self.tidy_up().await {
                tracing::warn!(%error, "secrets that have expired could not be wiped, trying again later");
            }
            self.clock.sleep(UPKEEP_INTERVAL).await;
        }
    }

    /// Each step is an operation like any other, so that whoever else writes goes in between.
    async fn tidy_up(&self) -> Result<(), StoreError> {
        for _ in 0..UPKEEP_STEPS_MAX {
            if !self.store.upkeep(self.clock.now()).await? {
                break;
            }
        }
        Ok(())
    }
}
