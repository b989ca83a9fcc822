//! `upkeep`: one bounded step of whatever housekeeping is due, in transactions of their own.

use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;

use super::{sweep, tally, unblock};
use crate::catalog::{expire_secrets, forget_operator_keys, forget_users};
use crate::desk;
use crate::pool::Pool;
use crate::portal;
use crate::replays;
use crate::rollups::forget_figures;
use crate::work::transact;
use crate::write::Write;

/// One step of everything, with expired secrets first: `true` when there is more to do.
pub(super) async fn run(pool: &Pool, now: Timestamp) -> Result<bool, StoreError> {
    // Every time, so that no backlog of anything else can make a secret outlive its use.
    let expiring =
        transact(pool, &async |write: &mut Write<'_>| expire_secrets::step(write, now).await).await?;
    let keys =
        transact(pool, &async |write: &mut Write<'_>| forget_operator_keys::step(write, now).await).await?;
    let users = transact(pool, &async |write: &mut Write<'_>| forget_users::step(write, now).await).await?;
    let sessions =
        transact(pool, &async |write: &mut Write<'_>| desk::forget_sessions::step(write, now).await).await?;
    let acts =
        transact(pool, &async |write: &mut Write<'_>| desk::forget_acts::step(write, now).await).await?;
    let customers =
        transact(pool, &async |write: &mut Write<'_>| portal::forget_sessions::step(write, now).await)
            .await?;
    let jobs = transact(pool, &async |write: &mut Write<'_>| replays::forget::step(write, now).await).await?;
    let figures =
        transact(pool, &async |write: &mut Write<'_>| forget_figures::step(write, now).await).await?;
    // Others may have kept answers, too.
    pool.shared.kept_in_all.set(None);
    let tallies = add_tallies_up(pool).await?;
    let places = forget_places(pool).await?;
    let owed = tidy_owed(pool).await?;
    Ok(expiring
        || keys
        || users
        || sessions
        || acts
        || customers
        || jobs
        || figures
        || tallies
        || places
        || owed)
}

/// As long as there is more: every commit leaves a row for each workspace that it touches.
pub(crate) async fn add_tallies_up(pool: &Pool) -> Result<bool, StoreError> {
    transact(pool, &async |write: &mut Write<'_>| tally::step(write).await).await
}

pub(crate) async fn tidy_owed(pool: &Pool) -> Result<bool, StoreError> {
    transact(pool, &async |write: &mut Write<'_>| owed_step(write).await).await
}

/// What concerns rows that are owed, and the plans of replays: the first of these that has something to do.
async fn owed_step(write: &mut Write<'_>) -> Result<bool, crate::failure::Failure> {
    if unblock::step(write).await? {
        return Ok(true);
    }
    if sweep::step(write).await? {
        return Ok(sweep::is_wanted(write).await? || replays::end::is_wanted(write).await?);
    }
    // Last: nobody reads the plan of a replay that has ended, and it may have a million rows.
    if replays::end::is_wanted(write).await? {
        replays::end::step(write).await?;
    }
    replays::end::is_wanted(write).await
}

/// `false` at the end of a walk over all that there are.
pub(crate) async fn forget_places(pool: &Pool) -> Result<bool, StoreError> {
    let after = pool.shared.places_looked_at.get();
    let come_to =
        transact(pool, &async |write: &mut Write<'_>| tally::forget_places(write, after).await).await?;
    pool.shared.places_looked_at.set(come_to.unwrap_or((i64::MIN, i64::MIN)));
    Ok(come_to.is_some())
}
