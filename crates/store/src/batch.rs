//! Group commit as a pure state machine: what waits, and what goes into the next commit.
//!
//! A commit takes whatever has gathered while the one before it was being written, so batches grow with load by
//! themselves. What somebody waits for never lingers; what nobody waits for may, so that it shares a commit which is made
//! anyway. The writer thread and the simulator's inline executor are two shells around this.

use std::collections::VecDeque;

/// Bounds of one commit and of the queue before it.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    pub operations_max: usize,
    pub bytes_max: usize,
    pub waiting_operations_max: usize,
    pub waiting_bytes_max: usize,
}

/// Operations in order of arrival with their weight in bytes.
#[derive(Debug)]
pub struct Batcher<T> {
    limits: BatchLimits,
    waiting: VecDeque<(T, usize)>,
    waiting_bytes: usize,
    /// Somebody waits for an operation among these.
    hurried: bool,
}

impl<T> Batcher<T> {
    pub const fn new(limits: BatchLimits) -> Self {
        Self { limits, waiting: VecDeque::new(), waiting_bytes: 0, hurried: false }
    }

    /// Queues an operation, or gives it back when the queue is full. A queue that is empty takes any operation.
    pub fn push(&mut self, operation: T, bytes: usize) -> Result<(), T> {
        let full = self.waiting.len() >= self.limits.waiting_operations_max
            || self.waiting_bytes.saturating_add(bytes) > self.limits.waiting_bytes_max;
        if full && !self.waiting.is_empty() {
            return Err(operation);
        }
        self.push_always(operation, bytes);
        Ok(())
    }

    /// Queues an operation whatever the bounds say: for outcomes, which must not be lost and are bounded by the
    /// attempts in flight.
    pub fn push_always(&mut self, operation: T, bytes: usize) {
        self.push_patient(operation, bytes);
        self.hurried = true;
    }

    /// The same for an operation that nobody waits for.
    pub fn push_patient(&mut self, operation: T, bytes: usize) {
        self.waiting.push_back((operation, bytes));
        self.waiting_bytes += bytes;
    }

    /// The operations of the next commit, oldest first: as many as fit, and at least one if any waits.
    pub fn take(&mut self) -> Vec<T> {
        let mut batch = Vec::new();
        self.top_up(&mut batch, 0, |_| true);
        batch
    }

    /// Adds to a commit that weighs so many bytes what has come since it was taken: oldest first, as many as fit, and none
    /// behind one that may not go along. An empty commit takes any operation.
    pub fn top_up(&mut self, batch: &mut Vec<T>, mut bytes: usize, mut goes_along: impl FnMut(&T) -> bool) {
        while let Some((operation, weight)) = self.waiting.front() {
            let over = batch.len() >= self.limits.operations_max
                || bytes.saturating_add(*weight) > self.limits.bytes_max;
            if (over && !batch.is_empty()) || !goes_along(operation) {
                break;
            }
            let (operation, weight) = self.waiting.pop_front().expect("just seen");
            bytes += weight;
            self.waiting_bytes -= weight;
            batch.push(operation);
        }
        self.hurried &= !self.waiting.is_empty();
    }

    /// Whether the next commit should be made at once.
    pub const fn is_hurried(&self) -> bool {
        self.hurried
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BatchLimits =
        BatchLimits { operations_max: 3, bytes_max: 10, waiting_operations_max: 5, waiting_bytes_max: 20 };

    #[test]
    fn takes_in_order_within_both_bounds() {
        let mut batcher = Batcher::new(LIMITS);
        for (name, bytes) in [("a", 4), ("b", 4), ("c", 4), ("d", 1), ("e", 1)] {
            batcher.push(name, bytes).expect("room");
        }
        assert_eq!(batcher.take(), ["a", "b"], "c would pass ten bytes");
        assert_eq!(batcher.take(), ["c", "d", "e"]);
        assert!(batcher.is_empty());
        assert!(batcher.take().is_empty());
    }

    #[test]
    fn a_commit_is_filled_up_to_its_bounds_and_no_further_than_one_that_may_not_go_along() {
        let mut batcher = Batcher::new(LIMITS);
        batcher.push("a", 4).expect("room");
        let mut batch = batcher.take();
        for (name, bytes) in [("b", 4), ("other", 1), ("c", 1)] {
            batcher.push(name, bytes).expect("room");
        }
        batcher.top_up(&mut batch, 4, |name| *name != "other");
        assert_eq!(batch, ["a", "b"], "c came behind the other");
        batcher.top_up(&mut batch, 8, |_| true);
        assert_eq!(batch, ["a", "b", "other"], "three are the most");
        assert_eq!(batcher.take(), ["c"]);
    }

    #[test]
    fn an_operation_above_the_bound_goes_alone() {
        let mut batcher = Batcher::new(LIMITS);
        batcher.push("huge", 50).expect("an empty queue takes anything");
        assert_eq!(batcher.push("next", 1), Err("next"), "the queue is over its bytes");
        batcher.push_always("outcome", 1);
        assert_eq!(batcher.take(), ["huge"]);
        assert_eq!(batcher.take(), ["outcome"]);
    }

    #[test]
    fn what_nobody_waits_for_goes_with_what_somebody_does() {
        let mut batcher = Batcher::new(LIMITS);
        batcher.push_patient("outcome", 1);
        assert!(!batcher.is_hurried() && !batcher.is_empty());
        batcher.push("event", 1).expect("room");
        assert!(batcher.is_hurried());
        assert_eq!(batcher.take(), ["outcome", "event"]);
        batcher.push_patient("another", 1);
        assert!(!batcher.is_hurried(), "the hurry went with the commit");
    }

    #[test]
    fn what_a_commit_leaves_is_in_as_much_hurry() {
        let mut batcher = Batcher::new(LIMITS);
        batcher.push_patient("huge", 50);
        batcher.push_always("change", 1);
        assert_eq!(batcher.take(), ["huge"]);
        assert!(batcher.is_hurried());
        assert_eq!(batcher.take(), ["change"]);
        assert!(!batcher.is_hurried());
    }

    #[test]
    fn a_full_queue_gives_the_operation_back() {
        let mut batcher = Batcher::new(LIMITS);
        for _ in 0..5 {
            batcher.push("x", 1).expect("room");
        }
        assert_eq!(batcher.push("y", 1), Err("y"));
    }
}
