//! What the server, its disk, the network and strangers may do to a store that works on a database: crash, fail over, stop, cut
//! connections, fall silent, run full, hold locks. Nothing that was acknowledged is lost, nothing is stored twice, and the store
//! goes on by itself.

mod disk;
mod failover;
mod limits;
mod network;
pub(crate) mod proxy;
mod stage;
pub(crate) mod strangers;

use std::collections::BTreeSet;
use std::thread;

use crate::support::say_to;
use stage::Stage;

#[test]
fn a_crash_of_the_server_loses_nothing() {
    let mut stage = Stage::new();
    let told = stage.publish_while(|server, _| {
        server.crash().expect("it ends");
        server.launch().expect("it recovers");
    });
    // Who was in the way of it may have been told in the end that the event is stored.
    assert!(!told.acknowledged.is_empty());
    stage.check(&told);
}

#[test]
fn a_restart_of_the_server_loses_nothing() {
    let mut stage = Stage::new();
    let told = stage.publish_while(|server, _| {
        server.stop().expect("it ends");
        server.launch().expect("it starts");
    });
    stage.check(&told);
}

/// Whoever was told nothing is told the truth: the store asks the server what became of the commit.
#[test]
fn connections_that_are_cut_leave_no_doubt() {
    let mut stage = Stage::new();
    let told = stage.publish_while(|server, _| {
        for _ in 0..30 {
            say_to(
                &server.url(),
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE starts_with(application_name, 'signalpost') AND pid <> pg_backend_pid()",
            );
            thread::yield_now();
        }
    });
    let stored = stage.stored();
    let kept: Vec<_> = told.unknown.intersection(&stored).collect();
    assert_eq!(kept, Vec::<&i64>::new(), "refused, and there all the same");
    stage.check(&told);
}

/// A statement that waits for a lock gives up in time, and nobody is told that something is stored that is not.
#[test]
fn a_table_that_a_stranger_locks_is_waited_for_in_bounds() {
    let mut stage = Stage::new();
    let told = stage.publish_while(|server, _| {
        say_to(
            &server.url(),
            "BEGIN; LOCK TABLE faults.message IN EXCLUSIVE MODE; SELECT pg_sleep(1); COMMIT",
        );
    });
    assert_eq!(told.unknown, BTreeSet::new(), "a second is nothing");
    stage.check(&told);
}
