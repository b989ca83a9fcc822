//! Several processes on one store: who delivers for which lane group.
//!
//! The lease protocol of the store that nodes share, over rows that are kept here. [`rows`] is what stands in the store,
//! [`keeper`] what a process does about it from time to time, and [`bells`] how one hears of what another has committed. What the
//! rows have seen is the auditor's word on whose a lane group was, and when.

mod bells;
mod clock;
mod keeper;
mod line;
mod rows;
mod seat;
mod stints;

use std::time::Duration;

use bells::Bells;
pub(crate) use bells::Told;
pub(crate) use clock::NodeClock;
pub(crate) use keeper::Keeper;
use keeper::Manner;
pub(crate) use line::Line;
use rows::{Fence, HowLeft};
pub(crate) use rows::{Rows, Tenure};
pub(crate) use seat::{Nodes, Seat};
pub(crate) use stints::by_stint;

/// Between two looks of a node at what it owns.
pub(crate) const TICK: Duration = Duration::from_secs(2);
/// How long a lease lives by the store's clock after it was renewed.
pub(crate) const LEASE: Duration = Duration::from_secs(10);
/// So long before the end of its lease a node stops to rely on it.
const MARGIN: Duration = Duration::from_secs(2);
/// A group that is to be given up goes after this, whatever is under way of it.
const GIVE_WAIT: Duration = Duration::from_secs(30);
/// In a calm world every group has the owner that it keeps after this, in seconds: a lease runs out, somebody gives what somebody
/// else lacks, and each of them looks a few times.
pub(crate) const CALM_S: u64 = 60;

fn us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).expect("seconds")
}
