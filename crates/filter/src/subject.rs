//! An event as filters see it. Its data is read when the first filter asks for it, and once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use signalpost_core::event::EventContent;

use crate::data::Data;

/// Bytes of data that are read in the time of a step.
const BYTES_PER_STEP: u64 = 4;

#[derive(Debug)]
pub struct Subject<'a> {
    content: &'a EventContent,
    data: OnceLock<Result<Data<'a>, String>>,
    steps: AtomicU64,
    evaluation_steps: AtomicU64,
}

impl<'a> Subject<'a> {
    /// Costs nothing yet.
    pub const fn of(content: &'a EventContent) -> Self {
        let (steps, evaluation_steps) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { content, data: OnceLock::new(), steps, evaluation_steps }
    }

    /// What all filters have cost that were asked about this event, the reading of its data included, in steps.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// What evaluating has cost of that: the same for the same filters, whatever was compiled or read before.
    pub fn evaluation_steps(&self) -> u64 {
        self.evaluation_steps.load(Ordering::Relaxed)
    }

    /// Work that was done for this event beside asking filters.
    pub fn add_steps(&self, steps: u64) {
        self.steps.fetch_add(steps, Ordering::Relaxed);
    }

    pub(crate) fn add_evaluation(&self, steps: u64) {
        self.evaluation_steps.fetch_add(steps, Ordering::Relaxed);
        self.add_steps(steps);
    }

    pub(crate) const fn content(&self) -> &'a EventContent {
        self.content
    }

    /// The error is a sentence.
    pub(crate) fn data(&self) -> Result<&Data<'a>, &str> {
        let read = || {
            let bytes = u64::try_from(self.content.data.len()).unwrap_or(u64::MAX);
            self.add_steps(bytes / BYTES_PER_STEP);
            Data::read(&self.content.data)
        };
        self.data.get_or_init(read).as_ref().map_err(String::as_str)
    }
}
