//! Keeping what is stored within its bounds, for as long as the process runs; and saying how much that is.

use std::time::Duration;

use futures_util::{FutureExt, select_biased};
use signalpost_core::error::Error;
use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::{RETENTION_PAUSE_MAX, RETENTION_PAUSE_MIN, RETENTION_PAUSE_PER_LOOK};
use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::ledger::{Retain, Retained, Storage, Usage};

use crate::Engine;

/// Pause after a walk that failed: a store that is full or busy may need retention the most.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// Steps of a long walk between two looks at what the store takes.
const STEPS_A_LOOK: u32 = 1_000;

impl Engine {
    /// Removes what the rules do not let the store keep, now and from time to time. Never returns; run it once per
    /// process, beside the cores.
    pub async fn watch_retention(&self) {
        loop {
            let pause = match self.walk().await {
                Ok(pause) => pause,
                Err(error) => {
                    // That it is full the store says itself, once.
                    if !matches!(error, StoreError::Full) {
                        tracing::error!(%error, "retention could not go on, trying again");
                    }
                    PAUSE_AFTER_FAILURE
                }
            };
            self.look_at_storage().await;
            select_biased! {
                _ = self.retention_bell.take().fuse() => {}
                () = self.clock.sleep(pause).fuse() => {}
            }
        }
    }

    /// The rules where a workspace has none of its own.
    pub const fn retention(&self) -> &RetentionRules {
        &self.retention
    }

    pub async fn storage(&self) -> Result<Storage, Error> {
        Ok(self.store.storage().await?)
    }

    /// `NotFound` when the workspace is gone.
    pub async fn usage(&self, workspace: WorkspaceId) -> Result<Usage, Error> {
        self.store.usage(workspace).await?.ok_or_else(|| Error::not_found("workspace"))
    }

    /// One walk to its end. Returns the pause until the next.
    async fn walk(&self) -> Result<Duration, StoreError> {
        let mut steps = 0;
        loop {
            let now = self.clock.now();
            let done = self.store.retain(Retain { now, rules: self.retention.clone() }).await?;
            self.metrics.events_removed.add(done.events);
            self.metrics.payloads_removed.add(done.payloads);
            if !done.more {
                return Ok(pause_after(&done, now));
            }
            steps += 1;
            if steps % STEPS_A_LOOK == 0 {
                self.look_at_storage().await;
            }
        }
    }

    async fn look_at_storage(&self) {
        match self.store.storage().await {
            Ok(storage) => self.metrics.storage.set(&storage),
            Err(error) => tracing::debug!(%error, "what the store takes could not be read"),
        }
    }
}

/// Until the next thing is old, and long enough that looking in vain stays cheap.
fn pause_after(done: &Retained, now: Timestamp) -> Duration {
    let wait_ms = done.next_at.map(|at| u64::try_from(at.ms_since(now)).expect("never below zero"));
    let wait = wait_ms.map_or(RETENTION_PAUSE_MAX, Duration::from_millis);
    let looked = u32::try_from(done.looked).unwrap_or(u32::MAX);
    let least = RETENTION_PAUSE_MIN.max(RETENTION_PAUSE_PER_LOOK.saturating_mul(looked));
    wait.min(RETENTION_PAUSE_MAX).max(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_rest_until_something_is_old_and_longer_after_looks_in_vain() {
        let now = Timestamp::from_ms(1_000_000);
        let pause_s = |wait_ms: Option<i64>, looked| {
            let next_at = wait_ms.map(|ms| now.plus_ms(ms));
            pause_after(&Retained { next_at, looked, ..Retained::default() }, now).as_secs()
        };
        assert_eq!(pause_s(None, 0), 60);
        assert_eq!(pause_s(Some(86_400_000), 0), 60);
        assert_eq!(pause_s(Some(5_000), 10), 5);
        assert_eq!(pause_s(Some(3), 0), 1);
        assert_eq!(pause_s(Some(3), 1_000_000), 100);
        assert_eq!(pause_s(None, u64::MAX), 429_496, "some days, not an overflow");
    }
}
