//! `signalpost keys`: looking after keys. Operator keys are those of a running server, which is asked over its operator
//! address like anybody else asks it, on this machine and in plain HTTP.

mod create;
mod list;
mod remote;
mod revoke;
mod rewrap;
mod rotate;
mod shown;

use clap::Subcommand;

use crate::cmd::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make an operator key with fewer rights than the installation's own. Its secret is shown this once.
    Create(create::CreateArgs),
    /// List operator keys, without their secrets.
    List(list::ListArgs),
    /// Revoke an operator key: it opens nothing any more.
    Revoke(revoke::RevokeArgs),
    /// Make a successor of an operator key, and let the key itself end after an overlap.
    Rotate(rotate::RotateArgs),
    /// Seal every stored secret with the first master key of the ring, so that the others can be put away.
    ///
    /// To change the master key: stop the server; set SIGNALPOST_MASTER_KEY (or master.key) to a ring of the new key
    /// and the old one, `2:<new>,1:<old>` (a key without an id has the id 0); run this; then keep `2:<new>` alone and
    /// start the server. Backups made before still need the old key.
    Rewrap(rewrap::RewrapArgs),
}

pub(super) fn run(command: &KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::Create(args) => create::run(args),
        KeysCommand::List(args) => list::run(args),
        KeysCommand::Revoke(args) => revoke::run(args),
        KeysCommand::Rotate(args) => rotate::run(args),
        KeysCommand::Rewrap(args) => rewrap::run(args),
    }
}

/// An id as it stands in a path or a query: what is no letter or digit is escaped.
fn segment(id: &str) -> String {
    let escaped = |byte: u8| {
        let plain = byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    id.bytes().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_cannot_leave_their_segment() {
        assert_eq!(segment("opk_0aB3"), "opk_0aB3");
        assert_eq!(segment("a/b?c=d&é"), "a%2Fb%3Fc%3Dd%26%C3%A9");
    }
}
