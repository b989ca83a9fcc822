//! Tidying up what every commit leaves behind, by the store itself: as fast as it comes, in small steps with pauses between
//! them, so that everybody else's work goes in between. Upkeep at its slow pace does the same.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate's edge to the world: a timer of a runtime of its own"
)]

use std::time::Duration;

use signalpost_store::StoreError;

use crate::changes::prune::prune;
use crate::ledger::upkeep;
use crate::pool::Pool;
use crate::queue::Queues;

/// Between two looks for something to do.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Superseded places are looked for among all that there are, so with every so many looks only.
const LOOKS_FOR_PLACES: u64 = 60;
/// Between two steps of some milliseconds each.
const PAUSE: Duration = Duration::from_millis(10);

/// Until the store is closed.
pub(crate) async fn keep(pool: &Pool, queues: &Queues) {
    let mut told = false;
    for look in 1_u64.. {
        tokio::time::sleep(LOOK_EVERY).await;
        if queues.is_closed() {
            return;
        }
        let tidied = if look.is_multiple_of(LOOKS_FOR_PLACES) {
            all(pool, queues).await
        } else {
            new(pool, queues).await
        };
        match tidied {
            Ok(()) => told = false,
            // What is away is looked for elsewhere, and said there.
            Err(error) if !std::mem::replace(&mut told, true) => {
                tracing::warn!(%error, "nothing can be tidied up, trying again");
            }
            Err(_) => {}
        }
    }
}

async fn all(pool: &Pool, queues: &Queues) -> Result<(), StoreError> {
    new(pool, queues).await?;
    go_on(queues, async || prune(pool).await).await?;
    go_on(queues, async || upkeep::forget_places(pool).await).await
}

async fn new(pool: &Pool, queues: &Queues) -> Result<(), StoreError> {
    go_on(queues, async || upkeep::add_tallies_up(pool).await).await?;
    go_on(queues, async || upkeep::tidy_owed(pool).await).await
}

/// Does steps for as long as there is more.
async fn go_on(queues: &Queues, step: impl AsyncFn() -> Result<bool, StoreError>) -> Result<(), StoreError> {
    while !queues.is_closed() && step().await? {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
