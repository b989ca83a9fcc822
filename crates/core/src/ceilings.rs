//! What a webhook's owner permits at most. How much of it is used is learned, see [`crate::concurrency`].

use std::num::NonZeroU16;

use crate::limits::LANE_IN_FLIGHT_MAX;
use crate::pace::Rate;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ceilings {
    pub in_flight: Option<MaxInFlight>,
    pub rate: Option<Rate>,
}

/// A change of them; `None` leaves a ceiling as it is, an inner `None` takes it away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CeilingsChange {
    pub in_flight: Option<Option<MaxInFlight>>,
    pub rate: Option<Option<Rate>>,
}

impl Ceilings {
    #[must_use]
    pub fn after(self, change: CeilingsChange) -> Self {
        Self { in_flight: change.in_flight.unwrap_or(self.in_flight), rate: change.rate.unwrap_or(self.rate) }
    }
}

/// Requests that may be in flight at once: from one to [`LANE_IN_FLIGHT_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxInFlight(NonZeroU16);

impl MaxInFlight {
    /// The error says what may be given.
    pub fn new(requests: u32) -> Result<Self, String> {
        let requests = u16::try_from(requests).ok().and_then(NonZeroU16::new);
        let within = requests.filter(|requests| usize::from(requests.get()) <= LANE_IN_FLIGHT_MAX);
        within.map(Self).ok_or_else(|| format!("must be from 1 to {LANE_IN_FLIGHT_MAX}"))
    }

    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_out_of_bounds_are_refused() {
        let most = u32::try_from(LANE_IN_FLIGHT_MAX).expect("small");
        for (requests, fine) in [(0, false), (1, true), (most, true), (most + 1, false), (u32::MAX, false)] {
            assert_eq!(MaxInFlight::new(requests).is_ok(), fine, "{requests}");
        }
    }
}
