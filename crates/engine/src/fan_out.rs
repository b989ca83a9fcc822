//! Who gets an event: those who want it by its type and subject, and whose filter admits it.

use signalpost_core::event::EventContent;
use signalpost_core::explain::FilterVerdict;
use signalpost_core::id::WebhookId;
use signalpost_core::limits::FILTER_STEPS_BETWEEN_TURNS;
use signalpost_core::ports::Clock;
use signalpost_filter::Subject;

use crate::Engine;
use crate::decisions::{Decision, Round};

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
    /// For the event at a place in the call. Costs nothing beyond the choice by type and subject unless a webhook of the
    /// workspace has a filter; asks each text of a filter once, and reads the event's data once at most. Others have their
    /// turn in between when there is much to do.
    pub(crate) async fn targets(
        &self,
        round: &mut Round<'_>,
        place: usize,
        content: &EventContent,
        pace: &mut Pace<'_>,
    ) -> Targets {
        let subscriptions = round.subscriptions;
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
            let ask = || self.decide(&subscriptions.filter_texts()[filter], &subject);
            match round.decision(place, filter).get_or_insert_with(ask) {
                Decision::Admits => targets.webhooks.push(webhook),
                Decision::Refuses => targets.turned_away.filtered_out += 1,
                Decision::Fails => targets.turned_away.failed += 1,
            }
            pace.spend(subject.steps() - before + STEPS_PER_FILTER).await;
        }
        round.add_steps(subject.evaluation_steps());
        targets
    }

    fn decide(&self, filter: &str, subject: &Subject<'_>) -> Decision {
        self.metrics.filter_evaluations.add(1);
        match self.filters.judge(filter, subject) {
            FilterVerdict::Admits => Decision::Admits,
            FilterVerdict::Refuses => Decision::Refuses,
            FilterVerdict::Failed(_) | FilterVerdict::PayloadRemoved => Decision::Fails,
        }
    }
}

/// Counts work, and lets others have their turn when it was much.
pub(crate) struct Pace<'c> {
    clock: &'c dyn Clock,
    steps: u64,
}

impl<'c> Pace<'c> {
    pub(crate) fn by(clock: &'c dyn Clock) -> Self {
        Self { clock, steps: 0 }
    }

    pub(crate) async fn spend(&mut self, steps: u64) {
        self.steps += steps;
        if self.steps >= FILTER_STEPS_BETWEEN_TURNS {
            self.steps = 0;
            self.clock.give_way().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::future::{pending, ready};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use signalpost_core::ports::BoxFuture;
    use signalpost_core::time::{Monotonic, Timestamp};
    use signalpost_store::testing::block_on::block_on;

    /// Counts how often somebody gives way.
    #[derive(Default)]
    struct Turns(AtomicU64);

    impl Clock for Turns {
        fn now(&self) -> Timestamp {
            Timestamp::from_ms(0)
        }

        fn monotonic(&self) -> Monotonic {
            Monotonic::from_us(0)
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(pending())
        }

        fn give_way(&self) -> BoxFuture<'static, ()> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(ready(()))
        }
    }

    #[test]
    fn others_have_their_turn_as_often_as_much_was_done() {
        let turns = |count: u64, steps: u64| {
            let clock = Turns::default();
            let mut pace = Pace::by(&clock);
            (0..count).for_each(|_| block_on(pace.spend(steps)));
            clock.0.load(Ordering::SeqCst)
        };
        assert_eq!(turns(1_000, 1), 0, "ordinary filters cost no turn");
        assert_eq!(turns(1_000, FILTER_STEPS_BETWEEN_TURNS / 10), 100);
        assert_eq!(turns(3, 10 * FILTER_STEPS_BETWEEN_TURNS), 3);
    }
}
