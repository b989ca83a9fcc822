//! The feed under load: on a file, with its threads.

use signalpost_store::testing::conformance::Harness;
use signalpost_store::testing::feed_race::{self, Race};

use crate::support::Threaded;

#[test]
fn every_event_reaches_every_reader_once_and_in_order() {
    let place = Threaded::new();
    feed_race::run(&[&*place.open()], Race { publishers: 8, events: 5_000 });
}
