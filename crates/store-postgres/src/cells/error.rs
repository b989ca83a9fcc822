//! Why a workspace is not moved, or not yet.

use signalpost_store::StoreError;
use signalpost_store::transfer::Checksum;

#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    #[error("there is no workspace {0}")]
    Unknown(String),
    #[error("the workspace {0} is erased")]
    Erased(String),
    #[error("the workspace {0} is closed, and its last deliveries are under way")]
    Closed(String),
    #[error(
        "the user {user} has rights on {moving} and on {staying}, and a user is in one cell: move both in one command"
    )]
    Shared { user: String, moving: String, staying: String },
    #[error("the cell {cell} has a workspace {public_id} already, or had one")]
    Known { public_id: String, cell: String },
    #[error("what the workspace {public_id} has left in the cell {cell} is still being removed")]
    RestLeft { public_id: String, cell: String },
    #[error("the cell {cell} has a user {username} already")]
    KnownUser { username: String, cell: String },
    #[error("another move of {public_id} is under way, to or from the cell {other}, together with {with}")]
    UnderWay { public_id: String, other: String, with: String },
    #[error(
        "the cell {source_cell} has the schema {source_schema}, and the cell {target_cell} {target_schema}"
    )]
    Schemas { source_cell: String, source_schema: i64, target_cell: String, target_schema: i64 },
    #[error("no move of {0} is under way")]
    NotMoving(String),
    #[error("the move cannot be given up any more: {0} has left its cell")]
    Left(String),
    #[error(
        "the copy of table {table} is not what was read: {} rows with the checksum {} in the source, {} with {} in the \
         target", source_sum.rows, source_sum.to_hex(), target_sum.rows, target_sum.to_hex()
    )]
    Differs { table: &'static str, source_sum: Checksum, target_sum: Checksum },
    #[error(
        "{0} has left its cell, and the other one knows nothing of it: restore it from a backup of the source"
    )]
    Lost(String),
    #[error("the move was stopped")]
    Stopped,
    #[error(transparent)]
    Store(#[from] StoreError),
}
