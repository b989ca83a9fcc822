//! What owners of some webhooks permit at most.

use signalpost_core::ceilings::{Ceilings, MaxInFlight};
use signalpost_core::pace::Rate;

use crate::world::World;

/// Low enough to be met by what is published here. A second divided by any of these rates is whole nanoseconds.
const MOST_IN_FLIGHT: [u32; 3] = [1, 2, 5];
const RATES_PER_S: [u32; 3] = [2, 10, 50];

/// From a stream of its own, so that a world without ceilings does not depend on them.
pub(super) fn draw(world: &World, number: u64) -> Ceilings {
    let mut chance = world.chance(&format!("ceilings {number}"));
    if !chance.permille(world.options.ceilings_permille) {
        return Ceilings::default();
    }
    let in_flight = chance.permille(600).then(|| *chance.pick(&MOST_IN_FLIGHT));
    let rate = chance.permille(600).then(|| *chance.pick(&RATES_PER_S));
    Ceilings {
        in_flight: in_flight.map(|most| MaxInFlight::new(most).expect("few")),
        rate: rate.map(|per_s| Rate::per_second(per_s).expect("slow")),
    }
}
