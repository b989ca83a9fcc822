//! `upkeep`: one bounded step of whatever housekeeping is due.

use signalpost_core::time::Timestamp;

use super::{index, sweep, unblock};
use crate::catalog::{expire_secrets, forget_operator_keys, forget_users};
use crate::desk;
use crate::failure::Failure;
use crate::portal;
use crate::replays;
use crate::retention::unlist;
use crate::rollups::forget_figures;
use crate::write::Write;

/// Events to be put into the listing indexes, or taken out, for which an idle writer makes the effort: fewer are passed
/// over by lists at no cost that anybody sees, while indexing each by itself would double the commits of a quiet server.
const WORTHWHILE_EVENTS: u64 = 500;

/// How much may be left of what lists can pass over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Eagerness {
    /// None.
    Complete,
    /// What is not worth a commit.
    Worthwhile,
}

/// One step of everything, with expired secrets first: `true` when there is more to do.
///
/// The writer itself has no clock, so its own steps leave out what expires by one.
pub(crate) fn complete_step(write: &mut Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    // Every time, so that no backlog of anything else can make a secret outlive its use.
    let expiring = expire_secrets::step(write, now)?;
    let forgetting = forget_operator_keys::step(write, now)?
        | forget_users::step(write, now)?
        | desk::forget_sessions::step(write, now)?
        | desk::forget_acts::step(write, now)?
        | portal::forget_sessions::step(write, now)?
        | replays::forget::step(write, now)?
        | forget_figures::step(write, now)?;
    Ok(step(write, Eagerness::Complete)? || expiring || forgetting)
}

/// Does one step; `true` when there is more to do.
pub(crate) fn step(write: &mut Write<'_>, eagerness: Eagerness) -> Result<bool, Failure> {
    if unblock::is_wanted(write)? {
        unblock::step(write)?;
        return Ok(true);
    }
    if sweep::is_wanted(write)? {
        sweep::step(write)?;
    } else if wants_index(write, eagerness)? {
        index::step(write)?;
    } else if wants_unlisting(write, eagerness)? {
        unlist::step(write)?;
    } else if replays::end::is_wanted(write)? {
        // Last: nobody reads the plan of a replay that has ended, and it may have a million rows.
        replays::end::step(write)?;
    }
    Ok(sweep::is_wanted(write)?
        || wants_index(write, eagerness)?
        || wants_unlisting(write, eagerness)?
        || replays::end::is_wanted(write)?)
}

/// Whether so many events stand outside the listing indexes that a step among commits is worth its own.
pub(crate) fn wants_small_index_step(unindexed: u64) -> bool {
    usize::try_from(unindexed).is_ok_and(|unindexed| unindexed >= index::SMALL_STEP_EVENTS)
}

/// A step of the listing indexes that holds nobody up for longer than a commit does.
pub(crate) fn small_index_step(write: &mut Write<'_>) -> Result<bool, Failure> {
    index::small_step(write)
}

/// One step of the listing indexes, whatever else there is to do.
pub(crate) fn index_step(write: &mut Write<'_>) -> Result<bool, Failure> {
    index::step(write)
}

fn wants_index(write: &mut Write<'_>, eagerness: Eagerness) -> Result<bool, Failure> {
    Ok(write.index_state()?.unindexed >= eagerness.least())
}

fn wants_unlisting(write: &mut Write<'_>, eagerness: Eagerness) -> Result<bool, Failure> {
    Ok(write.unlisted()? >= eagerness.least())
}

impl Eagerness {
    const fn least(self) -> u64 {
        match self {
            Self::Complete => 1,
            Self::Worthwhile => WORTHWHILE_EVENTS,
        }
    }
}
