//! The engines' own counters: they must stay within the bounds that they promise.

use signalpost_core::limits::{CORE_IN_FLIGHT_MAX, CORE_MEMORY_DELIVERIES_MAX, LANE_MEMORY_DELIVERIES_MAX};

use super::{Processes, Running};

impl Processes {
    /// Looks at the engines' own counters: they must stay within the bounds that they promise.
    pub(crate) fn check_gauges(&self) {
        self.running.borrow().values().for_each(|running| self.check_gauges_of(running));
    }

    fn check_gauges_of(&self, running: &Running) {
        let metrics = running.engine.metrics();
        let cores = signed(self.options.cores);
        let (in_flight, held, lanes) = (
            metrics.attempts_in_flight.get(),
            metrics.deliveries_in_memory.get(),
            metrics.lanes_in_memory.get(),
        );
        let bounds = [
            ("attempts in flight", in_flight, cores * signed(CORE_IN_FLIGHT_MAX)),
            ("deliveries in memory", held, cores * signed(CORE_MEMORY_DELIVERIES_MAX)),
            ("deliveries in memory of few lanes", held, lanes * signed(LANE_MEMORY_DELIVERIES_MAX)),
        ];
        for (what, value, bound) in bounds {
            if value < 0 || value > bound {
                self.find(format!("p{}: {value} {what}, the bound is {bound}", running.number));
            }
        }
    }

    /// Looks whether an engine holds anything when it has nothing to do.
    pub(crate) fn check_emptiness(&self) {
        for running in self.running.borrow().values() {
            let metrics = running.engine.metrics();
            let (in_flight, held) = (metrics.attempts_in_flight.get(), metrics.deliveries_in_memory.get());
            if (in_flight, held) != (0, 0) {
                self.find(format!(
                    "p{}: with nothing owed there are {in_flight} attempts in flight and {held} deliveries in memory",
                    running.number
                ));
            }
        }
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).expect("a bound fits")
}
