//! Lanes that are not in memory, and are woken for something else before their time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signalpost_core::policy::RetrySchedule;
use signalpost_core::profile::PauseRule;
use signalpost_engine::webhooks::WebhookChange;
use signalpost_store::testing::faulty::{Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;

use crate::rig::{Rig, delivered, pending};

const RETRY_S: u64 = 3_600;

/// Owes a retry in an hour, and no lane is in memory.
fn fall_asleep(rig: &mut Rig) {
    let webhook = rig.webhook();
    let retry = Some(Some(RetrySchedule::from_seconds(&[RETRY_S]).expect("short")));
    let change = WebhookChange { retry, ..WebhookChange::default() };
    rig.call(async |engine, view| engine.update_webhook(&view, &webhook, change).await)
        .expect("it is changed");
    rig.receiver.status.set(Some(500));
    rig.publish(1);
    rig.advance_s(61);
    assert_eq!(rig.engine.metrics().lanes_in_memory.get(), 0, "an hour is too long to keep it");
    rig.receiver.status.set(Some(204));
}

/// Jitter adds a tenth at most.
fn retry_comes_due(rig: &mut Rig) {
    rig.advance_s(i64::try_from(RETRY_S * 11 / 10).expect("an hour"));
}

/// The lane forgets the retry with itself; an event brings the lane back, and the retry keeps its time all the same. Nobody
/// looks for owed deliveries in a rig.
#[test]
fn an_event_that_wakes_a_lane_does_not_put_off_what_it_was_to_wake_for() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    fall_asleep(&mut rig);
    rig.publish(1);
    assert_eq!((rig.count(delivered), rig.count(pending)), (1, 1));
    retry_comes_due(&mut rig);
    assert_eq!(rig.count(delivered), 2);
}

/// Whoever looks for owed deliveries would find it half a minute later; a lane has no need to wait for that.
#[test]
fn a_backlog_that_could_not_be_read_is_read_again_a_second_later() {
    let broken = Arc::new(AtomicBool::new(false));
    let is_broken = Arc::clone(&broken);
    let store = FaultyStore::new(
        MemoryStore::new(),
        Box::new(move |call| match call.verb {
            "due_page" if is_broken.load(Ordering::SeqCst) => Fault::Before,
            _ => Fault::Pass,
        }),
    );
    let mut rig = Rig::on(Arc::new(store));
    fall_asleep(&mut rig);
    rig.publish(1);
    broken.store(true, Ordering::SeqCst);
    retry_comes_due(&mut rig);
    assert_eq!((rig.count(delivered), rig.count(pending)), (1, 1), "nobody knows of it");
    broken.store(false, Ordering::SeqCst);
    rig.advance_s(1);
    assert_eq!(rig.count(delivered), 2);
}
