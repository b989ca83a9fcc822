//! Bringing outcomes to disk, for as long as it takes.

use std::sync::Arc;
use std::time::Duration;

use signalpost_core::ports::Clock;
use signalpost_store::ledger::Finished;
use signalpost_store::{Store, StoreError};

use crate::metrics::Metrics;

const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Returns when the outcomes are stored. A store that refuses is asked again with growing pauses: an outcome
/// that is forgotten would be a request sent twice. Repeating is safe, the verb skips what is recorded.
pub(crate) async fn record(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    finished: Arc<Vec<Finished>>,
) {
    let mut pause = PAUSE_FIRST;
    while let Err(error) = store.finish(Arc::clone(&finished)).await {
        metrics.record_failures.add(1);
        let outcomes = finished.len();
        match error {
            // The store says it itself, once.
            StoreError::Full => tracing::debug!(outcomes, "outcomes wait for room on the disk"),
            _ => tracing::error!(outcomes, %error, "outcomes could not be recorded, trying again"),
        }
        clock.sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
