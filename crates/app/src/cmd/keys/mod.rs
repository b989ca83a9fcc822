//! `signalpost keys`: looking after keys.

mod rewrap;

use clap::Subcommand;

use crate::cmd::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Seal every stored secret with the first master key of the ring, so that the others can be put away.
    ///
    /// To change the master key: stop the server; set SIGNALPOST_MASTER_KEY (or master.key) to a ring of the new key
    /// and the old one, `2:<new>,1:<old>` (a key without an id has the id 0); run this; then keep `2:<new>` alone and
    /// start the server. Backups made before still need the old key.
    Rewrap(rewrap::RewrapArgs),
}

pub(super) fn run(command: &KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::Rewrap(args) => rewrap::run(args),
    }
}
