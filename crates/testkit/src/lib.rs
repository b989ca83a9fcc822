//! What tests and development tasks need around the product: somebody who receives, somebody who calls, the
//! server as a process that can be killed, and patience with a limit.
//!
//! Development only. It shares no code with the product: a receiver that parsed HTTP by the product's own
//! parser could not tell that both are wrong.

#![expect(
    clippy::disallowed_methods,
    reason = "the kit stands on the world's side of the ports: it has real time, threads and connections"
)]

mod client;
mod free_port;
mod operator;
mod postgres;
mod receiver;
mod rng;
mod script;
mod server;
mod small_disk;
mod ssrf;
mod temp_dir;
mod wait;
mod wire;

pub use client::{HttpClient, Request, Response};
pub use free_port::free_port;
pub use operator::Operator;
pub use postgres::{Lies, Postgres};
pub use receiver::{Answer, Ending, Handler, Receiver, Recorded};
pub use rng::Rng;
pub use script::ScriptedReceiver;
pub use server::{LOOPBACK, Server, ServerOptions};
pub use small_disk::SmallDisk;
pub use ssrf::{SsrfCase, SsrfVerdict};
pub use temp_dir::TempDir;
pub use wait::{wait_for, wait_for_some};
