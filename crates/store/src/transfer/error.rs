//! Why a move does not begin, or not end.

use super::checksum::Checksum;
use crate::row::Row;

#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error("the source cannot be read: {0}")]
    Source(String),
    #[error("the target cannot be read or written: {0}")]
    Target(String),
    #[error("in the source {column} of {table} {key} cannot be moved: {problem}")]
    Value { table: &'static str, key: String, column: &'static str, problem: String },
    #[error("the target is not empty: there are rows in its table {0}")]
    NotEmpty(&'static str),
    #[error("the target holds an unfinished move from another data directory")]
    OtherSource,
    #[error("the data directory has changed since the move into this target was begun")]
    SourceChanged,
    #[error("the data directory was moved before, into another database")]
    MovedBefore,
    #[error("the target holds all of this data directory, to which somebody has gone back since")]
    WentBack,
    #[error(
        "the copy of table {table} is not what was read: {} rows with the checksum {} in the source, {} with {} in the \
         target", source_sum.rows, source_sum.to_hex(), target_sum.rows, target_sum.to_hex()
    )]
    Differs { table: &'static str, source_sum: Checksum, target_sum: Checksum },
    #[error("the highest id is {source_id} in the source and {target_id} in the target")]
    HighestId { source_id: i64, target_id: i64 },
    #[error("the move was stopped")]
    Stopped,
}

/// The first columns of a row in words.
pub(super) fn shown_key(row: &Row<'_>, columns: usize) -> String {
    let part = |index| row.value(index).map_or_else(|problem| problem, |value| value.to_string());
    (0..columns).map(part).collect::<Vec<_>>().join("/")
}
