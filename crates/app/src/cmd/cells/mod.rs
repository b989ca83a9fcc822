//! `signalpost cells`: commands about an installation that is divided into several databases.

mod failure;
mod find;
mod move_to;
mod progress;
mod report;

use clap::Subcommand;

use crate::cmd::Failure;
use move_to::MoveArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum CellsCommand {
    /// Move workspaces with all that is theirs to another cell, while everybody else is served.
    ///
    /// The workspaces are away while their rows are copied: calls that would change something are answered 503, events
    /// included, and nothing is delivered; whoever publishes tries again. What is pending goes out from the other cell. A move
    /// that was killed goes on when the same command is given again; until it has come to its last steps --give-up takes it back.
    /// A user with rights on several workspaces is in one cell with all of them: name them together.
    #[command(after_long_help = MOVE_EXAMPLES)]
    Move(MoveArgs),
}

const MOVE_EXAMPLES: &str = "\
Examples:
  export SIGNALPOST_DATABASE_URL='0=postgres://a.example.com/signalpost 1=postgres://b.example.com/signalpost'
  signalpost cells move acme --to 1
  signalpost cells move 4711 4712 --to 1 --json
  signalpost cells move acme --to 1 --give-up";

pub(super) fn run(command: &CellsCommand) -> Result<(), Failure> {
    match command {
        CellsCommand::Move(args) => move_to::run(args),
    }
}
