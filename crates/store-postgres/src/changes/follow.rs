//! Taking up what other nodes have changed.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate's edge to the world: timers of a runtime of its own"
)]

use std::sync::PoisonError;
use std::time::Duration;

use futures_util::future::{join, select};
use futures_util::pin_mut;
use signalpost_store::change::Change;

use super::read::{self, Page};
use super::settle;
use crate::failure::Failure;
use crate::pool::Pool;
use crate::queue::Queues;
use crate::shared::Shared;

pub(crate) const UPDATE_SEEN: &str = "UPDATE node SET seen = $1 WHERE token = $2";
/// Read at once.
const PAGE_ROWS: usize = 500;
/// Between two looks when nobody rings.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Takes up what others change, until the store is closed, and tells those who wait until others have taken something up.
pub(crate) async fn follow(pool: &Pool, queues: &Queues) {
    join(follow_others(pool, queues), settle::watch(pool)).await;
}

async fn follow_others(pool: &Pool, queues: &Queues) {
    let mut told = false;
    while !queues.is_closed() {
        let (rung, over) = (pool.shared.bells.changed.notified(), tokio::time::sleep(LOOK_EVERY));
        pin_mut!(rung, over);
        select(rung, over).await;
        match catch_up(pool).await {
            Ok(()) => told = false,
            Err(failure) if !std::mem::replace(&mut told, true) => {
                let problem = failure.describe();
                tracing::warn!(problem, "what other nodes have changed cannot be read, trying again");
            }
            Err(_) => {}
        }
    }
}

/// Takes up everything that others have changed so far.
pub(crate) async fn catch_up(pool: &Pool) -> Result<(), Failure> {
    let shared = &pool.shared;
    // One at a time: what is being taken up is not yet seen.
    let _turn = shared.catching_up.lock().await;
    let before = shared.seen.get();
    loop {
        let page = {
            let session = pool.take().await?;
            read::read_since(&session, shared.seen.get(), shared.origin, PAGE_ROWS).await?
        };
        let Page { upto, changes, is_full } = page;
        take_up(shared, changes.into_iter().map(|(_, change)| change).collect()).await;
        shared.seen.set(upto);
        if !is_full {
            break;
        }
    }
    if shared.seen.get() != before {
        let session = pool.take().await?;
        session.execute(UPDATE_SEEN, &[&shared.seen.get(), &shared.token.get()]).await?;
        drop(session);
        shared.bells.note_seen();
        shared.settling.note_seen_here();
    }
    Ok(())
}

async fn take_up(shared: &Shared, changes: Vec<Change>) {
    let listener = shared.board.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(listener) = listener.filter(|_| !changes.is_empty()) {
        listener.changed(changes).await;
    }
}
