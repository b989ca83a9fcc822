//! Each workspace with rules of its own in turn: its bound on bytes, then the ages of events and of payloads.

use signalpost_core::id::WorkspaceId;
use signalpost_core::retention::{Fate, WorkspaceRetention};
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;

use super::candidate::{Candidate, Judged, Payload, candidate, candidate_columns, judge};
use super::places::{NOWHERE, Phase, Place, Tour, Visit};
use super::remove::{Listing, Remover};
use super::{Progress, Step, earlier};
use crate::failure::Failure;
use crate::fetch::{fetch_all, fetch_one};
use crate::ledger::index;
use crate::write::Write;
use signalpost_store::row::{Fields, Row, retention, retention_default};

pub(crate) const SELECT_NEXT: &str = "SELECT w.id, w.for_ever, w.event_age_s, w.payload_age_s, w.bytes_max
    FROM workspace w WHERE w.id > ?1 AND w.erased_at IS NULL
        AND (event_age_s IS NOT NULL OR payload_age_s IS NOT NULL OR bytes_max IS NOT NULL)
    ORDER BY w.id LIMIT 1";
pub(crate) const SELECT_OLDEST: &str = concat!(
    "SELECT ",
    candidate_columns!(),
    " FROM ix_event i CROSS JOIN message m ON m.id = i.event
     WHERE i.workspace = ?1 AND i.event > ?2 ORDER BY i.event LIMIT 32"
);
/// When the first event above the listing indexes was accepted, whoever's it is.
pub(crate) const SELECT_TAIL: &str = "SELECT id, accepted_at FROM message WHERE id > ?1 ORDER BY id LIMIT 1";

pub(super) fn step(
    write: &mut Write<'_>,
    step: &mut Step<'_>,
    tour: &mut Tour,
    looked: &mut u64,
) -> Result<Progress, Failure> {
    while !step.budget.is_spent() {
        if tour.visit.is_none() {
            step.budget.spend(1);
            tour.visit = next_visit(write, step, tour.after)?;
        }
        let Some(visit) = &mut tour.visit else { return Ok(Progress::Ended) };
        if has_work(write, step, visit)? && pass(write, step, visit, looked)? == Progress::Paused {
            return Ok(Progress::Paused);
        }
        match visit.following() {
            Some(next) => *visit = next,
            None => {
                tour.next_at = earlier(tour.next_at, next_at(write, step, visit));
                *looked += 1;
                tour.after = visit.workspace.raw();
                tour.visit = None;
            }
        }
    }
    Ok(Progress::Paused)
}

fn next_visit(write: &Write<'_>, step: &Step<'_>, after: i64) -> Result<Option<Visit>, Failure> {
    fetch_one(write.connection, SELECT_NEXT, [after], |row: &Row<'_>| -> Result<Visit, StoreError> {
        let mut fields = Fields::new(row, "workspace", 1);
        let workspace = WorkspaceId::from_raw(fields.id("id")?);
        let default = retention_default(&mut fields)?;
        let rules = step.params.rules.with(default, &retention(&mut fields)?);
        Ok(Visit::begin(workspace, rules, Phase::Bytes))
    })
}

impl Visit {
    const fn begin(workspace: WorkspaceId, rules: WorkspaceRetention, phase: Phase) -> Self {
        Self { workspace, rules, phase, after: i64::MIN, oldest_left: None, clear_upto: None }
    }

    fn following(&self) -> Option<Self> {
        let phase = match self.phase {
            Phase::Bytes => Phase::Events,
            Phase::Events => Phase::Payloads,
            Phase::Payloads => return None,
        };
        Some(Self::begin(self.workspace, self.rules, phase))
    }
}

/// Whether a phase can find anything; moves its beginning behind what need not be looked at.
fn has_work(write: &mut Write<'_>, step: &Step<'_>, visit: &mut Visit) -> Result<bool, Failure> {
    let Place { oldest_at, bare_upto, oldest_payload_at } = place(write, step, visit.workspace);
    let fate = |at_ms| visit.rules.fate(Timestamp::from_ms(at_ms), step.params.now);
    Ok(match visit.phase {
        Phase::Bytes => is_over(write, visit)?,
        Phase::Events => visit.rules.event_age_max.is_some() && fate(oldest_at) == Fate::Removed,
        Phase::Payloads => {
            visit.after = visit.after.max(bare_upto);
            visit.rules.payload_age_max.is_some() && fate(oldest_payload_at) != Fate::Kept
        }
    })
}

/// What is remembered of a workspace. A clock that was set back since makes it worthless.
fn place(write: &Write<'_>, step: &Step<'_>, workspace: WorkspaceId) -> Place {
    let known = write.caches.places.get(workspace);
    let now = step.params.now.as_ms();
    if known.oldest_at > now || known.oldest_payload_at > now { NOWHERE } else { known }
}

fn is_over(write: &mut Write<'_>, visit: &Visit) -> Result<bool, Failure> {
    let Some(bytes_max) = visit.rules.bytes_max else { return Ok(false) };
    Ok(write.usage(visit.workspace)?.is_some_and(|usage| usage.bytes > bytes_max))
}

/// One phase of a visit, from where it stands to its end.
fn pass(
    write: &mut Write<'_>,
    step: &mut Step<'_>,
    visit: &mut Visit,
    looked: &mut u64,
) -> Result<Progress, Failure> {
    loop {
        let page = [visit.workspace.raw(), visit.after];
        let oldest = fetch_all(write.connection, SELECT_OLDEST, page, candidate)?;
        if oldest.is_empty() && !reach_into_tail(write, step, visit)? {
            remember(write, visit);
            return Ok(Progress::Ended);
        }
        for event in oldest {
            if step.budget.is_spent() {
                return Ok(Progress::Paused);
            }
            if ends_at(write, step, visit, &event)? {
                leave(visit, &event);
                remember(write, visit);
                return Ok(Progress::Ended);
            }
            *looked += look(write, step, visit, &event)?;
            visit.after = event.id;
        }
        if step.budget.is_spent() {
            return Ok(Progress::Paused);
        }
    }
}

/// At the end of the listing index: whether more of it is wanted, which is filled then.
fn reach_into_tail(write: &mut Write<'_>, step: &mut Step<'_>, visit: &mut Visit) -> Result<bool, Failure> {
    let mark = write.index_state()?.mark;
    let first = fetch_one(write.connection, SELECT_TAIL, [mark], |row| {
        let mut fields = Fields::new(row, "message", 1);
        fields.skip();
        fields.integer("accepted_at")
    })?;
    let accepted_at = first.unwrap_or(step.params.now.as_ms());
    let wanted = match visit.phase {
        Phase::Bytes => is_over(write, visit)?,
        // One from the future says nothing of those behind it.
        Phase::Events | Phase::Payloads => {
            let accepted_at = Timestamp::from_ms(accepted_at);
            let fate = visit.rules.fate(accepted_at, step.params.now);
            fate != Fate::Kept || accepted_at > step.params.now
        }
    };
    if first.is_some() && wanted {
        index::step(write)?;
        step.budget.spend(index::STEP_EVENTS_MAX);
        return Ok(true);
    }
    visit.oldest_left = earlier(visit.oldest_left, Some(accepted_at.min(step.params.now.as_ms())));
    Ok(false)
}

/// Whether the phase need not look at this event and what comes after it.
fn ends_at(
    write: &mut Write<'_>,
    step: &Step<'_>,
    visit: &Visit,
    event: &Candidate,
) -> Result<bool, Failure> {
    let accepted_at = Timestamp::from_ms(event.accepted_at);
    let fate = visit.rules.fate(accepted_at, step.params.now);
    Ok(match visit.phase {
        Phase::Bytes => !is_over(write, visit)?,
        // One from the future says nothing of what comes after it: the clock was set back.
        Phase::Events => fate != Fate::Removed && accepted_at <= step.params.now,
        Phase::Payloads => fate == Fate::Kept && accepted_at <= step.params.now,
    })
}

/// Removes what the phase is after; 1 for an event that is held.
fn look(
    write: &mut Write<'_>,
    step: &mut Step<'_>,
    visit: &mut Visit,
    event: &Candidate,
) -> Result<u64, Failure> {
    step.budget.spend(1);
    let is_bare = visit.phase == Phase::Payloads && event.payload == Payload::Removed;
    if is_bare {
        return Ok(0);
    }
    if visit.phase != Phase::Bytes && event.accepted_at > step.params.now.as_ms() {
        leave(visit, event);
        return Ok(0);
    }
    let ended = match judge(write, event)? {
        Judged::Ended(ended) => ended,
        Judged::Held { rows } => {
            step.budget.spend(rows);
            leave(visit, event);
            return Ok(1);
        }
    };
    if visit.phase == Phase::Payloads {
        Remover::payload(write, event, step.params.now)?;
        step.budget.spend(1);
        step.done.payloads += 1;
    } else {
        let rows = step.remover.event(write, event, &ended, Listing::Now)?;
        step.budget.spend(rows);
        step.done.events += 1;
    }
    Ok(0)
}

/// Notes that an event stays as it is.
fn leave(visit: &mut Visit, event: &Candidate) {
    visit.oldest_left = earlier(visit.oldest_left, Some(event.accepted_at));
    visit.clear_upto.get_or_insert(visit.after);
}

fn remember(write: &mut Write<'_>, visit: &Visit) {
    let mut place = write.caches.places.get(visit.workspace);
    let oldest = visit.oldest_left.unwrap_or(i64::MIN);
    match visit.phase {
        Phase::Bytes => return,
        Phase::Events => place.oldest_at = oldest,
        Phase::Payloads => {
            place.oldest_payload_at = oldest;
            place.bare_upto = visit.clear_upto.unwrap_or(visit.after);
        }
    }
    write.caches.places.set(visit.workspace, place);
}

/// When the first event of a workspace that is too young now will be old enough for something.
fn next_at(write: &Write<'_>, step: &Step<'_>, visit: &Visit) -> Option<i64> {
    let now = step.params.now.as_ms();
    let Place { oldest_at, oldest_payload_at, .. } = write.caches.places.get(visit.workspace);
    let after = |age: Option<std::time::Duration>, oldest: i64| {
        let age_ms = i64::try_from(age?.as_millis()).ok()?;
        Some(oldest.max(now.saturating_sub(age_ms)).saturating_add(age_ms)).filter(|at| *at > now)
    };
    let events = after(visit.rules.event_age_max, oldest_at);
    earlier(events, after(visit.rules.payload_age_max, oldest_payload_at))
}
