//! The feed under load: on a server, with several publishers.

use signalpost_store::testing::conformance::Harness;
use signalpost_store::testing::feed_race::{self, Race};

use crate::support::Fresh;

#[test]
fn every_event_reaches_every_reader_once_and_in_order() {
    let place = Fresh::new();
    feed_race::run(&*place.open(), Race { publishers: 4, events: 1_000 });
}
