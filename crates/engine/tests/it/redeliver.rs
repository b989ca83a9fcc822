//! Sending deliveries once more, whatever they and their webhook are doing.

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::Step;
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::PAGE_ROWS_MAX;
use signalpost_core::profile::PauseRule;
use signalpost_core::webhook::{DisableReason, WebhookState};
use signalpost_engine::webhooks::Activity;

use crate::rig::{Rig, delivered, pending};

/// Ids of the deliveries, oldest first.
fn ids(rig: &mut Rig) -> Vec<String> {
    rig.deliveries().iter().rev().map(|delivery| delivery.id.to_public()).collect()
}

fn redeliver_one(rig: &mut Rig, webhook: &str, delivery: &str) -> Result<(), ErrorCode> {
    rig.call(async |engine, view| engine.redeliver_one(&view, webhook, delivery).await)
        .map_err(|error| error.code)
}

fn redeliver_lost(rig: &mut Rig, webhook: &str) -> u64 {
    rig.call(async |engine, view| engine.redeliver_lost(&view, webhook).await).expect("they are requeued")
}

#[test]
fn one_in_flight_goes_out_again_when_its_attempt_has_ended() {
    for (status, verdict) in [(204, Verdict::Superseded), (500, Verdict::Superseded)] {
        let mut rig = Rig::new(PauseRule::Holds, None);
        let webhook = rig.webhook();
        rig.publish(1);
        let id = ids(&mut rig).remove(0);
        assert_eq!(redeliver_one(&mut rig, &webhook, &id), Ok(()));
        assert_eq!(rig.receiver.requests(), 1, "never two at once for one delivery");
        rig.receiver.answer(status);
        rig.settle();
        assert_eq!(
            (rig.receiver.requests(), rig.receiver.in_flight()),
            (2, 1),
            "without any move of the clock"
        );
        assert_eq!(rig.count(pending), 1, "the first answer is not the new round's");
        rig.receiver.answer(204);
        rig.settle();
        rig.advance_s(3_600);
        assert_eq!((rig.receiver.requests(), rig.count(delivered)), (2, 1));
        let steps = rig.call(async |engine, _| engine.delivery(&id).await).expect("it exists").record.steps;
        let verdicts = steps.iter().filter_map(|step| match step {
            Step::Attempted(attempt) => Some(attempt.verdict),
            Step::Requeued { .. } => None,
        });
        assert_eq!(verdicts.collect::<Vec<_>>(), [verdict, Verdict::Delivered]);
    }
}

#[test]
fn one_that_waits_for_its_retry_goes_out_at_once() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let webhook = rig.webhook();
    rig.receiver.status.set(Some(500));
    rig.publish(1);
    rig.receiver.status.set(Some(204));
    let id = ids(&mut rig).remove(0);
    assert_eq!(redeliver_one(&mut rig, &webhook, &id), Ok(()));
    rig.advance_s(3_600);
    assert_eq!((rig.receiver.requests(), rig.count(delivered)), (2, 1));
}

#[test]
fn one_that_waits_for_its_turn_goes_out_once() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let webhook = rig.webhook();
    rig.publish(40);
    for id in ids(&mut rig).split_off(35) {
        assert_eq!(redeliver_one(&mut rig, &webhook, &id), Ok(()));
    }
    rig.receiver.status.set(Some(204));
    while rig.receiver.in_flight() > 0 {
        rig.receiver.answer(204);
        rig.settle();
    }
    rig.advance_s(3_600);
    assert_eq!((rig.receiver.requests(), rig.count(delivered)), (40, 40));
}

#[test]
fn an_ended_one_has_its_whole_schedule_again() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let webhook = rig.webhook();
    rig.receiver.status.set(Some(204));
    rig.publish(1);
    rig.receiver.status.set(Some(500));
    let id = ids(&mut rig).remove(0);
    assert_eq!(redeliver_one(&mut rig, &webhook, &id), Ok(()));
    for _ in 0..5 {
        rig.advance_s(200);
    }
    assert_eq!(rig.receiver.requests(), 1 + 3);
}

#[test]
fn for_a_webhook_that_is_off_it_waits_until_that_is_on() {
    for pause in [PauseRule::Holds, PauseRule::Drops] {
        let mut rig = Rig::new(pause, None);
        let webhook = rig.webhook();
        rig.receiver.status.set(Some(204));
        rig.publish(2);
        rig.switch(&webhook, Activity::Paused);
        let id = ids(&mut rig).remove(0);
        assert_eq!(redeliver_one(&mut rig, &webhook, &id), Ok(()));
        rig.advance_s(3_600);
        assert_eq!((rig.receiver.requests(), rig.count(pending)), (2, 1), "{pause:?}");
        rig.switch(&webhook, Activity::Active);
        assert_eq!((rig.receiver.requests(), rig.count(delivered)), (3, 2), "{pause:?}");
    }
}

#[test]
fn only_the_webhooks_own_deliveries_are_found() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let (mine, other) = (rig.webhook(), rig.webhook());
    rig.receiver.status.set(Some(204));
    rig.publish(1);
    let found: Vec<_> = ids(&mut rig).iter().map(|id| redeliver_one(&mut rig, &mine, id).is_ok()).collect();
    assert_eq!(found.iter().filter(|found| **found).count(), 1);
    for id in ids(&mut rig) {
        let [of_mine, of_other] = [&mine, &other].map(|webhook| redeliver_one(&mut rig, webhook, &id));
        assert_ne!(of_mine.is_ok(), of_other.is_ok(), "{id}");
        assert_eq!(of_mine.and(of_other), Err(ErrorCode::NotFound));
    }
    for (webhook, delivery) in [(mine.as_str(), "nonsense"), ("nobody", ids(&mut rig)[0].as_str())] {
        assert_eq!(redeliver_one(&mut rig, webhook, delivery), Err(ErrorCode::NotFound));
    }
}

/// Everything that failed at once, to a receiver that still fails: no more requests than its rule needs, and nothing is
/// lost for the next time.
#[test]
fn a_storm_of_redeliveries_gets_no_more_requests_than_the_rule_says() {
    let mut rig = Rig::new(PauseRule::Holds, Some(10));
    let webhook = rig.webhook();
    let events = PAGE_ROWS_MAX + 50;
    rig.publish(events);
    for _ in 0..10 {
        rig.receiver.answer(500);
        rig.settle();
    }
    rig.receiver.status.set(Some(500));
    for round in 1..4 {
        let state = rig.look(&webhook).state;
        assert!(matches!(state, WebhookState::Disabled { reason: DisableReason::Failing, .. }), "{state:?}");
        assert_eq!(redeliver_lost(&mut rig, &webhook), u64::try_from(events).expect("small"));
        assert_eq!(redeliver_lost(&mut rig, &webhook), 0, "all are pending");
        rig.advance_s(3_600);
        assert_eq!(rig.receiver.requests(), 10 * round, "nothing is sent while it is off");
        if round == 3 {
            rig.receiver.status.set(Some(204));
        }
        rig.switch(&webhook, Activity::Active);
        rig.advance_s(3_600);
    }
    assert_eq!(rig.count(delivered), events);
    assert_eq!(redeliver_lost(&mut rig, &webhook), 0);
}
