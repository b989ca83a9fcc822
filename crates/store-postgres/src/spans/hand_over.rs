//! The moment at which an heir takes the place of spans: what stayed is in it, and the rest is gone.
//!
//! Nobody reads or writes events meanwhile, and whoever had written to those that depart has ended. So nothing is missing that
//! they have noted, and nothing can be written to what is gone.

use std::collections::HashSet;

use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;

use super::Done;
use super::carry::{PAGE_MAX, anew, locks_of, touched};
use super::depart::{Departure, within};
use super::tables::{self, Place};
use crate::failure::Failure;
use crate::meta;
use crate::session::Session;
use crate::write::Write;

pub(crate) const DELETE_SPANS: &str = "DELETE FROM span WHERE first >= $1 AND ended <= $2";
pub(crate) const INSERT_HEIR: &str = "INSERT INTO span (number, first, ended, kind)
    OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, 'kept')";
pub(crate) const UPDATE: &str = "UPDATE departure SET phase = 'counting', come_to = $1 WHERE id = 1";

/// Puts the heir into its place, unless somebody has written to what departs just now: then that is looked at first.
pub(super) async fn run(
    write: &mut Write<'_>,
    departure: &Departure,
    now: Timestamp,
    rules: &RetentionRules,
) -> Result<Done, Failure> {
    // Locks of workspaces come before those of tables, here as everywhere.
    let seen = touched(write, i64::MAX).await?;
    write.lock_moving_too(&locks_of(&seen)).await?;
    tables::hurry(write).await?;
    tables::stop_everybody(write).await?;
    let sources = within(write, departure.range).await?;
    for source in &sources {
        tables::unwatch(write, source.number).await?;
    }
    let last = touched(write, i64::MAX).await?;
    let locked: HashSet<_> = seen.iter().map(|(_, workspace)| workspace).collect();
    if last.len() == PAGE_MAX || last.iter().any(|(_, workspace)| !locked.contains(workspace)) {
        return Err(Failure::Overtaken);
    }
    if !last.is_empty() {
        anew(write, &last, now, rules).await?;
    }
    for source in &sources {
        tables::take(write, source.number, Place::Served).await?;
        tables::put(write, source.number, source.range, Place::Gone).await?;
    }
    tables::take(write, departure.heir, Place::Carried).await?;
    tables::put(write, departure.heir, departure.range, Place::Served).await?;
    note(write, departure).await?;
    tracing::debug!(heir = departure.heir, "tables of old events are gone");
    Ok(Done::CHANGE)
}

async fn note(session: &Session, departure: &Departure) -> Result<(), Failure> {
    let range = departure.range;
    session.execute(DELETE_SPANS, &[&range.first, &range.ended]).await?;
    session.execute(INSERT_HEIR, &[&departure.heir, &range.first, &range.ended]).await?;
    session.execute(UPDATE, &[&range.first.saturating_sub(1)]).await?;
    // No id may come again that was in it.
    meta::raise(session, meta::HIGHEST_DELETED_ID, range.ended - 1).await
}
