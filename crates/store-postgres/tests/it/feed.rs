//! The feed under load: on a server, with several nodes and publishers, and a stranger who has a transaction open.

use signalpost_store::testing::conformance::Harness;
use signalpost_store::testing::feed_race::{self, Race};

use crate::faults::strangers::Stranger;
use crate::support::{Fresh, say, server_url};

const NODES: usize = 3;
const RACE: Race = Race { publishers: 4, events: 1_000 };

#[test]
fn every_event_reaches_every_reader_once_and_in_order() {
    let place = Fresh::new();
    feed_race::run(&[&*place.open()], RACE);
}

/// Whoever waited for all transactions that began before would wait for the stranger.
#[test]
fn so_it_does_on_several_nodes_beside_a_strangers_write_transaction() {
    let place = Fresh::new();
    let nodes = [(); NODES].map(|()| place.try_open().expect("it opens"));
    let theirs = format!("{}_stranger", place.schema);
    say(&format!("CREATE TABLE {theirs} (n bigint)"));
    let open = format!("BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO {theirs} VALUES (1)");
    let stranger = Stranger::who_says(&server_url(), &open);
    let [one, two, three] = &nodes;
    feed_race::run(&[one, two, three], RACE);
    stranger.commit();
    say(&format!("DROP TABLE {theirs}"));
}
