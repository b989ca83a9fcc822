//! Bringing outcomes to disk, for as long as it takes.

use std::sync::Arc;
use std::time::Duration;

use signalpost_core::ports::Clock;
use signalpost_store::ledger::Finished;
use signalpost_store::{Store, StoreError};

use crate::metrics::Metrics;

/// The outcomes of a core wait behind those that a store refuses: the pauses stay short, so that little is unrecorded once the
/// store is back, and would be sent again after a crash.
const PAUSE_FIRST: Duration = Duration::from_millis(25);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// Returns when the outcomes are stored. A store that refuses is asked again after short pauses: an outcome
/// that is forgotten would be a request sent twice. Repeating is safe, the verb skips what is recorded.
pub(crate) async fn record(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    finished: Arc<Vec<Finished>>,
) {
    let outcomes = finished.len();
    let (mut pause, mut refusals) = (PAUSE_FIRST, 0_u32);
    while let Err(error) = store.finish(Arc::clone(&finished)).await {
        metrics.record_failures.add(1);
        refusals += 1;
        match error {
            // The store says it itself, once.
            StoreError::Full => tracing::debug!(outcomes, "outcomes wait for room on the disk"),
            _ if refusals > 1 => tracing::debug!(outcomes, refusals, %error, "outcomes still wait"),
            _ => tracing::error!(outcomes, %error, "outcomes could not be recorded, trying again"),
        }
        clock.sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
    if refusals > 0 {
        tracing::info!(outcomes, refusals, "outcomes that were refused are recorded");
    }
}
