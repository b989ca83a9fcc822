//! Development only: a disk that loses power.
//!
//! [`install`] puts a layer between SQLite and the system's files. Inside a watched folder it keeps everything that
//! SQLite writes, cuts off, syncs, makes and deletes, in order, and does not sync for real; of what goes past SQLite it
//! keeps syncs, renames and new directories. From that [`Platter`] works out what a disk may hold after a power loss at any moment: what was synced, and of the rest whatever
//! chance leaves. The product opens its files as ever and knows nothing of it.
//!
//! The model and what it takes for granted stand in [`platter`]. [`proof`] records the real store at work on such a disk
//! and cuts its power at every moment that it can think of.

#![expect(
    clippy::disallowed_methods,
    reason = "the proof stands on the world's side of the ports: it starts the store's threads and callers"
)]
#![expect(
    unsafe_code,
    reason = "SQLite's files and the system's calls are C; each block says why it is sound"
)]

mod file_methods;
mod image;
mod interpose;
mod ops;
pub mod platter;
mod pragma;
pub mod proof;
mod vfs;
mod watch;

pub use image::Image;
pub use ops::{FileId, Log, Op};
pub use platter::{Platter, Syncs};
pub use pragma::Pragma;
pub use vfs::install;
pub use watch::{Keep, Settings, Watch};
