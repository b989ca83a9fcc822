//! Nodes that come and go are noticed when they do so, and not when somebody looks the next time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use signalpost_core::limits::LANE_GROUPS;
use signalpost_core::ports::{BoxFuture, Clock};
use signalpost_core::time::{Monotonic, Timestamp};
use signalpost_store::Ledger;
use signalpost_store_postgres::{OpenOptions, PostgresStore};
use signalpost_testkit::wait_for;

use super::PATIENCE;
use crate::support::{Fresh, RealClock, ask, options, say, server_url};

/// No time passes until it is told so: whoever goes by it looks at nothing by itself.
#[derive(Default)]
struct HeldClock(AtomicU64);

impl HeldClock {
    fn advance(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_micros()).expect("not so long"), Ordering::SeqCst);
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        RealClock.now()
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_us(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        unreachable!("a store sleeps by timers of its own")
    }

    fn give_way(&self) -> BoxFuture<'static, ()> {
        unreachable!("nobody does here")
    }
}

/// A node by whose clock no time passes, which hears what others tell, and one that comes.
struct Stage {
    clock: Arc<HeldClock>,
    held: PostgresStore,
    other: PostgresStore,
    place: Fresh,
}

impl Stage {
    fn new() -> Self {
        let (place, clock) = (Fresh::new(), Arc::new(HeldClock::default()));
        let of_held = options(&server_url(), &place.schema, &place.threads);
        let held = PostgresStore::open(OpenOptions { clock: clock.clone(), ..of_held }).expect("it opens");
        assert_eq!(owned(&held), LANE_GROUPS);
        let listens = format!(
            "SELECT 'it does' FROM pg_stat_activity WHERE state = 'idle'
                AND query = 'LISTEN signalpost_' || lpad(to_hex(hashtextextended('{}', 0)), 16, '0')",
            place.schema
        );
        wait_for("it to listen", PATIENCE, || !ask(&listens).is_empty()).expect("it does");
        let before = renewals(&held);
        let other = place.try_open().expect("it opens");
        // What is to go is nobody's to begin from here on.
        wait_for("it to look", PATIENCE, || owned(&held) == LANE_GROUPS / 2).expect("it does");
        clock.advance(Duration::from_millis(100));
        wait_for("the other to have its part", PATIENCE, || owned(&other) == LANE_GROUPS / 2)
            .expect("it takes it");
        assert_eq!(renewals(&held), before + 1, "it was told once");
        Self { clock, held, other, place }
    }
}

fn owned(store: &PostgresStore) -> usize {
    store.ownership().groups().count()
}

fn renewals(store: &PostgresStore) -> u64 {
    store.ownership().counts().renewals.get()
}

#[test]
fn whoever_joins_has_its_part_at_once() {
    Stage::new();
}

/// Although nothing is free yet.
#[test]
fn whoever_retires_is_noticed_at_once() {
    let stage = Stage::new();
    let before = renewals(&stage.held);
    stage.clock.advance(Duration::from_secs(3));
    wait_for("the lease to be renewed", PATIENCE, || renewals(&stage.held) > before).expect("it is");
    let before = renewals(&stage.held);
    let ownership = stage.other.ownership();
    let under_way: Vec<_> = ownership.groups().map(|(group, _)| ownership.begin(group)).collect();
    ownership.retire();
    wait_for("it to look", PATIENCE, || renewals(&stage.held) > before).expect("it does");
    assert_eq!(owned(&stage.held), LANE_GROUPS / 2);
    drop(under_way);
}

/// Others have removed its row, and do not look before they are told.
#[test]
fn whoever_begins_anew_has_its_part_at_once() {
    let stage = Stage::new();
    let number = stage.held.ownership().node();
    say(&format!("DELETE FROM {}.node WHERE number = {number}", stage.place.schema));
    stage.clock.advance(Duration::from_secs(3));
    wait_for("it to begin anew", PATIENCE, || stage.held.ownership().counts().losses.get() == 1)
        .expect("it does");
    wait_for("it to have its part again", PATIENCE, || owned(&stage.held) == LANE_GROUPS / 2)
        .expect("it takes it");
}
