//! What became of a commit whose answer was lost. The server remembers that of every transaction for a while, whoever asks.

use std::time::Duration;

use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::pool::Pool;
use crate::session::Session;
use crate::shell;
use crate::write::Write;

pub(crate) const SELECT_OWN: &str = "SELECT txid_current_if_assigned()";
/// NULL for one that is too old to be remembered.
pub(crate) const SELECT_FATE: &str = "SELECT txid_status($1)";
/// For which share of the time for an answer the server is asked: ten seconds, in which a crashed server is back. Whoever calls may
/// have waited for the answer that did not come before.
const SHARE: u32 = 3;

/// What the server calls a transaction.
#[derive(Clone, Copy)]
pub(crate) struct Transaction(i64);

/// This session's, unless it has written nothing.
pub(crate) async fn own(session: &Session) -> Result<Option<Transaction>, Failure> {
    let found = session.one(SELECT_OWN, &[], |row| Fields::new(row, "transaction", 1).optional_integer("id"));
    Ok(found.await?.flatten().map(Transaction))
}

/// For how long it is asked for.
pub(crate) fn patience(pool: &Pool) -> Duration {
    pool.answer_timeout() / SHARE
}

/// Whether it was committed; `None` when the server does not come back in time, or knows it no more. One that is still under way is
/// waited for.
pub(crate) async fn was_committed(pool: &Pool, transaction: Transaction) -> Option<bool> {
    let asking = async {
        loop {
            match ask(pool, transaction).await {
                Ok(Fate::Ended(committed)) => return committed,
                Ok(Fate::UnderWay) => {}
                Err(failure) => {
                    tracing::debug!(problem = failure.describe(), "a commit's outcome is not known yet");
                }
            }
            shell::pause().await;
        }
    };
    shell::within(patience(pool), asking).await?
}

enum Fate {
    UnderWay,
    /// Committed or not, or forgotten.
    Ended(Option<bool>),
}

async fn ask(pool: &Pool, Transaction(id): Transaction) -> Result<Fate, Failure> {
    let session = pool.take().await?;
    let write = Write::begin(&session, &pool.shared).await?;
    let said = write
        .one(SELECT_FATE, &[&id], |row| {
            Ok(Fields::new(row, "transaction", 1).optional_text("status")?.map(str::to_owned))
        })
        .await?;
    let fate = match said.flatten().as_deref() {
        Some("committed") => {
            // Perhaps on this server alone: one that crashed while it waited for a standby shows it after its start.
            write.commit_marked().await?;
            return Ok(Fate::Ended(Some(true)));
        }
        Some("in progress") => Fate::UnderWay,
        Some(_aborted) => Fate::Ended(Some(false)),
        None => Fate::Ended(None),
    };
    write.roll_back().await;
    Ok(fate)
}
