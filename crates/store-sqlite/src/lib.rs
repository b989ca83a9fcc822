//! The storage contract on one SQLite file.
//!
//! One writer owns the only connection that writes and puts everything that waits for it into one commit; readers
//! have connections of their own and work on snapshots. Follow a verb from `catalog`, `desk`, `ledger`, `portal`, `replays` or `rollups`
//! (one file each, with its SQL on top) through `queue` and `writer` to the commit.
//!
//! What is large is appended and never updated (`message`, `attempt`), but for an event whose payload goes or that a replay
//! sends to a further webhook; what changes is small (`due`, `head`).
//! The schema with its reasons stands in `migrations/`.

mod catalog;
pub mod copy;
mod desk;
mod disk;
mod failure;
mod fetch;
mod fold;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod inline;
#[cfg(test)]
mod inside;
mod job;
mod kept;
mod ledger;
mod meta;
pub mod move_out;
mod open;
#[cfg(test)]
mod plans;
mod portal;
mod queue;
mod readers;
mod replays;
mod retention;
mod rollups;
mod schema;
mod store;
mod threaded;
mod vault;
mod write;
mod writer;

pub use open::{Existing, OpenError, OpenOptions, create_private, holds_database, make_directory};
pub use store::SqliteStore;
