//! The bound of the whole store: the oldest events go, whoever's they are.

use super::ages::SELECT_OLDEST;
use super::candidate::{Candidate, Standing, candidate, history, standing};
use super::remove::Listing;
use super::{Progress, Step};
use crate::failure::Failure;
use crate::fetch::fetch_all;
use crate::write::Write;

pub(crate) const PAGE_COUNT: &str = "PRAGMA page_count";
pub(crate) const FREE_COUNT: &str = "PRAGMA freelist_count";

pub(super) fn step(
    write: &mut Write<'_>,
    step: &mut Step<'_>,
    after: &mut i64,
    looked: &mut u64,
) -> Result<Progress, Failure> {
    let Some(bytes_max) = step.params.rules.bytes_max else { return Ok(Progress::Ended) };
    while occupied_bytes(write)? > bytes_max {
        let oldest = fetch_all(write.connection, SELECT_OLDEST, [*after], candidate)?;
        if oldest.is_empty() {
            return Ok(Progress::Ended);
        }
        for event in oldest {
            if step.budget.is_spent() {
                return Ok(Progress::Paused);
            }
            if occupied_bytes(write)? <= bytes_max {
                return Ok(Progress::Ended);
            }
            *after = event.id;
            *looked += take(write, step, &event)?;
        }
    }
    Ok(Progress::Ended)
}

/// Removes an event, or counts it as held.
fn take(write: &mut Write<'_>, step: &mut Step<'_>, event: &Candidate) -> Result<u64, Failure> {
    let content = match &event.content {
        Ok(content) => content,
        Err(problem) => {
            tracing::error!(event = event.id, %problem, "an event cannot be judged and stays");
            step.budget.spend(1);
            return Ok(1);
        }
    };
    let history = history(write, event.id)?;
    let Standing::Ended { unswept } = standing(write, event, content, &history)? else {
        step.budget.spend(1 + history.rows);
        return Ok(1);
    };
    let rows = step.remover.event(write, event, content, &history, &unswept, Listing::Later)?;
    step.budget.spend(rows);
    step.done.events += 1;
    Ok(0)
}

/// What of the database file is in use, also by what this transaction has changed.
fn occupied_bytes(write: &Write<'_>) -> Result<u64, Failure> {
    let number = |pragma| write.statement(pragma)?.query_row([], |row| row.get::<_, i64>(0));
    let pages = number(PAGE_COUNT)?.saturating_sub(number(FREE_COUNT)?);
    Ok(u64::try_from(pages).unwrap_or(0) * crate::open::PAGE_BYTES)
}
