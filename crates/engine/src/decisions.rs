//! What filters have said of the events of one call.
//!
//! A filter says the same of the same event always. So it is asked once for each, however many webhooks have its text, and
//! however often the call chooses its targets anew because webhooks have changed.

use std::collections::HashMap;
use std::sync::Arc;

use crate::subscriptions::Subscriptions;

/// One byte for each event and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Admits,
    Refuses,
    /// It could not decide.
    Fails,
}

/// Takes no memory while nobody has a filter.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    /// Texts that were met, with their numbers.
    numbers: HashMap<Arc<str>, usize>,
    /// By the place of the event in the call, then by the number of the text.
    made: Vec<Vec<Option<Decision>>>,
    /// What all evaluations have taken.
    steps: u64,
}

/// Decisions about webhooks as they are known now.
#[derive(Debug)]
pub(crate) struct Round<'d> {
    pub(crate) subscriptions: &'d Subscriptions,
    /// Of the texts of the subscriptions, in their order.
    numbers: Vec<usize>,
    decisions: &'d mut Decisions,
}

impl Decisions {
    pub(crate) fn round<'d>(&'d mut self, subscriptions: &'d Subscriptions) -> Round<'d> {
        let mut number = |text: &Arc<str>| {
            let next = self.numbers.len();
            *self.numbers.entry(Arc::clone(text)).or_insert(next)
        };
        let numbers = subscriptions.filter_texts().iter().map(&mut number).collect();
        Round { subscriptions, numbers, decisions: self }
    }
}

impl Round<'_> {
    /// About the event at a place in the call, by the filter whose text is at this position in the subscriptions; `None` as
    /// long as it was not asked.
    pub(crate) fn decision(&mut self, event: usize, filter: usize) -> &mut Option<Decision> {
        let (made, number) = (&mut self.decisions.made, self.numbers[filter]);
        if made.len() <= event {
            made.resize_with(event + 1, Vec::new);
        }
        let made = &mut made[event];
        if made.len() <= number {
            made.resize(self.decisions.numbers.len(), None);
        }
        &mut made[number]
    }

    pub(crate) const fn add_steps(&mut self, steps: u64) {
        self.decisions.steps += steps;
    }

    /// What all evaluations for the call have taken, those of earlier rounds too.
    pub(crate) const fn steps(&self) -> u64 {
        self.decisions.steps
    }
}
