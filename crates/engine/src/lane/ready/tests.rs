//! Which of what is ready goes next.

use super::*;
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, EventId, WebhookId};
use signalpost_core::time::Timestamp;

const WELL: Classes = Classes { first: Class::Free, further: Class::Free };
const FAILING: Classes = Classes { first: Class::Free, further: Class::Again };
const SLOW: Classes = Classes { first: Class::Slow, further: Class::Again };

fn entry(event: i64, due_ms: i64, tries: u32) -> Entry {
    let id = DeliveryId { event: EventId::from_raw(event), webhook: WebhookId::from_raw(1) };
    let due = Due {
        id,
        due_at: Timestamp::from_ms(due_ms),
        born: Sequence(event),
        steps: tries,
        tries,
        order: None,
    };
    Entry::new(due, None)
}

fn popped(ready: &mut Ready, class: Class, classes: Classes) -> Vec<i64> {
    std::iter::from_fn(|| ready.pop(class, classes)).map(|entry| entry.due.id.event.raw()).collect()
}

fn some() -> Ready {
    let mut ready = Ready::default();
    [entry(1, 10, 0), entry(2, 5, 1), entry(3, 20, 0), entry(4, 15, 3)]
        .into_iter()
        .for_each(|one| ready.push_back(one));
    ready
}

#[test]
fn what_was_due_first_goes_first_unless_its_receiver_fails() {
    assert_eq!(popped(&mut some(), Class::Free, WELL), [2, 1, 4, 3]);
    assert_eq!(popped(&mut some(), Class::Free, FAILING), [1, 3]);
    assert_eq!(popped(&mut some(), Class::Again, FAILING), [2, 4]);
    assert_eq!(popped(&mut some(), Class::Slow, SLOW), [1, 3]);
    assert_eq!(popped(&mut some(), Class::Slow, FAILING), [0i64; 0]);
    let wants = |classes| some().wants(classes);
    assert_eq!(wants(WELL), PerClass { free: true, ..PerClass::NONE });
    assert_eq!(wants(SLOW), PerClass { free: false, again: true, slow: true });
}

#[test]
fn a_new_round_of_a_further_attempt_is_a_first_one() {
    let mut ready = some();
    ready.renew(Due { tries: 0, ..entry(2, 30, 1).due });
    ready.renew(entry(9, 1, 0).due);
    assert_eq!(popped(&mut ready, Class::Again, FAILING), [4]);
    assert_eq!(popped(&mut ready, Class::Free, FAILING), [1, 3, 2]);
}

fn asked(event: i64, due_ms: i64) -> Entry {
    let mut entry = entry(event, due_ms, 0);
    entry.due.steps = 1;
    entry
}

/// First attempts from 1 on, and ones that were asked for once more, due before all of them, from 101 on.
fn mixed(first: i64, again: i64) -> Ready {
    let mut ready = Ready::default();
    (1..=again).for_each(|n| ready.push_back(asked(100 + n, n)));
    (1..=first).for_each(|n| ready.push_back(entry(n, 1_000 + n, 0)));
    ready
}

#[test]
fn what_was_asked_for_once_more_gives_way_and_does_not_starve() {
    let order = popped(&mut mixed(10, 3), Class::Free, WELL);
    assert_eq!(order, [1, 2, 3, 4, 101, 5, 6, 7, 8, 102, 9, 10, 103]);
    assert_eq!(
        popped(&mut mixed(0, 3), Class::Free, WELL),
        [101, 102, 103],
        "nobody is there to give way to"
    );
    assert_eq!(
        popped(&mut mixed(2, 1), Class::Slow, SLOW),
        [1, 2, 101],
        "they go by the bounds of first attempts"
    );
    assert_eq!(mixed(0, 1).wants(SLOW), PerClass { slow: true, ..PerClass::NONE });
    let ready = mixed(10, 3);
    assert_eq!((ready.len(), ready.in_haste()), (13, 10));
}

#[test]
fn what_is_put_back_is_next_again() {
    let mut ready = mixed(10, 3);
    for expected in [1, 2, 3, 4, 101, 5, 6] {
        let entry = ready.pop(Class::Free, WELL).expect("there is more");
        assert_eq!(entry.due.id.event.raw(), expected);
        ready.push_front(entry);
        let entry = ready.pop(Class::Free, WELL).expect("it was put back");
        assert_eq!(entry.due.id.event.raw(), expected);
    }
}

#[test]
fn a_cut_reaches_what_was_asked_for_before_it() {
    let mut ready = mixed(1, 3);
    ready.retain(|due| due.born > Sequence(102));
    assert_eq!(popped(&mut ready, Class::Free, WELL), [103]);
}
