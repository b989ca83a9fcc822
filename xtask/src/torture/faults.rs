//! What went wrong beside deliveries: answers that no documentation knows, processes that end by themselves.

use std::sync::{Mutex, PoisonError};

/// Faults that are kept; of more only the number is.
const KEPT_MAX: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    first: Vec<String>,
    count: usize,
}

impl Faults {
    /// Notes a fault, and tells it at once: a long run can be stopped.
    pub(super) fn add(&self, fault: String) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.count += 1;
        if kept.first.len() < KEPT_MAX {
            println!("fault: {fault}");
            kept.first.push(fault);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    pub(super) fn first(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).first.first().cloned()
    }
}
