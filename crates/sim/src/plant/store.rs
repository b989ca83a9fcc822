//! A store that does something else with some calls than it was asked to. `store_verbs` has the verbs.

use std::future::ready;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use signalpost_core::attempt::Verdict;
use signalpost_core::event::{Event, Sequence};
use signalpost_core::webhook::Remembered as RememberedWebhook;
use signalpost_store::ledger::{AcceptEvent, Accepted, DueLane, Finished, Repeated, Stored};
use signalpost_store::{Answer, CommitListener, Store, StoreError};

use crate::chance::SharedChance;
use crate::clock::SimClock;
use crate::plant::Plant;
use crate::plant::lanes::FirstAnswers;
use crate::plant::outcomes::{Remembered, judged_anew, without_health};
use crate::plant::unsynced::Unsynced;
use crate::trouble::Trouble;

/// Pause of what is done later that should have been done at once.
const LATER_US: u64 = 1_500_000;

pub(crate) struct PlantedStore {
    pub(crate) plant: Plant,
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) trouble: Arc<Trouble>,
    pub(crate) lanes: Arc<FirstAnswers>,
    pub(crate) outcomes: Arc<Remembered>,
    pub(crate) unsynced: Arc<Unsynced>,
    /// Who is told of commits.
    listener: Mutex<Option<Arc<dyn CommitListener>>>,
    chance: Arc<SharedChance>,
}

impl PlantedStore {
    pub(crate) fn new(
        plant: Plant,
        inner: Arc<dyn Store>,
        chance: Arc<SharedChance>,
        trouble: Arc<Trouble>,
        unsynced: Unsynced,
    ) -> Self {
        Self {
            plant,
            inner,
            trouble,
            lanes: Arc::default(),
            outcomes: Arc::default(),
            unsynced: Arc::new(unsynced),
            listener: Mutex::default(),
            chance,
        }
    }

    pub(crate) fn hear(&self, listener: &Arc<dyn CommitListener>) {
        *self.listener.lock().expect("nobody panics while listening") = Some(Arc::clone(listener));
    }

    /// The same answer, and cores that go on as if it were good. Of a commit that succeeds they hear in any case.
    pub(crate) fn told_early<T: Send + 'static>(
        &self,
        events: &[AcceptEvent],
        answer: Answer<T>,
    ) -> Answer<T> {
        let listener = self.listener.lock().expect("nobody panics while listening").clone();
        let events: Vec<Stored> = events.iter().map(as_if_stored).collect();
        Box::pin(async move {
            let answer = answer.await;
            if let (Err(StoreError::Full | StoreError::Unavailable(_)), Some(listener)) = (&answer, listener)
            {
                listener.accepted(events);
            }
            answer
        })
    }

    /// Does from time to time what was answered for already. Never returns; dies with its process.
    pub(crate) async fn catch_up(self: Arc<Self>, clock: SimClock) {
        loop {
            clock.sleep_us(LATER_US).await;
            if self.plant == Plant::AcknowledgeEarly {
                self.unsynced.sync();
            }
            for finished in self.outcomes.take_confirmed() {
                if self.inner.finish(Arc::clone(&finished)).await.is_err() {
                    self.outcomes.confirm(finished);
                }
            }
        }
    }

    pub(crate) fn hit(&self, odds_permille: u64) -> bool {
        self.chance.draw().permille(odds_permille)
    }

    /// A call that goes through as it is.
    pub(crate) fn through<T>(
        &self,
        _verb: &'static str,
        call: impl FnOnce(&dyn Store) -> Answer<T>,
    ) -> Answer<T> {
        self.unsynced.touch();
        call(self.inner.as_ref())
    }

    pub(crate) fn take_outcomes(&self, finished: Arc<Vec<Finished>>) -> Answer<()> {
        self.unsynced.touch();
        match self.plant {
            Plant::ForgetOutcome if self.hit(20) => Box::pin(ready(Ok(()))),
            Plant::LoseOutcomesAtStop => {
                self.outcomes.confirm(finished);
                Box::pin(ready(Ok(())))
            }
            Plant::ForgetHealth => self.inner.finish(without_health(&finished)),
            Plant::HoldForNothing => self.inner.finish(judged_anew(&finished, |verdict| match verdict {
                Verdict::RetryAt(at) if self.hit(50) => Some(Verdict::HeldUntil(at)),
                _ => None,
            })),
            Plant::GiveUpHeld => self.inner.finish(judged_anew(&finished, |verdict| {
                matches!(verdict, Verdict::HeldUntil(_)).then_some(Verdict::GiveUp)
            })),
            Plant::TryEndedAgain => {
                self.outcomes.note_end(&finished);
                self.inner.finish(finished)
            }
            _ => self.inner.finish(finished),
        }
    }
}

/// Changes what was answered.
pub(crate) fn bent<T: Send + 'static>(
    answer: Answer<T>,
    bend: impl FnOnce(T) -> T + Send + 'static,
) -> Answer<T> {
    Box::pin(answer.map(|answer| answer.map(bend)))
}

fn as_if_stored(event: &AcceptEvent) -> Stored {
    let AcceptEvent { id, workspace, content, targets, ordered, accepted_at, .. } = event.clone();
    let (sequence, payload_removed_at) = (Sequence(1), None);
    let event = Event { id, workspace, sequence, content, targets, accepted_at, payload_removed_at };
    Stored { event: Arc::new(event), told_apart: ordered }
}

/// The answer of a store that stores nothing.
pub(crate) fn pretend(events: &[AcceptEvent]) -> Vec<Accepted> {
    let accepted = |event: &AcceptEvent| Accepted {
        id: event.id,
        sequence: Sequence(1),
        deliveries: event.targets.len(),
        repeated: Repeated::No,
    };
    events.iter().map(accepted).collect()
}

pub(crate) fn without_first(mut lanes: Vec<DueLane>) -> Vec<DueLane> {
    if !lanes.is_empty() {
        lanes.remove(0);
    }
    lanes
}

pub(crate) fn as_if_unchanged(mut webhook: RememberedWebhook) -> RememberedWebhook {
    match &mut webhook {
        RememberedWebhook::Living(webhook) => webhook.settled_after = webhook.created_after,
        RememberedWebhook::Deleted(tombstone) => tombstone.settled_after = tombstone.created_after,
    }
    webhook
}

/// Each with its neighbour's place.
pub(crate) fn swapped(accepted: Vec<Accepted>) -> Vec<Accepted> {
    let swap = |one: Accepted| Accepted { sequence: neighbour(one.sequence), ..one };
    accepted.into_iter().map(swap).collect()
}

pub(crate) fn swapped_event(event: &Arc<Event>) -> Arc<Event> {
    Arc::new(Event { sequence: neighbour(event.sequence), ..Event::clone(event) })
}

const fn neighbour(sequence: Sequence) -> Sequence {
    Sequence(sequence.0 ^ 1)
}
