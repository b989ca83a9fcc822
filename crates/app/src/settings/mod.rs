//! What one run of the server works with: defaults, then a file, then the environment, then flags, each value with
//! where it came from. Keys and other secrets are read apart, in [`crate::key_files`].

pub(crate) mod environment;
pub(crate) mod file;
pub(crate) mod keys;
pub(crate) mod layers;
pub(crate) mod problems;
pub(crate) mod value;

mod amount;
mod convert;
pub(crate) mod database;
mod dialects;
mod near;
pub(crate) mod portal;

use std::net::SocketAddr;
use std::path::PathBuf;

use signalpost_api::Dialect;
use signalpost_core::cell::CellNumber;
use signalpost_core::cidr::Cidr;
use signalpost_core::retention::RetentionRules;
use signalpost_outbound::EgressPolicy;

use self::database::Database;
use self::environment::Environment;
use self::layers::{Effective, Flags};
use self::portal::PortalSettings;
use self::problems::Problems;
use crate::cmd::Failure;
use crate::patience::Patience;
use crate::role::Role;

pub(crate) use self::convert::from_effective;
pub(crate) use self::dialects::effective_tables;
pub(crate) use self::file::read_bounded;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) data: PathBuf,
    /// Of PostgreSQL servers; without any the data lie in the data directory.
    pub(crate) databases: Vec<Database>,
    /// The cell in which a workspace is made that names none; `None` for the first.
    pub(crate) new_workspaces: Option<CellNumber>,
    pub(crate) role: Role,
    /// Where nobody listens who only delivers.
    pub(crate) public: DoorSettings,
    pub(crate) operator: DoorSettings,
    pub(crate) egress: EgressPolicy,
    pub(crate) trusted_proxies: Vec<Cidr>,
    pub(crate) log: String,
    pub(crate) retention: RetentionRules,
    pub(crate) patience: Patience,
    /// The native one and those that are served to customers.
    pub(crate) dialects: Vec<Dialect>,
    /// `None` where it is switched off.
    pub(crate) portal: Option<PortalSettings>,
}

/// One address that callers reach us at.
#[derive(Clone, Debug)]
pub(crate) struct DoorSettings {
    pub(crate) address: SocketAddr,
    /// Plain HTTP without.
    pub(crate) tls: Option<TlsFiles>,
    /// Connections at once.
    pub(crate) connections: usize,
}

/// Where a certificate chain and its key lie, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Settings {
    /// Reads and checks everything. The error names all that is wrong.
    pub(crate) fn read(flags: &Flags, environment: &Environment) -> Result<Self, Failure> {
        let mut problems = Problems::default();
        let databases = database::databases(flags, environment)?;
        let effective = Effective::gather(flags, environment, &mut problems);
        let settings = from_effective(&effective, &mut problems);
        let settings = settings.map(|settings| Self { databases, ..settings });
        if let Some(settings) = &settings {
            settings.check_databases(&effective, &mut problems);
        }
        problems.into_result()?;
        Ok(settings.expect("without a problem there are settings"))
    }

    /// Notes a role that is a part of the work where nobody has the rest, and a cell that is not there.
    pub(crate) fn check_databases(&self, effective: &Effective, problems: &mut Problems) {
        let is_there = |cell: CellNumber| self.databases.iter().any(|database| database.cell == Some(cell));
        if let Some(cell) = self.new_workspaces
            && self.role.serves()
            && !is_there(cell)
        {
            let problem = format!("there is no cell {cell} among the database URLs");
            problems.at(&effective.get(keys::NEW_WORKSPACES).source, keys::NEW_WORKSPACES.name, &problem);
        }
        if self.role != Role::All && self.databases.is_empty() {
            let problem = format!(
                "`{}` is one of several processes on a PostgreSQL database, and no database URL is given; the embedded store \
                 has one process, with the role `all`",
                self.role.name()
            );
            problems.at(&effective.get(keys::ROLE).source, keys::ROLE.name, &problem);
        }
    }

    /// Sentences about what is permitted and probably not meant.
    pub(crate) fn warnings(&self, environment: &Environment) -> Vec<String> {
        let mut warnings = environment.suspicions();
        if !self.operator.address.ip().is_loopback() && self.operator.tls.is_none() {
            warnings.push(format!(
                "the operator address {} can be reached from other machines and does not speak TLS: its key passes \
                 in the clear",
                self.operator.address
            ));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_operator_address_without_tls_is_worth_a_warning() {
        let warnings = |operator: &str| {
            let flags = Flags { values: [("operator", operator.to_owned())].into(), ..Flags::default() };
            let environment = Environment::default();
            Settings::read(&flags, &environment).expect("good").warnings(&environment).len()
        };
        assert_eq!((warnings("127.0.0.1:1"), warnings("[::1]:1"), warnings("0.0.0.0:1")), (0, 0, 1));
    }

    #[test]
    fn a_part_of_the_work_needs_others_for_the_rest() {
        let read = |role: &str, database_url: Option<&str>| {
            let values = [("role", role.to_owned()), ("operator", "127.0.0.1:8080".to_owned())].into();
            let flags = Flags { values, database_url: database_url.map(str::to_owned), ..Flags::default() };
            let read = Settings::read(&flags, &Environment::default());
            read.map(|settings| settings.role).map_err(|failure| failure.what)
        };
        let url = Some("postgres://host/database");
        assert_eq!(read("worker", url), Ok(Role::Worker), "it has no public address that could be the same");
        let shared = read("api", url).expect_err("it has");
        assert!(shared.starts_with("--operator: 127.0.0.1:8080 is the public address as well"), "{shared}");
        let alone = read("worker", None).expect_err("nobody would serve");
        assert!(alone.starts_with("--role: `worker` is one of several processes"), "{alone}");
        assert_eq!(read("boss", url), Err("--role: `boss` must be `all`, `api` or `worker`".to_owned()));
    }
}
