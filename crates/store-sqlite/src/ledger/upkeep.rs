//! `upkeep`: one bounded step of whatever housekeeping is due.

use super::{index, sweep};
use crate::failure::Failure;
use crate::write::Write;

/// Events above the mark for which an idle writer makes the effort: fewer are scanned by lists at no cost that
/// anybody sees, while indexing each by itself would double the commits of a quiet server.
const WORTHWHILE_EVENTS: u64 = 500;

/// How much unindexed tail may be left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Eagerness {
    /// None.
    Complete,
    /// What is not worth a commit.
    Worthwhile,
}

/// Does one step; `true` when there is more to do.
pub(crate) fn step(write: &mut Write<'_>, eagerness: Eagerness) -> Result<bool, Failure> {
    if sweep::is_wanted(write)? {
        sweep::step(write)?;
        return Ok(sweep::is_wanted(write)? || wants_index(write, eagerness)?);
    }
    if wants_index(write, eagerness)? {
        index::step(write)?;
    }
    wants_index(write, eagerness)
}

/// One step of the listing indexes, whatever else there is to do.
pub(crate) fn index_step(write: &mut Write<'_>) -> Result<bool, Failure> {
    index::step(write)
}

fn wants_index(write: &mut Write<'_>, eagerness: Eagerness) -> Result<bool, Failure> {
    let least = match eagerness {
        Eagerness::Complete => 1,
        Eagerness::Worthwhile => WORTHWHILE_EVENTS,
    };
    Ok(write.index_state()?.unindexed >= least)
}
