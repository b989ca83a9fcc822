//! Telling others.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate's edge to the world: a timer of a runtime of its own"
)]

use std::time::Duration;

use super::message;
use crate::failure::Failure;
use crate::locks;
use crate::pool::Pool;
use crate::queue::Queues;

pub(crate) const NOTIFY: &str = "SELECT pg_notify($1, p) FROM unnest($2::text[]) AS p";
/// Under load others are told of many commits at once: a notification costs more than what is in it.
const PAUSE: Duration = Duration::from_millis(3);

/// Tells others of what is to be told, until the store is closed.
pub(crate) async fn ring(pool: &Pool, queues: &Queues) {
    let bells = &pool.shared.bells;
    while !queues.is_closed() {
        bells.rung.notified().await;
        let pending = bells.pending.take();
        // It is a hint, and whoever could not be told looks for it in time.
        if let Err(failure) = tell(pool, &message::write(&pending, pool.shared.origin)).await {
            tracing::debug!(problem = failure.describe(), "other nodes could not be told of a commit");
        }
        tokio::time::sleep(pool.shared.patience(PAUSE)).await;
    }
}

/// Tells others at once that lane groups are free: whoever does so is about to end.
pub(crate) async fn tell_given(pool: &Pool) -> Result<(), Failure> {
    tell(pool, &[message::given(pool.shared.origin)]).await
}

async fn tell(pool: &Pool, texts: &[String]) -> Result<(), Failure> {
    if !texts.is_empty() {
        let session = pool.take().await?;
        session.execute(NOTIFY, &[&locks::channel(pool.shared.schema_key), &texts]).await?;
    }
    Ok(())
}
