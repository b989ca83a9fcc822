//! Drops and failures on record are held against what was done and seen.

use super::*;

#[test]
fn a_drop_needs_somebody_who_ended_the_webhook() {
    let dropped = || World::new(NATIVE).arrive(10_020, Reply::ServerError).listed(Status::DroppedByDisabling);
    assert_eq!((dropped().violations(), dropped().judge().lost), (vec![Violation::UntrueReason], 1));
    let mut world = dropped();
    world.hooks[0].changes.push(change(State::Deleted, 10_500, 10_600));
    assert_eq!(world.violations(), [Violation::UntrueReason], "deleted, not disabled");
    world.hooks[0].changes[1].to = State::Off;
    assert_eq!((world.violations(), world.judge().dropped), (vec![], 1));
    let mut before = dropped();
    before.hooks[0].changes.extend([change(State::Off, 5_000, 5_100), change(State::Active, 6_000, 6_100)]);
    assert_eq!(before.violations(), [Violation::UntrueReason], "that was before");
    let mut meanwhile = dropped();
    meanwhile.hooks[0].changes.push(change(State::Off, 9_990, 10_005));
    assert_eq!(meanwhile.violations(), [], "asked before the event, and done after it");
    let mut unanswered = dropped();
    unanswered.hooks[0].changes.extend([change(State::Off, 5_000, 0), change(State::Active, 6_000, 6_100)]);
    unanswered.hooks[0].changes[1].answered = None;
    assert_eq!(unanswered.violations(), [Violation::UntrueReason], "it was on again before the event");
    unanswered.hooks[0].changes[2].asked = 10_500;
    assert!(!unanswered.violations().contains(&Violation::UntrueReason));
}

#[test]
fn what_was_taken_is_not_dropped_later() {
    let dropped = |off: Ms| {
        let mut world = World::new(NATIVE).arrive(10_020, Reply::Taken).listed(Status::DroppedByDisabling);
        world.hooks[0].changes.push(change(State::Off, off, off + 100));
        world
    };
    assert_eq!(dropped(10_200).violations(), [], "170 ms are not enough to record it for certain");
    assert_eq!(dropped(10_400).violations(), [Violation::UntrueReason]);
    let mut stalled = dropped(10_400);
    stalled.chronicle.stalls.push(Span::new(10_050, 10_150));
    assert_eq!(stalled.violations(), []);
    let mut killed = dropped(11_000);
    killed.chronicle.outages.push(Outage { killed: 10_100, launched: 10_150 });
    assert_eq!(killed.violations(), [], "it was not recorded");
}

#[test]
fn a_failure_needs_as_many_bad_answers() {
    let failed = |answers: usize, outcomes: &[&str]| {
        let mut world = World::new(NATIVE).listed(Status::Failed);
        for place in 0..answers {
            let at = 10_020 + 1_100 * Ms::try_from(place).expect("few");
            world = world.arrive(at, Reply::ServerError);
        }
        let outcomes = outcomes.iter().map(|outcome| (*outcome).to_owned()).collect();
        world.record.failed.insert((NUMBER, 0), outcomes);
        world
    };
    let all = ["500"; 7];
    assert_eq!((failed(7, &all).violations(), failed(7, &all).judge().failed), (vec![], 1));
    assert_eq!(failed(6, &all).violations(), [Violation::UntrueReason], "one was never answered so");
    assert_eq!(failed(6, &all[..6]).violations(), [Violation::UntrueReason], "given up too early");
    let broken = ["500", "500", "500", "500", "500", "500", "connect"];
    assert_eq!(failed(6, &broken).violations(), [Violation::UntrueReason], "nobody was gone");
    let mut gone = failed(6, &broken);
    gone.chronicle.gone.push(Span::new(16_000, 18_000));
    assert_eq!(gone.violations(), []);
}

#[test]
fn what_was_taken_did_not_fail() {
    let mut world = World::new(NATIVE).listed(Status::Failed);
    for place in 0..6 {
        world = world.arrive(10_020 + 1_100 * place, Reply::ServerError);
    }
    let mut world = world.arrive(16_990, Reply::CutOff).arrive(17_000, Reply::Taken);
    let outcomes = ["500", "500", "500", "500", "500", "500", "timeout"].map(str::to_owned);
    world.record.failed.insert((NUMBER, 0), outcomes.into());
    assert_eq!(world.violations(), [Violation::UntrueReason]);
    world.chronicle.freezes.push(Span::new(17_005, 20_000));
    assert_eq!(world.violations(), [], "it timed out in a process that stood still");
}

/// Failed after five refusals and two attempts that nobody saw.
fn broken_twice() -> World {
    let mut world = World::new(NATIVE).listed(Status::Failed);
    for place in 0..5 {
        world = world.arrive(10_020 + 1_100 * place, Reply::ServerError);
    }
    let outcomes = ["500", "500", "500", "500", "500", "connect", "connect"].map(str::to_owned);
    world.record.failed.insert((NUMBER, 0), outcomes.into());
    world
}

#[test]
fn only_an_absence_at_its_time_explains_a_failure() {
    let absent = |from, to| {
        let mut world = broken_twice();
        world.chronicle.gone.push(Span::new(from, to));
        world
    };
    assert_eq!(broken_twice().violations(), [Violation::UntrueReason]);
    assert_eq!(absent(15_000, 17_000).violations(), []);
    assert_eq!(absent(7_000, 9_000).violations(), [Violation::UntrueReason], "before");
    assert_eq!(absent(60_000, 62_000).violations(), [Violation::UntrueReason], "long after");
    let mut waited = absent(60_000, 62_000);
    waited.chronicle.outages.push(Outage { killed: 15_000, launched: 45_000 });
    assert_eq!(waited.violations(), [], "no process was there meanwhile");
    let mut held = absent(60_000, 62_000);
    held.hooks[0]
        .changes
        .extend([change(State::Held, 15_000, 15_050), change(State::Active, 45_000, 45_050)]);
    assert_eq!(held.violations(), [], "it was held meanwhile");
    let mut set_back = absent(60_000, 62_000);
    set_back.chronicle.shifts.push(Shift {
        span: Span::new(12_000, 14_000),
        least_ms: 22_000,
        most_ms: 22_000,
    });
    assert!(!set_back.violations().contains(&Violation::UntrueReason), "it was put off meanwhile");
    let mut steady = absent(15_000, 17_000);
    steady.hooks[0].temper = Temper::Steady;
    assert_eq!(steady.violations(), [Violation::UntrueReason], "this receiver never goes");
}

#[test]
fn each_standstill_explains_one_failure() {
    let mut frozen = broken_twice();
    frozen.chronicle.freezes.push(Span::new(15_000, 17_000));
    assert_eq!(frozen.violations(), [Violation::UntrueReason], "two attempts, and one of them");
    frozen.chronicle.freezes.push(Span::new(18_000, 19_500));
    assert_eq!(frozen.violations(), []);
    frozen.chronicle.freezes[1] = Span::new(90_000, 91_500);
    assert_eq!(frozen.violations(), [Violation::UntrueReason], "long after");
    frozen.chronicle.stalls.push(Span::new(18_000, 19_500));
    assert_eq!(frozen.violations(), [], "we stood still ourselves");
}
