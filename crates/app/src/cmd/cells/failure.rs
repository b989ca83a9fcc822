//! What to do about a move that did not come to its end.

use signalpost_store_postgres::cells::MoveError;

use crate::cmd::Failure;

const GIVE_UP: &str = "Nothing is lost: `--give-up` has the workspaces served where they were.";

pub(super) fn move_failure(error: MoveError) -> Failure {
    let hint = match &error {
        MoveError::Unknown(_) | MoveError::Erased(_) => "Compare the ids with `GET /v1/workspaces`.",
        MoveError::Closed(_) => "It is gone when they are; there is nothing to move then.",
        MoveError::Shared { .. } => {
            "Name all workspaces that its users have rights on, or revoke the rights."
        }
        MoveError::Known { .. } => {
            "Two workspaces of one id cannot be in one installation: look which one is meant."
        }
        MoveError::RestLeft { .. } => {
            "Retention removes it while a server works on that cell; try again when it is through."
        }
        MoveError::KnownUser { .. } => {
            "Names of users are unique in a cell. Give this one up with --give-up, and remove one of the two."
        }
        MoveError::UnderWay { .. } => "Give the command of that move again, or give it up with --give-up.",
        MoveError::Schemas { .. } => "Start this version once on both cells.",
        MoveError::NotMoving(_) => "There is nothing to give up.",
        MoveError::Left(_) => "Give the same command without --give-up: it goes on where it was.",
        MoveError::Differs { .. } => GIVE_UP,
        MoveError::Lost(_) => "Leave both databases as they are, and report this.",
        MoveError::Stopped | MoveError::Store(_) => {
            "Nothing is lost: give the same command again, and it goes on where it was."
        }
    };
    Failure::new(error.to_string()).hint(hint)
}
