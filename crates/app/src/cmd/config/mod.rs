//! `signalpost config`: look at a configuration without starting anything.

mod check;
pub(crate) mod print;

use crate::cli::ConfigCommand;
use crate::cmd::Failure;

pub(super) fn run(command: ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check(settings) => check::run(&settings.0),
        ConfigCommand::Print(args) => print::run(&args),
    }
}
