//! What one run of the server works with, after flags, environment and key files have been read.

use std::net::SocketAddr;
use std::path::PathBuf;

use signalpost_core::credential::CredentialHash;
use signalpost_core::seal::Keyring;
use signalpost_outbound::EgressPolicy;

use crate::cli::ServeArgs;
use crate::cmd::Failure;
use crate::key_files;

pub(crate) struct Settings {
    pub(crate) data: PathBuf,
    pub(crate) public: SocketAddr,
    pub(crate) operator: SocketAddr,
    pub(crate) egress: EgressPolicy,
    pub(crate) operator_key: CredentialHash,
    /// Where the operator key came from, to tell the person who starts us; never the key itself.
    pub(crate) operator_key_source: String,
    pub(crate) keyring: Keyring,
}

/// A store on a server is chosen with a database URL. This version has the embedded store only, and silently
/// using that one instead would be worse than not starting.
const DATABASE_URL: &str = "SIGNALPOST_DATABASE_URL";

impl Settings {
    pub(crate) fn read(args: ServeArgs) -> Result<Self, Failure> {
        if std::env::var_os(DATABASE_URL).is_some_and(|url| !url.is_empty()) {
            return Err(Failure::new(format!(
                "{DATABASE_URL} is set, and this version stores on SQLite only"
            ))
            .hint("Unset it to use the embedded store in the data directory."));
        }
        key_files::make_directory(&args.data)?;
        let operator_key = key_files::operator_key(&args.data)?;
        let keyring = key_files::keyring(&args.data)?;
        Ok(Self {
            data: args.data,
            public: args.public,
            operator: args.operator,
            egress: args.egress_allow,
            operator_key: CredentialHash::of(operator_key.key.expose()),
            operator_key_source: operator_key.source,
            keyring,
        })
    }
}
