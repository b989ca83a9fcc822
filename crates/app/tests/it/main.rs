//! The binary as its operators have it: a process, its flags and files, and callers who misbehave.

#![expect(
    clippy::disallowed_methods,
    reason = "tests stand on the world's side: they connect, and they wait"
)]
#![expect(clippy::unwrap_used, reason = "a test that unwraps the wrong thing fails, as it should")]

mod canaries;
mod config;
mod copies;
mod dash;
mod egress;
mod http;
mod keys;
mod migrate;
mod nodes;
mod opentrain;
mod portal;
mod proxies;
mod raw;
mod slow;
mod spaaza;
mod tls;
mod wire;

use std::time::Duration;

use signalpost_testkit::{Server, ServerOptions};

/// Far above what anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// How to start the binary with these further arguments.
fn options(arguments: &[&str]) -> ServerOptions {
    let mut options = ServerOptions::new(env!("CARGO_BIN_EXE_signalpost"));
    options.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    options
}

fn start(arguments: &[&str]) -> Server {
    Server::start(options(arguments), PATIENCE).unwrap()
}
