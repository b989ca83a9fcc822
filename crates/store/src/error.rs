//! How a verb can fail.

use signalpost_core::basic_auth::TwoAuthorizations;
use signalpost_core::custom_header::TooManyHeaders;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::PUBLIC_NUMBER_MAX;
use signalpost_core::metadata::TooMuchMetadata;
use signalpost_core::rotation::TooManySecrets;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique name is taken; the value says which one.
    #[error("{0} is already taken")]
    Taken(&'static str),
    /// The targets of an event were chosen from webhooks that have changed since. Choose again.
    #[error("the webhooks of the workspace have changed since the targets were chosen")]
    CatalogMoved,
    /// The producer's event id belongs to another event of the last 24 hours.
    #[error("the event id was used for another event")]
    EventIdReused,
    /// The idempotency key belongs to another request of the last 24 hours.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// There are as many of these as there may be.
    #[error("there may be no more than {limit} {what}")]
    LimitReached { what: &'static str, limit: usize },
    /// The object is in a state in which this cannot be done.
    #[error("{0}")]
    WrongState(&'static str),
    /// What the verb is about does not exist.
    #[error("no such {0}")]
    Missing(&'static str),
    /// The workspace is on its way to another cell. Nothing was stored; it is served again when it is there.
    #[error("the workspace is being moved")]
    Moving,
    /// More work waits for the writer than its bounds permit. Nothing was stored.
    #[error("the store has more waiting than it may hold")]
    Overloaded,
    /// The disk has no room for more than outcomes and deletions. Nothing was stored.
    #[error("the disk is full")]
    Full,
    /// The medium refused: I/O error, connection lost, store closed. Unless a verb says otherwise
    /// nothing was stored.
    #[error("the store cannot be used right now: {0}")]
    Unavailable(String),
    /// A stored value cannot be what we wrote.
    #[error("corrupt value in {table}.{column} of {key}: {problem}")]
    Corrupt { table: &'static str, column: &'static str, key: String, problem: String },
}

impl StoreError {
    /// A counter of ids has come to its end.
    pub fn numbers_used_up() -> Self {
        Self::LimitReached {
            what: "numbers of one counter",
            limit: usize::try_from(PUBLIC_NUMBER_MAX).unwrap_or(usize::MAX),
        }
    }
}

impl From<TooManySecrets> for StoreError {
    fn from(_: TooManySecrets) -> Self {
        Self::WrongState(
            "five previous secrets of the webhook still sign; revoke them, or wait until one has expired",
        )
    }
}

impl From<TooManyHeaders> for StoreError {
    fn from(_: TooManyHeaders) -> Self {
        Self::WrongState("together with those that the webhook has by now, the headers are too many")
    }
}

impl From<TooMuchMetadata> for StoreError {
    fn from(_: TooMuchMetadata) -> Self {
        Self::WrongState("together with what the webhook has by now, the metadata is too much")
    }
}

impl From<TwoAuthorizations> for StoreError {
    fn from(_: TwoAuthorizations) -> Self {
        Self::WrongState(
            "the webhook would have a login and a header `authorization`, and a request has one of them",
        )
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(what) => Self::new(ErrorCode::Conflict, format!("the {what} is already taken")),
            StoreError::EventIdReused => Self::new(
                ErrorCode::Conflict,
                "the event id was used for another event within the last 24 hours",
            ),
            StoreError::KeyReused => Self::new(
                ErrorCode::KeyReused,
                "the idempotency key was used for another request within the last 24 hours",
            ),
            StoreError::LimitReached { what, limit } => Self::new(
                ErrorCode::LimitReached,
                format!("there may be no more than {limit} {what}, and there are as many"),
            ),
            StoreError::WrongState(sentence) => Self::new(ErrorCode::Conflict, sentence),
            StoreError::Missing(what) => Self::not_found(what),
            StoreError::Full => Self::new(
                ErrorCode::StorageFull,
                "the disk has no room for more; nothing was stored, try again when there is",
            ),
            StoreError::Moving => Self::new(
                ErrorCode::Unavailable,
                "the workspace is being moved to another database; nothing was stored, try again",
            ),
            StoreError::CatalogMoved | StoreError::Overloaded | StoreError::Unavailable(_) => {
                Self::unavailable(error)
            }
            StoreError::Corrupt { .. } => Self::internal(error),
        }
    }
}
