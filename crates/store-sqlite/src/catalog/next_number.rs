//! `next_number`: the next id of a kind whose ids are numbers, in a commit of its own.

use rusqlite::params;
use signalpost_core::id_form::Counter;
use signalpost_core::limits::{PUBLIC_NUMBER_MAX, UPKEEP_ROWS_MAX};
use signalpost_store::{Answer, StoreError};

use super::CHANGE_BYTES;
use super::create_workspace::IS_TAKEN;
use crate::failure::Failure;
use crate::fetch::exists;
use crate::job::Growth;
use crate::queue::Admission;
use crate::store::Writing;
use crate::write::Write;

pub(crate) const SELECT: &str = "SELECT last FROM counter WHERE name = ?1";
pub(crate) const UPDATE: &str = "UPDATE counter SET last = ?2 WHERE name = ?1";

/// Takes steps until one has found a number that is free. More than one is needed only behind a long run of numbers that
/// were given to workspaces by hand, and passes over it for good.
pub(super) fn run(writing: &Writing, counter: Counter) -> Answer<i64> {
    let first = take_step(writing, counter);
    let writing = writing.clone();
    Box::pin(async move {
        let mut found = first.await?;
        loop {
            match found {
                Some(number) => return Ok(number),
                None => found = take_step(&writing, counter).await?,
            }
        }
    })
}

fn take_step(writing: &Writing, counter: Counter) -> Answer<Option<i64>> {
    let admission = (Admission::Always, Growth::Grows);
    writing.write(admission, CHANGE_BYTES, move |write| step(write, counter))
}

/// The next number, or `None` when as many as a step may look at are taken.
fn step(write: &mut Write<'_>, counter: Counter) -> Result<Option<i64>, Failure> {
    let mut number: i64 = write.statement(SELECT)?.query_row([counter.name()], |row| row.get(0))?;
    let mut found = None;
    for _ in 0..UPKEEP_ROWS_MAX {
        if number >= PUBLIC_NUMBER_MAX {
            return Err(StoreError::numbers_used_up().into());
        }
        number += 1;
        if !is_taken(write, counter, number)? {
            found = Some(number);
            break;
        }
    }
    write.statement(UPDATE)?.execute(params![counter.name(), number])?;
    Ok(found)
}

/// Workspaces may bring an id of their own along.
fn is_taken(write: &Write<'_>, counter: Counter, number: i64) -> Result<bool, Failure> {
    match counter {
        Counter::Workspace => exists(write.connection, IS_TAKEN, [number.to_string()]),
        Counter::Webhook | Counter::SigningKey | Counter::User => Ok(false),
    }
}
