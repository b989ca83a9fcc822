//! Who gets an event: those who want it by its type and subject, and whose filter admits it.

use std::future::poll_fn;
use std::task::Poll;

use signalpost_core::event::EventContent;
use signalpost_core::explain::FilterVerdict;
use signalpost_core::id::WebhookId;
use signalpost_core::limits::FILTER_STEPS_BETWEEN_TURNS;
use signalpost_filter::Subject;

use crate::Engine;
use crate::subscriptions::Subscriptions;

/// Steps of work that the bookkeeping for one filter stands for.
const STEPS_PER_FILTER: u64 = 10;

/// The webhooks that get an event.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    /// Oldest first.
    pub(crate) webhooks: Vec<WebhookId>,
    pub(crate) turned_away: TurnedAway,
}

/// Webhooks that had selected an event and do not get it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TurnedAway {
    pub(crate) filtered_out: usize,
    /// Their filter could not decide.
    pub(crate) failed: usize,
}

impl Engine {
    /// Costs nothing beyond the choice by type and subject unless a webhook of the workspace has a filter, and reads the
    /// event's data once at most. Others have their turn in between when there is much to do.
    pub(crate) async fn targets(
        &self,
        subscriptions: &Subscriptions,
        content: &EventContent,
        pace: &mut Pace,
    ) -> Targets {
        let candidates = subscriptions.candidates(&content.event_type, content.subject.as_deref());
        if !subscriptions.has_filters() {
            return Targets { webhooks: candidates, turned_away: TurnedAway::default() };
        }
        let subject = Subject::of(content);
        let mut targets = Targets::default();
        for webhook in candidates {
            let Some(filter) = subscriptions.filter_of(webhook) else {
                targets.webhooks.push(webhook);
                continue;
            };
            let before = subject.steps();
            match self.filters.judge(filter, &subject) {
                FilterVerdict::Admits => targets.webhooks.push(webhook),
                FilterVerdict::Refuses => targets.turned_away.filtered_out += 1,
                FilterVerdict::Failed(_) | FilterVerdict::PayloadRemoved => targets.turned_away.failed += 1,
            }
            pace.spend(subject.steps() - before + STEPS_PER_FILTER).await;
        }
        targets
    }
}

/// Counts work, and lets others have their turn when it was much.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    steps: u64,
}

impl Pace {
    pub(crate) async fn spend(&mut self, steps: u64) {
        self.steps += steps;
        if self.steps >= FILTER_STEPS_BETWEEN_TURNS {
            self.steps = 0;
            give_way().await;
        }
    }
}

/// Goes to the end of the executor's queue.
async fn give_way() {
    let mut has_given_way = false;
    poll_fn(|context| {
        if has_given_way {
            return Poll::Ready(());
        }
        has_given_way = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::pin::pin;
    use std::task::{Context, Waker};

    /// How often a future waits when it is asked again at once each time.
    fn turns(work: impl Future<Output = ()>) -> usize {
        let mut work = pin!(work);
        let mut context = Context::from_waker(Waker::noop());
        let mut turns = 0;
        while work.as_mut().poll(&mut context).is_pending() {
            turns += 1;
        }
        turns
    }

    #[test]
    fn others_have_their_turn_as_often_as_much_was_done() {
        let spend = async |count: u64, steps: u64| {
            let mut pace = Pace::default();
            for _ in 0..count {
                pace.spend(steps).await;
            }
        };
        assert_eq!(turns(spend(1_000, 1)), 0, "ordinary filters cost no turn");
        assert_eq!(turns(spend(1_000, FILTER_STEPS_BETWEEN_TURNS / 10)), 100);
        assert_eq!(turns(spend(3, 10 * FILTER_STEPS_BETWEEN_TURNS)), 3);
    }
}
