//! Whether an event is owed to a webhook, by what the webhook selects and what was done to it, and when.

use crate::torture::book::Event;
use crate::torture::chronicle::UNDER_WAY_MS;
use crate::torture::chronicles::Chronicles;
use crate::torture::ledger::{Arrival, Hook, State};
use crate::torture::stopwatch::{Ms, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expectation {
    /// The webhook selects it, and was active all the time in which the event may have been accepted.
    Owed,
    /// The webhook selects it, and was being changed meanwhile.
    Possible,
    Forbidden,
}

pub(super) fn of(hook: &Hook, event: &Event) -> Expectation {
    if !hook.wants.fits(event.number) {
        return Expectation::Forbidden;
    }
    let when = event.stored_within();
    if when.to < hook.changes.first().map_or(Ms::MAX, |created| created.asked) {
        return Expectation::Forbidden;
    }
    let (mut active, mut inactive) = (false, false);
    for (state, span) in states(hook) {
        if span.touches(when) {
            match state {
                Some(State::Active) => active = true,
                Some(_) => inactive = true,
                None => (active, inactive) = (true, true),
            }
        }
    }
    match (active, inactive) {
        (true, false) => Expectation::Owed,
        (false, _) => Expectation::Forbidden,
        (true, true) => Expectation::Possible,
    }
}

/// How much of a span the webhook may have been off, with what is pending waiting for it.
pub(super) fn held_ms(hook: &Hook, span: Span) -> Ms {
    let may_hold = |state| matches!(state, None | Some(State::Held));
    states(hook).filter(|(state, _)| may_hold(*state)).map(|(_, held)| held.overlap(span)).sum()
}

/// The webhook's states one after the other; `None` while nobody knows. What is not there counts as deleted.
fn states(hook: &Hook) -> impl Iterator<Item = (Option<State>, Span)> {
    let begin = hook.changes.first().map_or(Ms::MAX, |first| first.asked);
    let before = std::iter::once((Some(State::Deleted), Span::new(0, begin)));
    let changes = hook.changes.iter().enumerate().flat_map(move |(place, change)| {
        let next = hook.changes.get(place + 1).map_or(Ms::MAX, |next| next.asked);
        let known = change.answered.unwrap_or(next);
        [(None, Span::new(change.asked, known)), (Some(change.to), Span::new(known, next))]
    });
    before.chain(changes)
}

/// Why an arrival breaks the promise that nothing begins once an end was answered. What had begun before may arrive a
/// little later, by the time that the server was able to work.
pub(super) fn began_after_the_end(hook: &Hook, arrival: &Arrival, chronicle: &Chronicles) -> Option<String> {
    let (_, span) = states(hook).find(|(state, span)| {
        matches!(state, Some(State::Off | State::Held | State::Deleted))
            && span.from > 0
            && span.from < arrival.at
            && arrival.at < span.to
    })?;
    let after = chronicle.working_ms(Span::new(span.from, arrival.at));
    (after > UNDER_WAY_MS).then(|| format!("it came {after} ms after its webhook's end was answered"))
}
