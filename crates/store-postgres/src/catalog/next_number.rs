//! `next_number`: the next id of a kind whose ids are numbers, in a transaction of its own.

use signalpost_core::id_form::Counter;
use signalpost_core::limits::{PUBLIC_NUMBER_MAX, UPKEEP_ROWS_MAX};
use signalpost_store::StoreError;

use super::create_workspace::IS_TAKEN;
use crate::failure::Failure;
use crate::pool::Pool;
use crate::session::Session;
use crate::work;
use crate::write::Write;

/// Whoever else asks waits.
pub(crate) const SELECT: &str = "SELECT last FROM counter WHERE name = $1 FOR UPDATE";
pub(crate) const UPDATE: &str = "UPDATE counter SET last = $2 WHERE name = $1";

/// Takes steps until one has found a number that is free. More than one is needed only behind a long run of numbers that
/// were given to workspaces by hand, and passes over it for good.
pub(super) async fn run(pool: &Pool, counter: Counter) -> Result<i64, StoreError> {
    let step = async |write: &mut Write<'_>| step(write, counter).await;
    loop {
        if let Some(number) = work::transact(pool, &step).await? {
            return Ok(number);
        }
    }
}

/// The next number, or `None` when as many as a step may look at are taken.
async fn step(write: &Write<'_>, counter: Counter) -> Result<Option<i64>, Failure> {
    let session: &Session = write;
    let end = write.shared.cell.map_or(PUBLIC_NUMBER_MAX, |cell| cell.public_numbers().end - 1);
    let name = counter.name();
    let mut number = session.number(SELECT, &[&name]).await?;
    let mut found = None;
    for _ in 0..UPKEEP_ROWS_MAX {
        if number >= end {
            return Err(StoreError::numbers_used_up().into());
        }
        number += 1;
        if !is_taken(session, counter, number).await? {
            found = Some(number);
            break;
        }
    }
    session.execute(UPDATE, &[&name, &number]).await?;
    Ok(found)
}

/// Workspaces may bring an id of their own along.
async fn is_taken(session: &Session, counter: Counter, number: i64) -> Result<bool, Failure> {
    match counter {
        Counter::Workspace => session.exists(IS_TAKEN, &[&number.to_string()]).await,
        Counter::Webhook | Counter::SigningKey | Counter::User => Ok(false),
    }
}
