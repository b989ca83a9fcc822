//! How a core begins what may start: a few at a time, with a turn for others in between, and nothing more once it stops.

use signalpost_core::limits::{ATTEMPT_COST_US_MIN, CORE_WAVE_MAX};
use signalpost_core::profile::PauseRule;
use signalpost_engine::ListDeliveries;
use signalpost_store::testing::block_on::block_on;

use crate::rig::{RETRY_S, Rig, delivered, pending};

const WEBHOOKS: usize = 3 * CORE_WAVE_MAX + 4;

/// Webhooks that are known to be quick, and one event for all of them of which no core has heard.
fn much_to_start() -> Rig {
    let mut rig = Rig::new(PauseRule::Holds, None);
    (0..WEBHOOKS).for_each(|_| {
        rig.webhook();
    });
    rig.publish(1);
    assert_eq!(rig.receiver.in_flight(), WEBHOOKS);
    answer_all(&mut rig);
    rig.settle();
    rig.publish_unheard();
    rig
}

fn answer_all(rig: &mut Rig) {
    while rig.receiver.in_flight() > 0 {
        rig.receiver.answer(200);
    }
}

#[test]
fn attempts_begin_in_waves_and_others_have_a_turn_in_between() {
    let mut rig = much_to_start();
    let mut waves = Vec::new();
    let mut has_more = true;
    while has_more {
        let before = (rig.receiver.in_flight(), rig.clock.turns());
        has_more = rig.turn();
        waves.push(rig.receiver.in_flight() - before.0);
        let gave_way = rig.clock.turns() > before.1;
        assert_eq!(
            gave_way,
            rig.receiver.in_flight() < WEBHOOKS,
            "it gives way as long as it has more: {waves:?}"
        );
    }
    assert_eq!(waves.iter().sum::<usize>(), WEBHOOKS);
    assert_eq!(waves.iter().max(), Some(&CORE_WAVE_MAX), "{waves:?}");
}

#[test]
fn a_stop_leaves_what_has_not_begun_to_the_next_start() {
    let mut rig = much_to_start();
    assert!(rig.turn());
    assert_eq!(rig.receiver.in_flight(), CORE_WAVE_MAX);
    rig.engine.stop();
    assert_eq!(rig.run_out(), 1, "it waits for what is in flight");
    assert_eq!(rig.receiver.in_flight(), CORE_WAVE_MAX, "and starts nothing more");
    answer_all(&mut rig);
    assert_eq!(rig.run_out(), 0, "it has ended");
    let (workspace, limit) = (rig.view.workspace.id, 1_000);
    let all = ListDeliveries { workspace, webhook: None, event: None, status: None, before: None, limit };
    let deliveries = block_on(rig.engine.list_deliveries(all)).expect("it reads").rows;
    let count = |is: fn(_) -> bool| deliveries.iter().filter(|delivery| is(delivery.state)).count();
    assert_eq!((count(delivered), count(pending)), (WEBHOOKS + CORE_WAVE_MAX, WEBHOOKS - CORE_WAVE_MAX));
}

#[test]
fn worker_time_of_first_attempts_is_counted_apart_from_that_of_further_ones() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    rig.webhook();
    rig.receiver.status.set(Some(500));
    rig.publish(3);
    let worked = |rig: &Rig| {
        let metrics = rig.engine.metrics();
        (metrics.first_worker_us.get(), metrics.again_worker_us.get())
    };
    assert_eq!(worked(&rig), (3 * ATTEMPT_COST_US_MIN, 0));
    rig.advance_s(2 * i64::try_from(RETRY_S[0]).expect("seconds"));
    rig.receiver.status.set(Some(200));
    rig.publish(1);
    assert_eq!(worked(&rig), (4 * ATTEMPT_COST_US_MIN, 3 * ATTEMPT_COST_US_MIN));
}
