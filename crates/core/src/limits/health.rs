//! Bounds by which a failing receiver is judged: see [`crate::health`].

use std::time::Duration;

/// Failures in a row after which a webhook goes to the slow lane: a deployment of its receiver seldom takes more.
pub const SLOW_AFTER_FAILURES: u32 = 10;
/// Failures in a row before a webhook is paused, however long they took: with the default schedule those of half a dozen
/// deliveries.
pub const HOLD_FAILURES_MIN: u32 = 50;
/// For how long a receiver has only failed when its webhook is paused, unless the workspace says otherwise.
pub const HOLD_AFTER_DEFAULT: Duration = Duration::from_secs(30 * 60);
/// What a workspace may choose: below, a restart of a receiver would be enough, and above, nothing is kept for so long.
pub const HOLD_AFTER_MIN: Duration = Duration::from_secs(60);
pub const HOLD_AFTER_MAX: Duration = Duration::from_secs(30 * 24 * 3_600);
/// When the first probe of a paused webhook comes; each further one comes after twice as long, up to the second.
pub const PROBE_DELAY_MIN: Duration = Duration::from_secs(60);
pub const PROBE_DELAY_MAX: Duration = Duration::from_secs(15 * 60);
