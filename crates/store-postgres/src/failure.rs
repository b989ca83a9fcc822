//! Why a piece of work on the database did not succeed, seen from inside.

use std::time::Duration;

use signalpost_store::StoreError;
use tokio_postgres::error::SqlState;

#[derive(Debug)]
pub(crate) enum Failure {
    /// The verb's own answer. Whatever the work had written is rolled back.
    Refused(StoreError),
    /// The server refused, or could not be reached.
    Sql(tokio_postgres::Error),
    /// There is no connection to work with.
    Away(String),
    /// The server did not answer in time, and may yet do what it was asked.
    Silent(Duration),
    /// Somebody has changed meanwhile what was looked at before.
    Overtaken,
    /// A mistake of ours: a statement was to go before a commit, and was not prepared.
    Unprepared(&'static str),
}

impl Failure {
    /// Whether the same work may succeed at once: another transaction was in the way, or has made the table that a row belongs to
    /// while the row was on its way to where it would have lain otherwise.
    pub(crate) fn is_conflict(&self) -> bool {
        let conflicts = [
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::UNIQUE_VIOLATION,
            SqlState::CHECK_VIOLATION,
        ];
        self.state().is_some_and(|state| conflicts.contains(state))
    }

    /// Whether somebody else's work was in the way for longer than this may take.
    pub(crate) fn is_held_up(&self) -> bool {
        let is_waiting_over = self.state().is_some_and(|state| {
            [SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED, SqlState::T_R_DEADLOCK_DETECTED]
                .contains(state)
        });
        is_waiting_over || matches!(self, Self::Overtaken)
    }

    /// Whether the server is at fault, so that trying each operation by itself would only fail once for each.
    pub(crate) fn is_of_the_server(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Overtaken | Self::Unprepared(_) => false,
            Self::Away(_) | Self::Silent(_) => true,
            Self::Sql(error) if error.is_closed() => true,
            Self::Sql(_) => self.state().is_none_or(|state| {
                // Somebody holds a lock, and each by itself would wait as long for it; nobody may write; or the server has
                // closed the transaction or the connection for having been idle.
                if *state == SqlState::LOCK_NOT_AVAILABLE
                    || *state == SqlState::READ_ONLY_SQL_TRANSACTION
                    || state.code().starts_with("25P")
                {
                    return true;
                }
                // Classes of the standard and of PostgreSQL: connections, resources, intervention, limits, system.
                ["08", "53", "57", "54", "58"].iter().any(|class| state.code().starts_with(class))
            }),
        }
    }

    /// Whether the connection is gone, so that nobody can say what became of a commit.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::Sql(error) => {
                // Classes of the standard and of PostgreSQL: connections, and an administrator's intervention.
                error.is_closed()
                    || error.code().is_none()
                    || self.state().is_some_and(|state| {
                        ["08", "57P"].iter().any(|class| state.code().starts_with(class))
                    })
            }
            Self::Away(_) | Self::Silent(_) => true,
            Self::Refused(_) | Self::Overtaken | Self::Unprepared(_) => false,
        }
    }

    /// Whether the server does not let us do it.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.state() == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
    }

    /// Whether there was no room to write.
    pub(crate) fn is_full(&self) -> bool {
        self.state() == Some(&SqlState::DISK_FULL)
    }

    fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Sql(error) => error.code(),
            Self::Refused(_) | Self::Away(_) | Self::Silent(_) | Self::Overtaken | Self::Unprepared(_) => {
                None
            }
        }
    }

    /// In words, for the caller's `Unavailable` and the log.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Refused(error) => error.to_string(),
            Self::Away(problem) => problem.clone(),
            Self::Silent(patience) => format!("PostgreSQL gave no answer within {patience:?}"),
            Self::Overtaken => "somebody else was faster".to_owned(),
            Self::Unprepared(sql) => format!("a statement was not prepared in time: {sql}"),
            Self::Sql(error) => describe(error),
        }
    }

    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            Self::Refused(error) => error,
            full if full.is_full() => StoreError::Full,
            other => StoreError::Unavailable(other.describe()),
        }
    }
}

/// An error of the driver with what lies below it, which says more.
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(said), _) => format!("PostgreSQL says: {} ({})", said.message(), said.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Sql(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::OpenError;
    use tokio_postgres::Config;

    /// Nobody was asked, so nobody was not reached.
    #[test]
    fn a_malformed_url_is_said_to_be_that_and_no_more() {
        let error = "postgres://somebody@somewhere:port/".parse::<Config>().expect_err("no port");
        let said = OpenError::Url(describe(&error)).to_string();
        assert_eq!(
            said,
            "the database URL cannot be used: invalid connection string: invalid value for option `port`"
        );
    }
}
