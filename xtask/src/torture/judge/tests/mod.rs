//! The judge judged: what was kept passes, and each kind of violation is seen.

mod fates;
mod order;
mod repetitions;

use super::*;
use crate::torture::book::fingerprint;
use crate::torture::chronicle::{Outage, Shift};
use crate::torture::events::{AGENTS, NATIVE, PARTNER, Wants};
use crate::torture::ledger::{Change, Ledger, State, Temper};
use crate::torture::record::Status;
use crate::torture::stopwatch::Span;

/// A small world: one event and one webhook, made at 100 ms, to be bent by each test.
struct World {
    book: Book,
    hooks: Vec<Hook>,
    arrivals: Vec<Arrival>,
    record: Record,
    chronicle: Chronicle,
}

const NUMBER: u32 = 1;

impl World {
    fn new(workspace: usize) -> Self {
        let ledger = Ledger::new(1);
        ledger.add_hook(workspace, Wants::ALL, Temper::Failing);
        let mut hooks = ledger.hooks();
        hooks[0].changes = vec![change(State::Active, 50, 100)];
        let mut world = Self {
            book: Book::default(),
            hooks,
            arrivals: Vec::new(),
            record: Record::default(),
            chronicle: Chronicle::default(),
        };
        world.publish(NUMBER, Fate::Acknowledged, 10_000);
        world
    }

    /// An event of the first webhook's workspace, sent at this moment.
    fn publish(&mut self, number: u32, fate: Fate, sent: Ms) {
        let id = if fate == Fate::Acknowledged { format!("evt_{number}") } else { String::new() };
        self.book.enter(Event {
            number,
            workspace: self.hooks[0].workspace,
            fate,
            id: id.into(),
            sequence: u64::from(number),
            targets: 1,
            asked: Span::new(sent, sent + 10),
            stored_late_ms: 10_000,
        });
    }

    fn arrive(mut self, at: Ms, reply: Reply) -> Self {
        let workspace = self.hooks[0].workspace;
        let wire_id = if workspace == PARTNER { u64::from(NUMBER) } else { fingerprint("evt_1") };
        self.arrivals.push(Arrival {
            hook: 0,
            number: NUMBER,
            at,
            busy_ms: 10,
            reply,
            signed: Signed::Well,
            skew_ms: Some(-400),
            wire_id,
        });
        self
    }

    fn listed(mut self, status: Status) -> Self {
        self.record.deliveries.push(Listed { number: NUMBER, hook: 0, status });
        self
    }

    fn judge(&self) -> Judgement {
        judge(Evidence {
            book: &self.book,
            hooks: &self.hooks,
            arrivals: self.arrivals.clone(),
            record: &self.record,
            chronicle: &Chronicles::from(self.chronicle.clone()),
        })
    }

    /// The violations, each once.
    fn violations(&self) -> Vec<Violation> {
        let judgement = self.judge();
        assert_eq!(judgement.violations.is_empty(), judgement.findings.is_empty());
        judgement.violations.into_keys().collect()
    }
}

fn change(to: State, asked: Ms, answered: Ms) -> Change {
    Change { to, asked, answered: Some(answered) }
}

/// Delivered at once.
fn delivered() -> World {
    World::new(NATIVE).arrive(10_020, Reply::Taken).listed(Status::Delivered)
}

#[test]
fn what_was_kept_passes() {
    for workspace in [NATIVE, AGENTS, PARTNER] {
        let world = World::new(workspace).arrive(10_020, Reply::Taken).listed(Status::Delivered);
        let judgement = world.judge();
        assert_eq!(judgement.findings, []);
        assert_eq!((judgement.owed, judgement.delivered, judgement.lost, judgement.duplicated), (1, 1, 0, 0));
    }
    let retried = World::new(NATIVE)
        .arrive(10_020, Reply::ServerError)
        .arrive(11_100, Reply::TooMany)
        .arrive(13_150, Reply::Hung)
        .arrive(16_200, Reply::Taken)
        .listed(Status::Delivered);
    assert_eq!(retried.violations(), []);
}

#[test]
fn a_lost_event_is_seen() {
    let lost = World::new(NATIVE);
    assert_eq!(lost.violations(), [Violation::Lost]);
    assert_eq!(lost.judge().lost, 1);
    let phantom = World::new(NATIVE).listed(Status::Delivered);
    assert_eq!((phantom.violations(), phantom.judge().lost), (vec![Violation::Phantom], 1));
    let only_failures = World::new(NATIVE).arrive(10_020, Reply::ServerError).listed(Status::Delivered);
    assert_eq!(only_failures.violations(), [Violation::Phantom]);
    let pending = World::new(NATIVE).arrive(10_020, Reply::ServerError).listed(Status::Pending);
    assert_eq!((pending.violations(), pending.judge().pending), (vec![Violation::Pending], 1));
    assert_eq!(pending.judge().lost, 1, "what is still owed counts as lost");
    let forgotten = World::new(NATIVE).arrive(10_020, Reply::Taken);
    assert_eq!(forgotten.violations(), [Violation::Unlisted]);
    for again in [Status::Pending, Status::Delivered] {
        assert_eq!(delivered().listed(again).violations(), [Violation::ListedTwice], "{again:?}");
    }
}

#[test]
fn what_goes_where_it_is_not_owed_is_seen() {
    let mut unwanted = delivered();
    unwanted.hooks[0].wants = Wants { kinds: [true, false], ..Wants::ALL };
    let violations = unwanted.violations();
    assert_eq!(violations, [Violation::Misdirected, Violation::Miscounted], "one webhook, where none can be");
    let mut off = delivered();
    off.hooks[0].changes.push(change(State::Off, 9_000, 9_100));
    assert_eq!(off.violations(), [Violation::Misdirected, Violation::AfterTheEnd, Violation::Miscounted]);
    let mut created_later = delivered();
    created_later.hooks[0].changes = vec![change(State::Active, 11_000, 11_100)];
    assert!(created_later.violations().contains(&Violation::Misdirected));
    let mut foreign = delivered();
    foreign.record.foreign.push("{}".to_owned());
    assert_eq!(foreign.violations(), [Violation::Misdirected]);
    let mut unpublished = delivered();
    unpublished.arrivals.push(Arrival { number: 9, ..unpublished.arrivals[0] });
    assert_eq!(unpublished.violations(), [Violation::Misdirected]);
}

#[test]
fn between_question_and_answer_both_is_right() {
    for was_sent in [true, false] {
        let mut world = if was_sent { delivered() } else { World::new(NATIVE) };
        world.hooks[0].changes.push(change(State::Off, 10_005, 10_200));
        assert_eq!((world.violations(), world.judge().owed), (vec![], 0));
    }
}

#[test]
fn nothing_begins_after_an_answered_end() {
    for end in [State::Off, State::Held, State::Deleted] {
        let late = |at| {
            let mut world = World::new(PARTNER)
                .arrive(10_020, Reply::ServerError)
                .arrive(at, Reply::Taken)
                .listed(Status::Delivered);
            world.hooks[0].changes.push(change(end, 11_000, 11_100));
            world
        };
        assert_eq!(late(12_000).violations(), [Violation::AfterTheEnd], "{end:?}");
        assert_eq!(late(11_300).violations(), [], "it had begun before");
        let mut frozen = late(14_000);
        frozen.chronicle.freezes.push(Span::new(11_150, 13_900));
        assert_eq!(frozen.violations(), [], "so had this one");
        let mut on_again = late(14_000);
        on_again.hooks[0].changes.push(change(State::Active, 12_500, 12_600));
        assert_eq!(on_again.violations(), []);
    }
}

#[test]
fn signatures_and_their_times_are_judged() {
    let mut forged = delivered();
    forged.arrivals[0].signed = Signed::Badly;
    assert_eq!(forged.violations(), [Violation::Forged]);
    let mut unverified = delivered();
    unverified.arrivals[0].signed = Signed::Unverified;
    assert_eq!((unverified.violations(), unverified.judge().unverified), (vec![], 1));
    let mut stale = delivered();
    stale.arrivals[0].skew_ms = Some(-20_000);
    assert_eq!(stale.violations(), [Violation::Stale]);
    stale.chronicle.shifts.push(Shift {
        span: Span::new(9_000, 12_000),
        least_ms: -19_000,
        most_ms: -19_000,
    });
    assert_eq!((stale.violations(), stale.judge().strangely_stamped), (vec![], 1));
}

#[test]
fn one_call_is_one_event() {
    let mut twice = delivered().arrive(10_030, Reply::Taken);
    twice.chronicle.outages.push(Outage { killed: 10_100, launched: 10_150 });
    twice.arrivals[1].wire_id = fingerprint("evt_other");
    assert_eq!(twice.violations(), [Violation::StoredTwice]);
    let mut refused = delivered();
    refused.publish(NUMBER, Fate::Refused, 10_000);
    assert_eq!(refused.violations(), [Violation::RefusedButSent]);
    let mut unknown = delivered();
    unknown.publish(NUMBER, Fate::Unknown, 10_000);
    assert_eq!((unknown.violations(), unknown.judge().stored_unanswered), (vec![], 1));
    let mut nowhere = World::new(NATIVE);
    nowhere.publish(NUMBER, Fate::Unknown, 10_000);
    assert_eq!(nowhere.violations(), [], "not stored, and nobody was told so");
}

#[test]
fn an_unanswered_event_is_stored_as_a_whole() {
    let mut half = delivered();
    half.publish(NUMBER, Fate::Unknown, 10_000);
    half.hooks.push(half.hooks[0].clone());
    assert_eq!(half.violations(), [Violation::Lost], "one webhook got it, the other did not");
}

#[test]
fn sequence_numbers_are_judged() {
    let mut world = delivered();
    world.publish(2, Fate::Acknowledged, 20_000);
    world.arrivals.push(Arrival { number: 2, wire_id: fingerprint("evt_2"), ..world.arrivals[0] });
    world.record.deliveries.push(Listed { number: 2, hook: 0, status: Status::Delivered });
    assert_eq!(world.violations(), []);
    for sequence in [1, 0] {
        let mut second = world.book.get(2).expect("it was entered").clone();
        second.sequence = sequence;
        world.book.enter(second);
        assert_eq!(world.violations(), [Violation::Disordered], "{sequence}");
    }
}

#[test]
fn an_acknowledgement_counts_its_webhooks() {
    let mut world = delivered();
    let mut second = world.hooks[0].clone();
    second.changes = vec![change(State::Active, 9_990, 20_000)];
    world.hooks.push(second);
    assert_eq!(world.violations(), [], "one or two");
    let mut event = world.book.get(NUMBER).expect("it was entered").clone();
    event.targets = 3;
    world.book.enter(event);
    assert_eq!(world.violations(), [Violation::Miscounted]);
}

#[test]
fn the_first_of_each_kind_is_named() {
    let mut world = World::new(NATIVE);
    for number in 2..60 {
        world.publish(number, Fate::Acknowledged, 20_000);
    }
    world.record.foreign.push("{}".to_owned());
    let judgement = world.judge();
    assert_eq!((judgement.lost, judgement.violations[&Violation::Lost]), (59, 59));
    assert_eq!(judgement.findings.len(), LOST_NAMED_MAX + 1);
    assert_eq!(judgement.findings[0].violation, Violation::Lost);
    assert_eq!(judgement.findings[LOST_NAMED_MAX].violation, Violation::Misdirected);
}
