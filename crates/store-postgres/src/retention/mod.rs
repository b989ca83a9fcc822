//! `retain`: removing what the rules do not let the store keep, in bounded steps.
//!
//! A walk goes through its stages in turn: rests of erased workspaces, answers kept for calls, tables of events that are old,
//! the bound of the whole store, and each workspace with the rules in force for it. It keeps its place in memory between two steps and begins anew
//! when that is lost. Every node may walk: what goes is looked for without a lock, and judged once more under those of its
//! workspaces.

mod calls;
mod candidate;
mod remove;
pub(crate) mod rest;
mod take;
mod walk;
mod whole;
mod workspace;

use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::ledger::{Retain, Retained};
use signalpost_store::retention::earlier;

use crate::pool::Pool;
use crate::spans::{self, HeldUp, LeftToTables, Stepped};
pub(crate) use candidate::{Candidate, Judged, judge, load};
pub(crate) use remove::{delete_dropped, delete_keys, deliveries};
use take::Taken;
use walk::Stage;
pub(crate) use walk::Walk;
pub(crate) use whole::stored_bytes;

/// Whether a stage has come to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Ended,
    /// This step has touched as many rows as it may.
    Paused,
}

/// What one step works with.
struct Step<'p> {
    pool: &'p Pool,
    now: Timestamp,
    rules: &'p RetentionRules,
    /// Rows that may still be touched: removed, or looked at in vain.
    left: usize,
    /// What is too old by the server's age and goes with its table.
    left_to_tables: LeftToTables,
    done: Retained,
}

impl Step<'_> {
    const fn is_spent(&self) -> bool {
        self.left == 0
    }

    const fn spend(&mut self, rows: usize) {
        self.left = self.left.saturating_sub(rows);
    }

    /// Counts what was done; how many events are held.
    fn note(&mut self, taken: &Taken) -> u64 {
        self.spend(taken.rows);
        self.done.events += taken.events;
        self.done.payloads += taken.payloads;
        u64::try_from(taken.held.len()).unwrap_or(u64::MAX)
    }
}

/// Does one step of the walk. A stage that fails is left for this walk, so that none that fails again and again keeps those
/// behind it from their turn.
pub(crate) async fn run(pool: &Pool, params: &Retain) -> Result<Retained, StoreError> {
    // One step at a time: another would begin a walk of its own, and the later to end is remembered.
    let mut walk = pool.shared.retention.take();
    let (now, rules) = (params.now, &params.rules);
    let (left, left_to_tables) = (UPKEEP_ROWS_MAX, LeftToTables::NONE);
    let mut step = Step { pool, now, rules, left, left_to_tables, done: Retained::default() };
    let walked = go(&mut step, &mut walk).await;
    if walked.is_err() {
        walk.go_on();
    }
    let mut done = Retained { looked: walk.looked, ..step.done };
    if walk.stage == Stage::End {
        done.next_at = walk.next_at.map(Timestamp::from_ms);
        walk.begin_anew();
    } else {
        done.more = true;
    }
    pool.shared.retention.replace(walk);
    walked.map(|()| done)
}

async fn go(step: &mut Step<'_>, walk: &mut Walk) -> Result<(), StoreError> {
    while !step.is_spent() && walk.stage != Stage::End {
        let progress = match &mut walk.stage {
            Stage::Rests => rest::step(step).await?,
            Stage::Calls { after } => calls::step(step, after).await?,
            Stage::Spans => step_spans(step, &mut walk.held_up).await?,
            Stage::Whole { after } => {
                whole::step(step, after, &mut walk.looked, &mut walk.overfull_told).await?
            }
            Stage::Workspaces(tour) => {
                step.left_to_tables = LeftToTables::read(step.pool, step.now, step.rules).await?;
                workspace::step(step, tour, &mut walk.places, &mut walk.looked).await?
            }
            Stage::End => Progress::Ended,
        };
        if progress == Progress::Ended {
            walk.go_on();
        }
    }
    Ok(())
}

/// Events go with their tables where they can.
async fn step_spans(step: &mut Step<'_>, held_up: &mut HeldUp) -> Result<Progress, StoreError> {
    while !step.is_spent() {
        match spans::step(step.pool, step.now, step.rules, held_up).await? {
            Stepped::Idle | Stepped::HeldUp => return Ok(Progress::Ended),
            Stepped::Done(done) => {
                step.spend(done.rows.max(1));
                step.done.events += done.events;
            }
        }
    }
    Ok(Progress::Paused)
}

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    calls::SELECT_OLDEST,
    calls::DELETE,
    candidate::SELECT,
    candidate::SELECT_STEPS,
    candidate::SELECT_CUTS_UPTO,
    candidate::SELECT_BLOCKS,
    remove::DELETE_STEPS,
    remove::DELETE_MESSAGE,
    remove::EMPTY_MESSAGE,
    remove::DELETE_DROPPED,
    remove::DELETE_DUE,
    remove::DELETE_KEYS,
    remove::DELETE_FEED,
    rest::SELECT_FIRST,
    rest::SELECT_USERS,
    rest::DELETE_CALLS,
    rest::DELETE_DUE,
    rest::DELETE_FEED,
    rest::SELECT_EVENTS,
    rest::SELECT_DELIVERIES,
    rest::DELETE_DROPPED,
    rest::SELECT_WEBHOOKS,
    rest::DELETE_CUTS,
    rest::DELETE_SWEEPS,
    rest::DELETE_WEBHOOKS,
    rest::DELETE_SIGNING_KEYS,
    rest::DELETE,
    whole::SELECT_OLDEST,
    whole::SELECT_STORED,
    workspace::SELECT_NEXT,
    workspace::SELECT_OLDEST,
    workspace::SELECT_HELD,
];
