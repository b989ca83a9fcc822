//! Answers kept for calls whose time is over.
//!
//! Rows stand in order of arrival, so those that expire first stand first. One that a clock has dated wrongly holds back
//! nothing but itself, while fewer than a page of them stand together.

use signalpost_core::idempotency::is_kept;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;

use super::{Progress, Step};
use crate::catalog::once::{forget, returning};
use crate::failure::Failure;
use crate::fetch::{fetch_all, fetch_one};
use crate::write::Write;
use signalpost_store::row::{Fields, Row};

pub(crate) const SELECT_OLDEST: &str = "SELECT id, at FROM once WHERE id > ?1 ORDER BY id LIMIT 64";
pub(crate) const SELECT_FIRST: &str = "SELECT id, at FROM once ORDER BY id LIMIT 1";
pub(crate) const DELETE: &str = concat!("DELETE FROM once WHERE id = ?1", returning!());

/// A row goes with its place among the names, which are in no order.
const ROWS_EACH: usize = 2;

/// The row of a call, and when it was made.
pub(super) struct Call {
    pub(super) id: i64,
    pub(super) at: Timestamp,
}

/// Removes what has expired; ends at a page of which nothing has.
pub(super) fn step(write: &mut Write<'_>, step: &mut Step<'_>, after: &mut i64) -> Result<Progress, Failure> {
    loop {
        let mut expired = 0;
        for call in fetch_all(write.connection, SELECT_OLDEST, [*after], call)? {
            if step.budget.is_spent() {
                return Ok(Progress::Paused);
            }
            *after = call.id;
            if is_kept(call.at, step.params.now) {
                step.budget.spend(1);
            } else {
                remove(write, step, &call)?;
                expired += 1;
            }
        }
        if expired == 0 {
            return Ok(Progress::Ended);
        }
    }
}

/// The one that came first.
pub(super) fn first(write: &Write<'_>) -> Result<Option<Call>, Failure> {
    fetch_one(write.connection, SELECT_FIRST, [], call)
}

pub(super) fn remove(write: &mut Write<'_>, step: &mut Step<'_>, call: &Call) -> Result<(), Failure> {
    forget(write, DELETE, [call.id])?;
    step.budget.spend(ROWS_EACH);
    Ok(())
}

fn call(row: &Row<'_>) -> Result<Call, StoreError> {
    let mut fields = Fields::new(row, "once", 1);
    Ok(Call { id: fields.id("id")?, at: fields.time("at")? })
}
