//! What the `signalpost` binary does: reads its settings, puts the parts together and runs them.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate lends the engine the real clock, threads and network; it is where ambient ones belong"
)]

mod cli;
mod clock;
mod cmd;
mod cores;
mod doors;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod heavy_thread;
mod huge_pages;
mod installation;
mod key_files;
mod listen;
mod open_files;
mod patience;
mod ports;
mod process;
mod role;
mod server;
mod settings;
mod stores;
mod telemetry;
mod tls;

use std::process::ExitCode;

use clap::Parser;

/// Does what the command line asks for.
pub fn run() -> ExitCode {
    let cli = cli::Cli::parse();
    match cmd::run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            telemetry::print_failure(&failure);
            ExitCode::from(failure.status)
        }
    }
}
