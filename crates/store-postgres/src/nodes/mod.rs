//! This process among those that work on the same tables: its number, its lease, and the lane groups that it has.
//!
//! A node lives for as long as its row stands. It renews the row every two seconds, and relies on it until some time before
//! others may remove it, counted from before it asked. A group is taken from nobody whose row stands. Who takes one over
//! waits for every outcome that is being written for it, and counts its epoch up: what its former owner writes later is
//! refused ([`fence`]).

mod cluster;
mod end_sessions;
pub(crate) mod fence;
mod hand_over;
mod join;
mod keep;
mod process;
mod read;
mod renew;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_core::lane_share::NodeNumber;
use signalpost_core::time::Monotonic;

use crate::open::ServerTime;

pub(crate) use self::cluster::cluster;
pub(crate) use self::join::join;
pub(crate) use self::keep::{keep, leave, tick};
pub use self::process::Process;

/// How long a row stands at least after its last renewal, by the server's clock.
const LEASE: Duration = Duration::from_secs(10);
pub(crate) const LEASE_MS: i64 = 10_000;
/// Between two renewals.
const RENEW_EVERY: Duration = Duration::from_secs(2);
/// What a lease is not relied on for at its end: clocks do not run equally fast, and a request takes its time to begin.
const MARGIN: Duration = Duration::from_secs(2);
/// Between two looks at whether something of a group that is to go is still under way.
const GIVE_EVERY: Duration = Duration::from_millis(20);
/// A group goes over although something of it is still under way, after this.
const HAND_OVER_MAX: Duration = Duration::from_secs(30);

/// What a node is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Lane groups fall to it.
    Delivers,
    /// None do: it takes calls, or does a piece of work that ends.
    Serves,
}

/// See [`crate::OpenOptions`].
pub(crate) type OnServerTime = Arc<dyn Fn(ServerTime) + Send + Sync>;

/// What this process is to the others.
pub(crate) struct Node {
    number: NodeNumber,
    /// Nobody else has it or ever had.
    token: i64,
    /// See [`crate::OpenOptions`].
    on_server_time: OnServerTime,
    /// What it is there for, as far as others were told to look.
    told: Duty,
    /// Groups that are about to be somebody else's, as we had them, and since when.
    giving: BTreeMap<LaneGroup, Giving>,
}

#[derive(Clone, Copy)]
struct Giving {
    epoch: GroupEpoch,
    since: Monotonic,
}

impl Node {
    fn new(number: NodeNumber, token: i64, on_server_time: OnServerTime) -> Self {
        Self { number, token, on_server_time, told: Duty::Serves, giving: BTreeMap::new() }
    }

    /// Until there is something to be done.
    fn pause(&self) -> Duration {
        if self.giving.is_empty() { RENEW_EVERY } else { GIVE_EVERY }
    }
}

/// Every statement of these, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    end_sessions::TERMINATE,
    fence::SELECT_EPOCHS,
    fence::SELECT_COPIED,
    hand_over::TAKE,
    hand_over::GIVE,
    join::SELECT_NUMBERS,
    join::SELECT_LAST,
    join::UPDATE_LAST,
    join::INSERT,
    read::SELECT_NODES,
    read::SELECT_GROUPS,
    renew::UPDATE,
    renew::FORGET,
    renew::FORGET_EXPIRED,
];
