//! The bound of the whole store: what is oldest goes, whoever's it is, events and answers kept for calls alike.

use std::collections::VecDeque;

use super::ages::SELECT_OLDEST;
use super::calls::{self, Call};
use super::candidate::{Candidate, Judged, candidate, judge};
use super::remove::Listing;
use super::{Progress, Step};
use crate::failure::Failure;
use crate::fetch::fetch_all;
use crate::write::Write;

pub(crate) const PAGE_COUNT: &str = "PRAGMA page_count";
pub(crate) const FREE_COUNT: &str = "PRAGMA freelist_count";

/// What can go next.
enum Oldest {
    Event(Candidate),
    Call(Call),
}

pub(super) fn step(
    write: &mut Write<'_>,
    step: &mut Step<'_>,
    after: &mut i64,
    looked: &mut u64,
) -> Result<Progress, Failure> {
    let Some(bytes_max) = step.params.rules.bytes_max else { return Ok(Progress::Ended) };
    let mut page = VecDeque::new();
    loop {
        let occupied = occupied_bytes(write)?;
        if occupied <= bytes_max {
            write.caches.overfull_told = false;
            return Ok(Progress::Ended);
        }
        if step.budget.is_spent() {
            return Ok(Progress::Paused);
        }
        match oldest(write, &mut page, *after)? {
            Some(Oldest::Call(call)) => {
                calls::remove(write, step, &call)?;
                write.news.answers_forgotten += 1;
            }
            Some(Oldest::Event(event)) => {
                *after = event.id;
                *looked += take(write, step, &event)?;
            }
            None => {
                tell(write, occupied, bytes_max);
                return Ok(Progress::Ended);
            }
        }
    }
}

/// The older of the next event and of the first call.
fn oldest(write: &Write<'_>, page: &mut VecDeque<Candidate>, after: i64) -> Result<Option<Oldest>, Failure> {
    if page.is_empty() {
        page.extend(fetch_all(write.connection, SELECT_OLDEST, [after], candidate)?);
    }
    let accepted_at = page.front().map(|event| event.accepted_at);
    let call = calls::first(write)?.filter(|call| accepted_at.is_none_or(|at| call.at.as_ms() < at));
    Ok(call.map(Oldest::Call).or_else(|| page.pop_front().map(Oldest::Event)))
}

/// Removes an event, or counts it as held.
fn take(write: &mut Write<'_>, step: &mut Step<'_>, event: &Candidate) -> Result<u64, Failure> {
    match judge(write, event)? {
        Judged::Held { rows } => {
            step.budget.spend(1 + rows);
            Ok(1)
        }
        Judged::Ended(ended) => {
            let rows = step.remover.event(write, event, &ended, Listing::Later)?;
            step.budget.spend(rows);
            step.done.events += 1;
            Ok(0)
        }
    }
}

/// Says once that the bound is not kept, until it is.
fn tell(write: &mut Write<'_>, occupied_bytes: u64, bytes_max: u64) {
    if !std::mem::replace(&mut write.caches.overfull_told, true) {
        tracing::warn!(
            occupied_bytes,
            bytes_max,
            "the store holds more than `retention.bytes`, and nothing more of it can go: the rest is pending, or no \
             history"
        );
    }
}

/// What of the database file is in use, also by what this transaction has changed.
fn occupied_bytes(write: &Write<'_>) -> Result<u64, Failure> {
    let number = |pragma| write.statement(pragma)?.query_row([], |row| row.get::<_, i64>(0));
    let pages = number(PAGE_COUNT)?.saturating_sub(number(FREE_COUNT)?);
    Ok(u64::try_from(pages).unwrap_or(0) * crate::open::PAGE_BYTES)
}
