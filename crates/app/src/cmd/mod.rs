//! The commands, one file each.

pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod capacity;
pub(crate) mod cells;
pub(crate) mod config;
mod copies;
pub(crate) mod db;
mod demo;
mod http;
pub(crate) mod keys;
pub(crate) mod migrate;
mod place;
pub(crate) mod restore;
mod serve;
mod stop;

use std::fmt;

use crate::cli::Command;

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(&args.0),
        Command::Config(command) => config::run(command),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::Cells(command) => cells::run(&command),
        Command::Keys(command) => keys::run(&command),
        Command::Db(command) => db::run(&command),
        Command::Demo(args) => demo::run(args),
        Command::DemoReceiver => demo::receiver::run(),
        Command::Bench(args) => bench::run(args),
        Command::Capacity(args) => capacity::run(&args),
        Command::BenchReceiver => bench::receiver::run(),
    }
}

/// Why a command ends without success: what happened, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) what: String,
    pub(crate) hint: Option<String>,
    /// Exit status of the process.
    pub(crate) status: u8,
}

/// Exit status of what went wrong without being told apart further.
const FAILED: u8 = 1;

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None, status: FAILED }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn status(self, status: u8) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn io(what: impl fmt::Display, error: std::io::Error) -> Self {
        let hint = match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                Some("Check who owns it and whether you may write there.".to_owned())
            }
            std::io::ErrorKind::StorageFull => Some("Free some space and start again.".to_owned()),
            _ => None,
        };
        Self { what: format!("{what}: {error}"), hint, status: FAILED }
    }
}
