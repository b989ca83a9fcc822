//! Idle connections, kept for the next request to the same origin. Pure: the caller says what time it is.
//!
//! The youngest is taken first, so that what a burst opened can grow old and go. A connection stays while it is
//! idle for a short time and young: its address was judged when it was made, and no judgement lasts longer.

use std::collections::HashMap;
use std::time::Duration;

use signalpost_core::time::Monotonic;

/// How long and how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolLimits {
    pub(crate) idle: Duration,
    pub(crate) age: Duration,
    pub(crate) connections: usize,
}

pub(crate) struct Pool<C> {
    limits: PoolLimits,
    /// The last of a list is the youngest. A list may be empty until the next sweep, so that an origin with one
    /// connection does not cost an allocation for every request.
    idle: HashMap<Box<str>, Vec<Idle<C>>>,
    count: usize,
}

struct Idle<C> {
    connection: C,
    since: Monotonic,
    ends: Monotonic,
}

impl<C> Pool<C> {
    pub(crate) fn new(limits: PoolLimits) -> Self {
        Self { limits, idle: HashMap::new(), count: 0 }
    }

    /// Takes an idle connection to `origin` that is in time and `usable`; those that are not are dropped.
    pub(crate) fn take(&mut self, origin: &str, now: Monotonic, usable: impl Fn(&C) -> bool) -> Option<C> {
        let list = self.idle.get_mut(origin)?;
        while let Some(last) = list.pop() {
            self.count -= 1;
            if now < last.ends && usable(&last.connection) {
                return Some(last.connection);
            }
        }
        None
    }

    /// Keeps a connection that was made at `born`, unless it is too old for that.
    pub(crate) fn put(&mut self, origin: &str, connection: C, born: Monotonic, now: Monotonic) {
        let ends = after(born, self.limits.age).min(after(now, self.limits.idle));
        if ends <= now || self.limits.connections == 0 {
            return;
        }
        if self.count >= self.limits.connections || self.idle.len() > 2 * self.limits.connections {
            self.evict_oldest();
        }
        self.count += 1;
        let entry = Idle { connection, since: now, ends };
        match self.idle.get_mut(origin) {
            Some(list) => list.push(entry),
            None => {
                self.idle.insert(origin.into(), vec![entry]);
            }
        }
    }

    /// Drops what is out of time or not `usable`; says how long until the next one is, `None` when none is left.
    pub(crate) fn sweep(&mut self, now: Monotonic, usable: impl Fn(&C) -> bool) -> Option<Duration> {
        self.retain(|entry| now < entry.ends && usable(&entry.connection));
        let next = self.idle.values().flatten().map(|entry| entry.ends).min()?;
        Some(Duration::from_micros(next.us_since(now)))
    }

    pub(crate) fn clear(&mut self) {
        self.idle.clear();
        self.count = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Makes room for a sixteenth of the pool at once, so that a full pool does not pay for every connection.
    fn evict_oldest(&mut self) {
        let mut ages: Vec<Monotonic> = self.idle.values().flatten().map(|entry| entry.since).collect();
        let room = (self.limits.connections / 16).max(1);
        let keep = self.limits.connections - room;
        if let Some(surplus) = ages.len().checked_sub(keep + 1) {
            let (_, limit, _) = ages.select_nth_unstable(surplus);
            let limit = *limit;
            self.retain(|entry| entry.since > limit);
        } else {
            self.retain(|_| true);
        }
    }

    fn retain(&mut self, keep: impl Fn(&Idle<C>) -> bool) {
        let mut count = 0;
        self.idle.retain(|_, list| {
            list.retain(&keep);
            count += list.len();
            !list.is_empty()
        });
        self.count = count;
    }
}

fn after(start: Monotonic, duration: Duration) -> Monotonic {
    let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    Monotonic::from_us(start.as_us().saturating_add(us))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PoolLimits =
        PoolLimits { idle: Duration::from_micros(30), age: Duration::from_micros(60), connections: 4 };

    fn at(us: u64) -> Monotonic {
        Monotonic::from_us(us)
    }

    fn any(_: &u32) -> bool {
        true
    }

    #[test]
    fn the_youngest_usable_one_of_the_origin_is_taken() {
        let mut pool = Pool::new(LIMITS);
        for connection in [1, 2, 3] {
            pool.put("a", connection, at(0), at(u64::from(connection)));
        }
        pool.put("b", 9, at(0), at(4));
        assert_eq!(pool.take("a", at(5), |c| *c != 3), Some(2));
        assert_eq!(pool.take("a", at(5), any), Some(1), "3 was dropped as unusable");
        assert_eq!(pool.take("a", at(5), any), None);
        assert_eq!(pool.take("c", at(5), any), None);
        assert!(!pool.is_empty());
        assert_eq!(pool.take("b", at(5), any), Some(9));
        assert!(pool.is_empty());
    }

    #[test]
    fn idle_time_and_age_both_end_a_connection() {
        let mut pool = Pool::new(LIMITS);
        pool.put("a", 1, at(0), at(0));
        assert_eq!(pool.take("a", at(30), any), None, "idle for the limit");
        pool.put("a", 1, at(0), at(59));
        assert_eq!(pool.take("a", at(60), any), None, "old, though idle for one only");
        pool.put("a", 1, at(0), at(60));
        assert!(pool.is_empty(), "too old to be kept at all");
        pool.put("a", 1, at(0), at(40));
        assert_eq!(pool.take("a", at(59), any), Some(1));
    }

    #[test]
    fn a_sweep_drops_what_ended_and_says_when_to_come_back() {
        let mut pool = Pool::new(LIMITS);
        pool.put("a", 1, at(0), at(0));
        pool.put("a", 2, at(0), at(20));
        pool.put("b", 3, at(0), at(25));
        assert_eq!(pool.sweep(at(10), any), Some(Duration::from_micros(20)));
        assert_eq!(pool.sweep(at(30), any), Some(Duration::from_micros(20)));
        assert_eq!(pool.take("a", at(30), any), Some(2));
        assert_eq!(pool.sweep(at(31), |c| *c != 3), None);
        assert!(pool.is_empty() && pool.idle.is_empty());
    }

    #[test]
    fn a_full_pool_drops_the_longest_idle() {
        let mut pool = Pool::new(LIMITS);
        for connection in 0..8 {
            pool.put(&format!("host{connection}"), connection, at(0), at(u64::from(connection)));
            assert!(pool.count <= LIMITS.connections, "never more than the limit");
        }
        for (connection, there) in [(0, false), (3, false), (4, true), (7, true)] {
            let found = pool.take(&format!("host{connection}"), at(8), any).is_some();
            assert_eq!(found, there, "host{connection}");
        }
    }

    #[test]
    fn origins_without_connections_do_not_pile_up() {
        let mut pool = Pool::new(LIMITS);
        for n in 0..1_000 {
            let origin = format!("host{n}");
            pool.put(&origin, n, at(0), at(1));
            assert_eq!(pool.take(&origin, at(1), any), Some(n));
            assert!(pool.idle.len() <= 2 * LIMITS.connections + 1);
        }
    }
}
