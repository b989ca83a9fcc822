//! Which server a command is about: the same flags, variables and file as `serve` reads.

use std::collections::BTreeMap;

use clap::Args;

use crate::cmd::Failure;
use crate::settings::environment::Environment;
use crate::settings::layers::Flags;
use crate::settings::{Settings, keys};

#[derive(Args, Clone, Debug)]
pub(crate) struct PlaceArgs {
    /// The data directory [default: ./signalpost-data] [env: SIGNALPOST_DATA] [file: data].
    #[arg(long, value_name = "DIR")]
    data: Option<String>,

    /// The server's configuration file, for what is not said otherwise [env: SIGNALPOST_CONFIG].
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
}

impl PlaceArgs {
    /// What a server on the embedded store would start with; another has no data directory to look into.
    pub(crate) fn embedded(&self) -> Result<Settings, Failure> {
        let settings = self.settings()?;
        if settings.databases.is_empty() {
            return Ok(settings);
        }
        Err(Failure::new("this command is about the embedded store, and a database URL is set")
            .hint("Leave the URL out for the data directory. A PostgreSQL database has tools of its own: pg_dump, pg_basebackup."))
    }

    /// What the server would start with.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let values: BTreeMap<_, _> =
            self.data.iter().map(|directory| (keys::DATA.flag, directory.clone())).collect();
        let flags = Flags { config: self.config.clone(), database_url: None, values };
        Settings::read(&flags, &Environment::of_process())
    }
}
