//! What takes something away, and what is answered to whoever comes too late for that.
//!
//! Who is told that something is gone relies on it as much as who was told that it goes now: nothing acts on it any more, on
//! any node. But the call that took it away may have been cut off before all nodes knew of it, or be waiting for that still.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;
use futures_util::future::{join, join_all};
use signalpost_core::error::{Error, ErrorCode};

use crate::Engine;

impl Engine {
    /// Does what takes something away. Where that is gone already, this returns when nothing acts on it any more.
    pub(crate) async fn take_away<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let done = {
            let _under_way = self.removals.begin();
            work.await
        };
        self.gone_everywhere(done).await
    }

    /// The same as `found`. What it says is not there, or was done before, is so on every node when this returns.
    pub async fn gone_everywhere<T>(&self, found: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &found
            && matches!(error.code, ErrorCode::NotFound | ErrorCode::Conflict)
        {
            self.settle().await?;
        }
        found
    }

    /// Returns when nothing acts on what was taken away until now, here or on any other node; `Unavailable` when nobody can say.
    pub async fn settle(&self) -> Result<(), Error> {
        let (settled, ()) = join(self.store.settle_changes(), self.removals.all_over()).await;
        Ok(settled?)
    }
}

/// Calls that take something away, from before they do so until this process does not act on it any more.
#[derive(Default)]
pub(crate) struct Removals(Mutex<UnderWay>);

/// Each with those who wait for its end: they are told by being dropped.
#[derive(Default)]
struct UnderWay {
    begun: u64,
    waiting: BTreeMap<u64, Vec<oneshot::Sender<()>>>,
}

/// One of them, until it is dropped.
struct Removal<'a> {
    removals: &'a Removals,
    number: u64,
}

impl Removals {
    fn begin(&self) -> Removal<'_> {
        let mut under_way = self.lock();
        let number = under_way.begun;
        under_way.begun += 1;
        under_way.waiting.insert(number, Vec::new());
        Removal { removals: self, number }
    }

    /// Resolves when all that are under way now have ended.
    fn all_over(&self) -> impl Future<Output = ()> + use<> {
        let mut under_way = self.lock();
        let wait = |waiting: &mut Vec<oneshot::Sender<()>>| {
            let (tell, told) = oneshot::channel();
            waiting.push(tell);
            told
        };
        let told: Vec<_> = under_way.waiting.values_mut().map(wait).collect();
        async move {
            join_all(told).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Removal<'_> {
    fn drop(&mut self) {
        self.removals.lock().waiting.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use futures_util::FutureExt;

    #[test]
    fn what_is_under_way_is_waited_for_and_what_begins_later_is_not() {
        let removals = Removals::default();
        assert!(removals.all_over().now_or_never().is_some(), "there is nothing");
        let (first, second) = (removals.begin(), removals.begin());
        let mut over = Box::pin(removals.all_over());
        let third = removals.begin();
        drop(second);
        assert!((&mut over).now_or_never().is_none(), "one is left");
        drop(first);
        assert!(over.now_or_never().is_some());
        drop(third);
        assert!(removals.lock().waiting.is_empty());
    }
}
