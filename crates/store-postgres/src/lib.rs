//! The storage contract on a PostgreSQL server.
//!
//! One thread of the store's own talks to the server, over a few connections: one for what is published, two for outcomes,
//! and some for everything else. Published events and outcomes of many callers share commits. Follow a verb from `catalog`,
//! `desk`, `ledger`, `replays` or `vault` (one file each, with its SQL on top) through `store` and `work` to the connection.
//!
//! What keeps several nodes from each other's feet are locks of the server that are held to the commit, always taken in the
//! same order (`locks`). The schema with its reasons stands in `migrations/`.

mod bells;
mod catalog;
mod cell;
pub mod cells;
mod changes;
mod connect;
mod desk;
mod failure;
mod fate;
mod guard;
mod hosts;
mod kept;
mod ledger;
mod locks;
mod mark;
mod meta;
pub mod move_in;
mod nodes;
mod open;
#[cfg(test)]
mod plans;
mod pool;
mod portal;
mod queue;
mod replays;
mod retention;
mod rollups;
mod schema;
mod script;
mod session;
mod shared;
mod shell;
mod shown;
mod spans;
mod store;
mod tidy;
mod tls;
mod vault;
mod work;
mod write;

pub use nodes::{Duty, Process};
pub use open::{ANSWER_TIMEOUT, OpenError, OpenOptions, ServerTime};
pub use store::PostgresStore;
pub use tls::TlsSettings;
