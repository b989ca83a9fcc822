//! The deterministic simulator: the real engine on the memory store or the real one, in a world whose time, network, faults and
//! order of events all come from one seed.
//!
//! [`run`] builds a world, lets everything fail that the seed wants to fail, heals it, and has an auditor compare what
//! went into the API with what receivers saw. The same seed gives the same history, byte for byte, so whatever is
//! found once can be looked at again. README.md beside this folder lists what is checked, and what shows that the checks
//! work.

mod audit;
mod chance;
mod clock;
mod conduct;
mod ears;
mod executor;
mod facts;
mod filters;
mod ground;
mod load;
mod network;
mod nodes;
mod options;
mod plant;
mod process;
mod profiles;
mod report;
mod settle;
mod shelf;
mod store;
mod store_verbs;
mod tally;
mod trouble;
mod world;

pub use plant::{Catch, Plant, SEEDS_MAX, hunt};
pub use report::{Report, run, run_alone, run_on};
pub use shelf::Keeps;
pub use tally::{Counts, no_faults};
