//! `retain`: removing what the rules do not let the store keep, in bounded steps.
//!
//! A walk goes through its stages in turn: rests of erased workspaces, answers kept for calls, the bound of the whole
//! store, events and then payloads under the server's ages, and each workspace with rules of its own.
//! It keeps its place in memory between two steps and begins anew when that is lost. What a step may touch is given
//! by the writer: a fixed number of rows while it is idle, and under load about as many as others have written, so
//! that a server that is never idle keeps its bounds and nobody waits long.

mod ages;
mod calls;
mod candidate;
mod places;
mod remove;
mod rest;
#[cfg(test)]
mod tests;
pub(crate) mod unlist;
mod whole;
mod workspace;

use signalpost_core::id::WorkspaceId;
use signalpost_core::retention::RetentionOverrides;
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::{Retain, Retained};
use signalpost_store::retention::earlier;

use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::write::Write;
use places::Stage;
pub(crate) use places::{Frontiers, Places, Walk};
use remove::Remover;
use signalpost_store::row::Fields;
pub(crate) use whole::{FREE_COUNT, PAGE_COUNT};

/// The oldest event of a workspace that is in the listing indexes.
pub(crate) const SELECT_FIRST_EVENT: &str =
    "SELECT event FROM ix_event WHERE workspace = ?1 ORDER BY event LIMIT 1";

/// Rows that a step may still touch: removed, or looked at in vain.
struct Budget(usize);

impl Budget {
    const fn is_spent(&self) -> bool {
        self.0 == 0
    }

    const fn spend(&mut self, rows: usize) {
        self.0 = self.0.saturating_sub(rows);
    }
}

/// Whether a stage has come to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Ended,
    /// The budget of this step is spent.
    Paused,
}

/// What one step works with.
struct Step<'c> {
    params: Retain,
    budget: Budget,
    remover: Remover<'c>,
    done: Retained,
}

/// Does one step of the walk.
pub(crate) fn run(write: &mut Write<'_>, params: &Retain) -> Result<Retained, Failure> {
    // Until the step has come to its end there is no place to go on from.
    let mut walk = write.caches.walk.take().unwrap_or_default();
    let mut step = Step {
        params: params.clone(),
        budget: Budget(write.allowance),
        remover: Remover::new(write)?,
        done: Retained::default(),
    };
    while !step.budget.is_spent() && walk.stage != Stage::End {
        let progress = match &mut walk.stage {
            Stage::Rests => rest::step(write, &mut step)?,
            Stage::Calls { after } => calls::step(write, &mut step, after)?,
            Stage::Whole { after } => whole::step(write, &mut step, after, &mut walk.looked)?,
            Stage::Ages(march) => ages::step(write, &mut step, march, &mut walk.looked)?,
            Stage::Workspaces(tour) => workspace::step(write, &mut step, tour, &mut walk.looked)?,
            Stage::End => Progress::Ended,
        };
        if progress == Progress::Ended {
            walk.next_at = earlier(walk.next_at, walk.stage.next_at());
            walk.stage = walk.stage.following();
        }
    }
    step.remover.finish(write)?;
    write.news.background_rows += write.allowance - step.budget.0;
    step.done.looked = walk.looked;
    if walk.stage == Stage::End {
        step.done.next_at = walk.next_at.map(Timestamp::from_ms);
    } else {
        step.done.more = true;
        write.caches.walk = Some(walk);
    }
    Ok(step.done)
}

/// A workspace's own rules have changed to these: its events may be old by them, wherever retention stands by now. What
/// is known of others holds.
pub(crate) fn forget(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    own: &RetentionOverrides,
) -> Result<(), Failure> {
    write.caches.places.forget(workspace);
    if let Some(walk) = &mut write.caches.walk {
        walk.forget(workspace);
    }
    if *own == RetentionOverrides::default() {
        // It follows the server's rules now, whose frontiers have passed over its events.
        let first = fetch_one(write.connection, SELECT_FIRST_EVENT, [workspace.raw()], |row| {
            Fields::new(row, "ix_event", 1).id("event")
        })?;
        let unlisted = write.index_state()?.mark.saturating_add(1);
        write.caches.frontiers.note_event(first.map_or(unlisted, |first| first.min(unlisted)));
    }
    Ok(())
}

/// Every statement of retention, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    SELECT_FIRST_EVENT,
    ages::SELECT_OLDEST,
    ages::SELECT_ONE,
    ages::FOLLOWS_THE_SERVER,
    calls::SELECT_OLDEST,
    calls::SELECT_FIRST,
    calls::DELETE,
    candidate::SELECT_STEPS,
    candidate::SELECT_BLOCK,
    candidate::SELECT_CUT_UPTO,
    remove::DELETE_MESSAGE,
    remove::DELETE_STEPS,
    remove::DELETE_KEY,
    remove::DELETE_FEED,
    remove::DELETE_IX_EVENT,
    remove::DELETE_IX_DELIVERY,
    remove::EMPTY_MESSAGE,
    rest::SELECT_FIRST,
    rest::SELECT_EVENTS,
    rest::DELETE_FEED,
    rest::SELECT_WEBHOOKS,
    rest::DELETE_CALLS,
    rest::DELETE_CUTS,
    rest::DELETE_WEBHOOK,
    rest::SELECT_NEWEST_SIGNING_KEY,
    rest::DELETE_SIGNING_KEYS,
    rest::DELETE,
    unlist::INSERT,
    unlist::SELECT,
    unlist::DELETE,
    whole::PAGE_COUNT,
    whole::FREE_COUNT,
    workspace::SELECT_NEXT,
    workspace::SELECT_OLDEST,
    workspace::SELECT_TAIL,
];
