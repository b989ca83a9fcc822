//! What was done to a world, counted by kind, so that a run over many seeds shows that each kind has occurred.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::conduct::{FAULTS, LATER_FAULTS};

/// Kinds of trouble beside those of the network, each with what it befalls.
const OTHERS: [(&str, &str); 32] = [
    ("network", "stall"),
    ("store", "commit failed"),
    ("store", "commit unheard"),
    ("store", "read failed"),
    ("store", "out for writes"),
    ("store", "out"),
    ("store", "disk full"),
    ("store", "no room for outcomes"),
    ("store", "write refused for want of room"),
    ("store", "wake-up lost"),
    ("store", "power lost"),
    ("process", "killed at an instant"),
    ("process", "killed at an await"),
    ("process", "killed while starting"),
    ("process", "killed while stopping"),
    ("process", "stopped"),
    ("clock", "jump"),
    ("clock", "runs fast"),
    ("clock", "runs slow"),
    ("clock", "runs true"),
    ("lane", "moved"),
    ("node", "stands still"),
    ("node", "cut off from the store"),
    ("node", "wall clock off"),
    ("lease", "group of a dead owner taken"),
    ("lease", "group given up"),
    ("lease", "handed over at a stop"),
    ("lease", "late outcome refused"),
    ("lease", "place lost"),
    ("bell", "lost"),
    ("bell", "late"),
    ("bell", "heard twice"),
];

/// How often each kind of trouble has occurred, by what it befell and its name.
pub type Counts = BTreeMap<(&'static str, &'static str), u64>;

/// Every kind, none of which has occurred.
pub fn no_faults() -> Counts {
    let network = FAULTS.iter().chain(&LATER_FAULTS).map(|fault| ("network", fault.name()));
    network.chain(OTHERS).map(|kind| (kind, 0)).collect()
}

pub(crate) struct Tally(Mutex<Counts>);

impl Default for Tally {
    fn default() -> Self {
        Self(Mutex::new(no_faults()))
    }
}

impl Tally {
    /// Counts one more of a kind. A kind that stands in no list would be missed where it never occurs, and is refused.
    pub(crate) fn count(&self, area: &'static str, kind: &'static str) {
        let mut counts = self.0.lock().expect("nobody panics while counting");
        *counts.get_mut(&(area, kind)).expect("every kind stands in the lists above") += 1;
    }

    pub(crate) fn counts(&self) -> Counts {
        self.0.lock().expect("nobody panics while counting").clone()
    }
}
