//! Lanes that change delivery cores.

use std::time::Duration;

/// How often it is looked whether one delivery core has much more to do than another.
pub const BALANCE_INTERVAL: Duration = Duration::from_secs(1);
/// Attempts a second of the busiest core below which nothing is moved: a tenth of what a core can do.
pub const BALANCE_ATTEMPTS_MIN: u64 = 2_000;
/// Lanes that one core gives away at once.
pub const LANES_MOVED_AT_ONCE: usize = 16;
/// How long a lane that is to be moved starts nothing while what is in flight comes to its end. One whose receiver takes longer
/// stays where it is.
pub const LANE_MOVE_WAIT: Duration = Duration::from_millis(500);
/// Lanes that are on another core than the one they fall to. Each is asked for in a map with every delivery.
pub const LANES_MOVED_MAX: usize = 1_024;
