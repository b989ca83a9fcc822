//! Ending the sessions of processes that are gone. One that stands still in the midst of a transaction holds its locks for as long
//! as the server lets it, and whoever needs them would wait for it.

use crate::failure::Failure;
use crate::mark::Mark;
use crate::pool::Pool;
use crate::session::Session;

/// Nobody else's: they could have chosen the same name.
pub(crate) const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE EXISTS (SELECT 1 FROM unnest($1::text[]) AS prefix WHERE starts_with(application_name, prefix))
        AND usename = session_user AND datname = current_database()";

/// A process that goes on all the same finds its connections closed, and makes others.
pub(super) async fn of(pool: &Pool, session: &Session, gone: &[Mark]) -> Result<(), Failure> {
    let own = Mark::of(pool.shared.origin);
    let prefixes: Vec<String> = gone.iter().filter(|mark| **mark != own).map(Mark::session_prefix).collect();
    if prefixes.is_empty() {
        return Ok(());
    }
    match session.execute(TERMINATE, &[&prefixes]).await {
        Ok(0) => {}
        Ok(sessions) => tracing::info!(sessions, "sessions of nodes that are gone were ended"),
        // The server may not let us; those sessions end by themselves then.
        Err(failure) if failure.is_forbidden() => {
            if !pool.shared.cannot_end_sessions.replace(true) {
                let problem = failure.describe();
                tracing::warn!(
                    problem,
                    "sessions of nodes that are gone cannot be ended; their locks last longer"
                );
            }
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}
