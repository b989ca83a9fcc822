//! Lanes that are not in memory, and are woken for something else before their time.

use signalpost_core::policy::RetrySchedule;
use signalpost_core::profile::PauseRule;
use signalpost_engine::webhooks::WebhookChange;

use crate::rig::{Rig, delivered, pending};

const RETRY_S: u64 = 3_600;

/// The lane forgets the retry with itself; an event brings the lane back, and the retry keeps its time all the same. Nobody
/// looks for owed deliveries in a rig.
#[test]
fn an_event_that_wakes_a_lane_does_not_put_off_what_it_was_to_wake_for() {
    let mut rig = Rig::new(PauseRule::Drops, None);
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
    rig.publish(1);
    assert_eq!((rig.count(delivered), rig.count(pending)), (1, 1));
    // Jitter adds a tenth at most.
    rig.advance_s(i64::try_from(RETRY_S * 11 / 10).expect("an hour"));
    assert_eq!(rig.count(delivered), 2);
}
