//! How often all that is owed is looked for, whoever has been told of it.

use std::time::Duration;

/// How often owed deliveries that no lane knows of are looked for.
pub const RECONCILE_INTERVAL: Duration = Duration::from_secs(30);
/// So many times as long as such a look took nobody looks again: where a database cannot clear away what was delivered, each look
/// goes through it, on every node. It is a hundredth of the time then.
pub const RECONCILE_REST_FACTOR: u32 = 100;
/// But this long at most.
pub const RECONCILE_INTERVAL_MAX: Duration = Duration::from_mins(5);
/// How often a lane that reads pages begins with all that it is owed, and not where it knows that something is. Whatever it was told
/// in vain it finds then, if not before as the first that it is owed.
pub const LANE_LOOK_BACK_INTERVAL: Duration = Duration::from_mins(5);
