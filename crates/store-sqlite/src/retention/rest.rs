//! What is left of erased workspaces: webhooks, signing keys, kept answers, events, index rows. In the end only the workspace's own row
//! stays.

use rusqlite::params;
use signalpost_core::id::WorkspaceId;
use signalpost_store::StoreError;

use super::candidate::{Candidate, candidate, candidate_columns};
use super::{Progress, Step};
use crate::catalog::erase_workspace::{BURIED_MAX, bury, strip};
use crate::catalog::once::{forget, returning};
use crate::failure::Failure;
use crate::fetch::{fetch_all, fetch_one, limit};
use crate::ledger::{index, sweep};
use crate::meta;
use crate::rollups::forget_figures;
use crate::write::Write;
use signalpost_store::row::{Fields, Row};

pub(crate) const SELECT_FIRST: &str = "SELECT workspace, upto FROM rest ORDER BY workspace LIMIT 1";
pub(crate) const SELECT_EVENTS: &str = concat!(
    "SELECT ",
    candidate_columns!(),
    " FROM ix_event i CROSS JOIN message m ON m.id = i.event
     WHERE i.workspace = ?1 ORDER BY i.event LIMIT 64"
);
/// The first rows of a feed.
pub(crate) const DELETE_FEED: &str = "DELETE FROM feed WHERE workspace = ?1 AND sequence <= (
    SELECT max(sequence) FROM (SELECT sequence FROM feed WHERE workspace = ?1 ORDER BY sequence LIMIT 64))";
pub(crate) const SELECT_WEBHOOKS: &str = "SELECT id FROM webhook WHERE workspace = ?1 LIMIT 64";
pub(crate) const DELETE_CALLS: &str = concat!(
    "DELETE FROM once WHERE id IN (SELECT id FROM once WHERE workspace = ?1 ORDER BY id LIMIT ?2)",
    returning!()
);
pub(crate) const DELETE_CUTS: &str = "DELETE FROM cut WHERE webhook = ?1";
pub(crate) const DELETE_WEBHOOK: &str = "DELETE FROM webhook WHERE id = ?1";
pub(crate) const SELECT_NEWEST_SIGNING_KEY: &str = "SELECT coalesce(max(id), 0) FROM (SELECT id FROM signing_key WHERE workspace = ?1 ORDER BY public_id LIMIT 64)";
/// The same.
pub(crate) const DELETE_SIGNING_KEYS: &str = "DELETE FROM signing_key
    WHERE id IN (SELECT id FROM signing_key WHERE workspace = ?1 ORDER BY public_id LIMIT 64)";
pub(crate) const DELETE: &str = "DELETE FROM rest WHERE workspace = ?1";

/// Kept answers deleted in one go.
const CALLS_MAX: usize = 64;
/// The same of figures.
const FIGURES_MAX: usize = 64;

struct Rest {
    workspace: WorkspaceId,
    /// No event of the workspace has a higher id.
    upto: i64,
}

pub(super) fn step(write: &mut Write<'_>, step: &mut Step<'_>) -> Result<Progress, Failure> {
    while !step.budget.is_spent() {
        let Some(rest) = first(write)? else { return Ok(Progress::Ended) };
        // In this order: what is owed goes before its event, and everything else before its webhook.
        let ended = bury_webhooks(write, step, &rest)? == Progress::Ended
            && strip_secrets(write, step, &rest)? == Progress::Ended
            && remove_calls(write, step, &rest)? == Progress::Ended
            && sweep_due(write, step)? == Progress::Ended
            && remove_feed(write, step, &rest)? == Progress::Ended
            && remove_events(write, step, &rest)? == Progress::Ended
            && remove_webhooks(write, step, &rest)? == Progress::Ended
            && remove_signing_keys(write, step, &rest)? == Progress::Ended
            && remove_figures(write, step, &rest)? == Progress::Ended;
        if ended {
            write.statement(DELETE)?.execute([rest.workspace.raw()])?;
        }
    }
    Ok(Progress::Paused)
}

fn first(write: &Write<'_>) -> Result<Option<Rest>, Failure> {
    fetch_one(write.connection, SELECT_FIRST, [], |row: &Row<'_>| -> Result<Rest, StoreError> {
        let mut fields = Fields::new(row, "rest", 1);
        let workspace = WorkspaceId::from_raw(fields.id("workspace")?);
        Ok(Rest { workspace, upto: fields.integer("upto")? })
    })
}

/// Only after an erasure that was cut off: else they were buried before it was answered.
fn bury_webhooks(write: &mut Write<'_>, step: &mut Step<'_>, rest: &Rest) -> Result<Progress, Failure> {
    loop {
        let buried = bury(write, rest.workspace)?.len();
        if buried < BURIED_MAX {
            return Ok(Progress::Ended);
        }
        step.budget.spend(3 * buried);
        if step.budget.is_spent() {
            return Ok(Progress::Paused);
        }
    }
}

/// As above.
fn strip_secrets(write: &mut Write<'_>, step: &mut Step<'_>, rest: &Rest) -> Result<Progress, Failure> {
    loop {
        let stripped = strip(write, rest.workspace)?;
        step.budget.spend(2 * stripped);
        if stripped < BURIED_MAX {
            return Ok(Progress::Ended);
        }
        if step.budget.is_spent() {
            return Ok(Progress::Paused);
        }
    }
}

fn remove_calls(write: &mut Write<'_>, step: &mut Step<'_>, rest: &Rest) -> Result<Progress, Failure> {
    loop {
        if step.budget.is_spent() {
            return Ok(Progress::Paused);
        }
        let gone = forget(write, DELETE_CALLS, params![rest.workspace.raw(), limit(CALLS_MAX)])?;
        step.budget.spend(2 * gone);
        if gone < CALLS_MAX {
            return Ok(Progress::Ended);
        }
    }
}

/// Before the events, so that it names none that is gone.
fn remove_feed(write: &Write<'_>, step: &mut Step<'_>, rest: &Rest) -> Result<Progress, Failure> {
    loop {
        if step.budget.is_spent() {
            return Ok(Progress::Paused);
        }
        let rows = write.statement(DELETE_FEED)?.execute([rest.workspace.raw()])?;
        if rows == 0 {
            return Ok(Progress::Ended);
        }
        step.budget.spend(rows);
    }
}

fn remove_events(write: &mut Write<'_>, step: &mut Step<'_>, rest: &Rest) -> Result<Progress, Failure> {
    loop {
        if step.budget.is_spent() {
            return Ok(Progress::Paused);
        }
        let events: Vec<Candidate> =
            fetch_all(write.connection, SELECT_EVENTS, [rest.workspace.raw()], candidate)?;
        if events.is_empty() {
            let state = write.index_state()?;
            if state.mark >= rest.upto || state.unindexed == 0 {
                return Ok(Progress::Ended);
            }
            index::step(write)?;
            step.budget.spend(index::STEP_EVENTS_MAX);
        }
        for event in events {
            if step.budget.is_spent() {
                return Ok(Progress::Paused);
            }
            let content = event.content.unwrap_or_default();
            let rows = step.remover.bare_event(write, rest.workspace, event.id, &content)?;
            step.budget.spend(rows);
        }
    }
}

fn sweep_due(write: &Write<'_>, step: &mut Step<'_>) -> Result<Progress, Failure> {
    while sweep::is_wanted(write)? {
        if step.budget.is_spent() {
            return Ok(Progress::Paused);
        }
        step.budget.spend(sweep::step(write)?.max(1));
    }
    Ok(Progress::Ended)
}

fn remove_webhooks(write: &Write<'_>, step: &mut Step<'_>, rest: &Rest) -> Result<Progress, Failure> {
    loop {
        let id = |row: &Row<'_>| Fields::new(row, "webhook", 1).integer("id");
        let webhooks = fetch_all(write.connection, SELECT_WEBHOOKS, [rest.workspace.raw()], id)?;
        let Some(highest) = webhooks.iter().max() else { return Ok(Progress::Ended) };
        meta::raise(write.connection, meta::HIGHEST_DELETED_ID, *highest)?;
        for webhook in &webhooks {
            write.statement(DELETE_CUTS)?.execute([webhook])?;
            write.statement(DELETE_WEBHOOK)?.execute([webhook])?;
        }
        step.budget.spend(2 * webhooks.len());
        if step.budget.is_spent() {
            return Ok(Progress::Paused);
        }
    }
}

/// Nothing refers to them any more.
fn remove_signing_keys(write: &Write<'_>, step: &mut Step<'_>, rest: &Rest) -> Result<Progress, Failure> {
    loop {
        let workspace = rest.workspace.raw();
        let newest: i64 =
            write.statement(SELECT_NEWEST_SIGNING_KEY)?.query_row([workspace], |row| row.get(0))?;
        meta::raise(write.connection, meta::HIGHEST_DELETED_ID, newest)?;
        let keys = write.statement(DELETE_SIGNING_KEYS)?.execute([workspace])?;
        if keys == 0 {
            return Ok(Progress::Ended);
        }
        step.budget.spend(2 * keys);
        if step.budget.is_spent() {
            return Ok(Progress::Paused);
        }
    }
}

fn remove_figures(write: &Write<'_>, step: &mut Step<'_>, rest: &Rest) -> Result<Progress, Failure> {
    loop {
        let gone = forget_figures::of_erased(write, rest.workspace, FIGURES_MAX)?;
        if gone == 0 {
            return Ok(Progress::Ended);
        }
        step.budget.spend(gone);
        if step.budget.is_spent() {
            return Ok(Progress::Paused);
        }
    }
}
