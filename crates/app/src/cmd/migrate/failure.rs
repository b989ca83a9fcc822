//! What to do about a move that did not come to its end.

use signalpost_store::transfer::TransferError;
use signalpost_store_sqlite::copy::CopyError;
use signalpost_store_sqlite::move_out::MoveOutError;

use crate::cmd::Failure;
use crate::cmd::copies::copy_failure;

const ANEW: &str =
    "To start anew, say DROP SCHEMA signalpost CASCADE in the target and give the same command again.";

pub(super) fn source_failure(error: MoveOutError) -> Failure {
    match error {
        MoveOutError::Copy(error @ CopyError::NoDatabase(_)) => copy_failure(error),
        MoveOutError::Copy(error) => Failure::new(error.to_string()),
        MoveOutError::OldSchema { .. } => Failure::new(error.to_string())
            .hint("Start `signalpost serve` of this version on it once, and stop it."),
    }
}

pub(super) fn transfer_failure(error: TransferError) -> Failure {
    let hint = match &error {
        TransferError::Source(_) | TransferError::Target(_) | TransferError::Stopped => {
            "Nothing is lost: give the same command again, and it goes on where it was.".to_owned()
        }
        TransferError::Value { .. } => {
            "Change or delete with a server on the data directory what it belongs to; then start anew.".to_owned()
        }
        TransferError::NotEmpty(_) => {
            "Name a database without a schema `signalpost`, or one in which nothing was made yet.".to_owned()
        }
        TransferError::OtherSource | TransferError::SourceChanged => ANEW.to_owned(),
        TransferError::MovedBefore => {
            "signalpost.moved in it says so. Remove this file only if nobody serves from that database any more.".to_owned()
        }
        TransferError::WentBack => {
            format!("What was done in the database since would be lost. {ANEW}")
        }
        TransferError::Differs { .. } | TransferError::HighestId { .. } => format!(
            "Nobody can serve from the target, and the data directory is as it was; `signalpost db check` says whether it \
             is whole. {ANEW}"
        ),
    };
    Failure::new(error.to_string()).hint(hint)
}
