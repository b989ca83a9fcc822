//! Development aids: the memory model, the fault wrapper, the conformance suite and the differential test.
//!
//! Behind the cargo feature `testing`, so that nothing of it can be part of a shipped binary.

pub mod block_on;
pub mod conformance;
pub mod differential;
pub mod faulty;
pub mod feed_race;
mod forward;
pub mod in_place;
pub mod lent;
pub mod memory;
pub mod notes;
pub mod refusal;
pub mod sample;
pub mod snapshot;
pub mod statements;
