//! Why a piece of work on the database did not succeed, seen from inside.

use rusqlite::ErrorCode;
use signalpost_store::StoreError;

/// The index of the write-ahead log cannot grow (sqlite3.h).
const SQLITE_IOERR_SHMSIZE: i32 = 10 | 19 << 8;

#[derive(Debug)]
pub(crate) enum Failure {
    /// The verb's own answer. It was decided before anything was written.
    Refused(StoreError),
    /// The same, but after a write: what the work had written must be rolled back.
    RefusedLate(StoreError),
    /// SQLite refused; what the work had written must be rolled back.
    Sql(rusqlite::Error),
    /// The work panicked; what it had written must be rolled back.
    Panicked,
}

impl Failure {
    /// Whether the medium is at fault, so that trying each operation by itself would only fail once for each.
    /// A damaged page is not among them: it may belong to one tenant alone.
    pub(crate) fn is_of_the_medium(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::CannotOpen
                    | ErrorCode::ReadOnly
                    | ErrorCode::NotADatabase
                    | ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::OutOfMemory
                    | ErrorCode::PermissionDenied
                    | ErrorCode::FileLockingProtocolFailed
            )
        )
    }

    /// Whether there was no room to write.
    pub(crate) fn is_full(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        let code = error.sqlite_error().map(|error| error.extended_code);
        error.sqlite_error_code() == Some(ErrorCode::DiskFull) || code == Some(SQLITE_IOERR_SHMSIZE)
    }

    /// In words, for the caller's `Unavailable` and the log.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Refused(error) | Self::RefusedLate(error) => error.to_string(),
            Self::Sql(error) => error.to_string(),
            Self::Panicked => "an operation of the store panicked".to_owned(),
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

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}
