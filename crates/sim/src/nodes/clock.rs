//! The clocks of one process: its monotonic one begins where it likes, and its wall clock may be off.

use std::time::Duration;

use signalpost_core::ports::{BoxFuture, Clock};
use signalpost_core::time::{Monotonic, Timestamp};

use crate::clock::SimClock;

#[derive(Clone)]
pub(crate) struct NodeClock {
    pub(crate) world: SimClock,
    /// What the monotonic clock showed when the world began.
    pub(crate) began_us: u64,
    pub(crate) wall_off_ms: i64,
}

impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        self.world.now().plus_ms(self.wall_off_ms)
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_us(self.began_us + self.world.now_us())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.world.sleep(duration)
    }

    fn give_way(&self) -> BoxFuture<'static, ()> {
        self.world.give_way()
    }
}
