//! How much memory the bodies that callers of one address are sending may take together.
//!
//! Small bodies take no part in it: their number is bounded by the connections. A large one is counted as it arrives and
//! until its call is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::SMALL_BODY_BYTES_MAX;

/// What is left of the memory for large bodies.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    left_bytes: AtomicUsize,
}

impl BodyBudget {
    pub(crate) const fn new(bytes: usize) -> Self {
        Self { left_bytes: AtomicUsize::new(bytes) }
    }

    fn take(&self, bytes: usize) -> Result<(), Error> {
        let less = |left: usize| left.checked_sub(bytes);
        let taken = self.left_bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        taken.map(drop).map_err(|_left| exhausted())
    }

    fn give_back(&self, bytes: usize) {
        self.left_bytes.fetch_add(bytes, Ordering::AcqRel);
    }
}

fn exhausted() -> Error {
    let message = "too many large bodies are on their way; nothing was stored, try again";
    Error::new(ErrorCode::Unavailable, message)
}

/// What one body has taken, given back when it is dropped.
pub(crate) struct BodyShare {
    /// Nothing is counted without one.
    budget: Option<Arc<BodyBudget>>,
    taken_bytes: usize,
}

impl BodyShare {
    pub(crate) const fn of(budget: Option<Arc<BodyBudget>>) -> Self {
        Self { budget, taken_bytes: 0 }
    }

    /// Refused when a body of this length would find no room as things are; takes nothing.
    pub(crate) fn check(&self, bytes: usize) -> Result<(), Error> {
        let Some(budget) = self.budget.as_ref().filter(|_| bytes > SMALL_BODY_BYTES_MAX) else {
            return Ok(());
        };
        if budget.left_bytes.load(Ordering::Acquire) < bytes { Err(exhausted()) } else { Ok(()) }
    }

    /// Takes what is missing for this many bytes in all.
    pub(crate) fn cover(&mut self, bytes: usize) -> Result<(), Error> {
        let Some(budget) = self.budget.as_ref().filter(|_| bytes > SMALL_BODY_BYTES_MAX) else {
            return Ok(());
        };
        budget.take(bytes.saturating_sub(self.taken_bytes))?;
        self.taken_bytes = bytes;
        Ok(())
    }
}

impl Drop for BodyShare {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.give_back(self.taken_bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_share_what_there_is_and_small_ones_take_nothing() {
        let small = SMALL_BODY_BYTES_MAX;
        let budget = Arc::new(BodyBudget::new(3 * small));
        let share = || BodyShare::of(Some(Arc::clone(&budget)));
        let left = || budget.left_bytes.load(Ordering::SeqCst);
        let (mut one, mut other) = (share(), share());
        one.cover(small).expect("it is small");
        assert_eq!(left(), 3 * small);
        one.cover(small + 1).expect("there is room");
        assert_eq!(left(), 2 * small - 1, "all of it counts once it is large");
        one.cover(2 * small).expect("there is room");
        assert_eq!(left(), small);
        let refused = other.cover(2 * small).expect_err("one small body's worth is left");
        assert_eq!(refused.code, ErrorCode::Unavailable);
        assert!(other.check(2 * small).is_err() && other.check(small).is_ok());
        other.cover(small).expect("small ones pass");
        drop(one);
        assert_eq!(left(), 3 * small);
        assert!(other.check(2 * small).is_ok());
        other.cover(3 * small).expect("now there is room");
        drop(other);
        assert_eq!(left(), 3 * small);
        BodyShare::of(None).cover(usize::MAX).expect("nobody counts");
    }
}
