//! Running a piece of work: on a connection of its own, again when another transaction was in the way.

use futures_channel::oneshot;
use signalpost_store::StoreError;

use crate::changes::note::Changed;
use crate::changes::{self, settle};
use crate::failure::Failure;
use crate::fate::{self, Transaction};
use crate::pool::Pool;
use crate::session::{Session, Standing};
use crate::store::settled;
use crate::write::Write;

/// How often work is tried that others are in the way of.
const TRIES_MAX: usize = 5;

const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// What a transaction that was committed has come to.
pub(crate) struct Committed<T> {
    value: T,
    /// Told when other nodes do not act any more on what it has taken away.
    seen: Option<oneshot::Receiver<Result<(), StoreError>>>,
}

impl<T> Committed<T> {
    /// When what it takes away is taken away everywhere.
    pub(crate) async fn everywhere(self) -> Result<T, StoreError> {
        if let Some(seen) = self.seen {
            settled(seen).await?;
        }
        Ok(self.value)
    }
}

/// One transaction: committed, synced and told of, or rolled back. What it takes away is taken away everywhere when it
/// answers.
pub(crate) async fn transact<T>(
    pool: &Pool,
    work: &impl AsyncFn(&mut Write<'_>) -> Result<T, Failure>,
) -> Result<T, StoreError> {
    commit(pool, work).await?.everywhere().await
}

/// The same for whoever waits for other nodes at another place.
pub(crate) async fn commit<T>(
    pool: &Pool,
    work: &impl AsyncFn(&mut Write<'_>) -> Result<T, Failure>,
) -> Result<Committed<T>, StoreError> {
    let mut tries = 1;
    loop {
        match try_transact(pool, work).await {
            Err(failure) if failure.is_conflict() && tries < TRIES_MAX => tries += 1,
            done => return done.map_err(Failure::into_store_error),
        }
    }
}

/// The same, tried once, of what can wait: nothing when somebody else was in the way.
pub(crate) async fn transact_if_free<T>(
    pool: &Pool,
    work: &impl AsyncFn(&mut Write<'_>) -> Result<T, Failure>,
) -> Result<Option<T>, StoreError> {
    match try_transact(pool, work).await {
        Ok(committed) => committed.everywhere().await.map(Some),
        Err(failure) if failure.is_held_up() => Ok(None),
        Err(failure) => Err(failure.into_store_error()),
    }
}

async fn try_transact<T>(
    pool: &Pool,
    work: &impl AsyncFn(&mut Write<'_>) -> Result<T, Failure>,
) -> Result<Committed<T>, Failure> {
    let session = pool.take().await?;
    let mut write = Write::begin(&session, &pool.shared).await?;
    match work(&mut write).await {
        Ok(value) => {
            let (transaction, revokes) = (fate::own(&session).await?, write.revokes());
            let mut news = std::mem::take(&mut write.news);
            let committed = write.commit().await;
            drop(session);
            news.changed = match committed {
                Ok(told) => told.changed,
                Err(failure) => find_out(pool, transaction, revokes, failure).await?,
            };
            let changed = news.changed;
            pool.shared.tell(news);
            let revoked = changed.filter(|changed| changed.revokes);
            let seen = revoked.map(|Changed { upto, .. }| settle::by_others(&pool.shared, upto));
            Ok(Committed { value, seen })
        }
        Err(failure) => {
            write.roll_back().await;
            Err(failure)
        }
    }
}

/// What a transaction has changed whose commit failed, and was done all the same; else why it failed.
async fn find_out(
    pool: &Pool,
    transaction: Option<Transaction>,
    revokes: Option<bool>,
    failure: Failure,
) -> Result<Option<Changed>, Failure> {
    let Some(transaction) = transaction.filter(|_| failure.is_lost()) else { return Err(failure) };
    if fate::was_committed(pool, transaction).await != Some(true) {
        return Err(failure);
    }
    let Some(revokes) = revokes else { return Ok(None) };
    // Its own number went with the answer. It is among those up to here.
    let session = pool.take().await?;
    Ok(Some(Changed { upto: changes::read::newest(&session).await?, revokes }))
}

/// A read, of one statement or of several between which others may write.
pub(crate) async fn read<T>(
    pool: &Pool,
    work: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
) -> Result<T, StoreError> {
    let session = pool.take().await.map_err(Failure::into_store_error)?;
    work(&session).await.map_err(Failure::into_store_error)
}

/// A read that sees everything as it is at one moment.
pub(crate) async fn read_snapshot<T>(
    pool: &Pool,
    work: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
) -> Result<T, StoreError> {
    let found = async {
        let session = pool.take().await?;
        session.set_standing(Standing::Reading);
        session.batch(BEGIN_SNAPSHOT).await?;
        let found = work(&session).await;
        session.batch(if found.is_ok() { COMMIT } else { ROLLBACK }).await?;
        session.set_standing(Standing::Idle);
        found
    };
    found.await.map_err(Failure::into_store_error)
}
