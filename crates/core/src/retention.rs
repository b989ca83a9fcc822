//! How long history is kept, and how much of it.

use std::time::Duration;

use crate::limits::{
    RETENTION_AGE_DEFAULT, RETENTION_AGE_MAX, RETENTION_AGE_MIN, RETENTION_BYTES_DEFAULT,
    RETENTION_BYTES_MAX, RETENTION_BYTES_MIN,
};
use crate::time::Timestamp;
use crate::workspace::Workspace;

/// Bounds on what is kept; `None` is no bound. Whatever is still pending is kept in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionRules {
    /// Events with their deliveries and attempts, by the event's age.
    pub event_age_max: Option<Duration>,
    /// Payloads alone, which may go before the record that they were sent.
    pub payload_age_max: Option<Duration>,
    /// Bytes of the whole store, the oldest events going first.
    pub bytes_max: Option<u64>,
}

/// What holds when nobody says otherwise: a store that is left alone must not grow for ever.
impl Default for RetentionRules {
    fn default() -> Self {
        Self {
            event_age_max: Some(RETENTION_AGE_DEFAULT),
            payload_age_max: Some(RETENTION_AGE_DEFAULT),
            bytes_max: Some(RETENTION_BYTES_DEFAULT),
        }
    }
}

/// What a dialect says of the ages of events in its workspaces, where they say nothing themselves. A workspace gets it when
/// it is made and keeps it, whatever is served later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetentionDefault {
    /// The server's ages.
    #[default]
    Server,
    /// Nothing goes for its age.
    ForEver,
}

/// What a workspace changes of the global rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionOverrides {
    pub event_age_max: Option<Duration>,
    pub payload_age_max: Option<Duration>,
    /// Bytes of this workspace alone. The bound of the whole store holds beside it.
    pub bytes_max: Option<u64>,
}

/// The rules in force for the events of one workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkspaceRetention {
    pub event_age_max: Option<Duration>,
    pub payload_age_max: Option<Duration>,
    pub bytes_max: Option<u64>,
}

/// What becomes of an event of which nothing is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Kept,
    /// The payload goes, the record stays.
    LosesPayload,
    Removed,
}

impl RetentionRules {
    /// A workspace's own ages take the place of its dialect's, and those of the global ones, be they longer or shorter.
    pub fn with(&self, default: RetentionDefault, overrides: &RetentionOverrides) -> WorkspaceRetention {
        let (event_age_max, payload_age_max) = match default {
            RetentionDefault::Server => (self.event_age_max, self.payload_age_max),
            RetentionDefault::ForEver => (None, None),
        };
        WorkspaceRetention {
            event_age_max: overrides.event_age_max.or(event_age_max),
            payload_age_max: overrides.payload_age_max.or(payload_age_max),
            bytes_max: overrides.bytes_max,
        }
    }

    /// The rules in force for the events of a workspace.
    pub fn of(&self, workspace: &Workspace) -> WorkspaceRetention {
        self.with(workspace.retention, &workspace.policy.retention)
    }
}

impl WorkspaceRetention {
    /// By age alone, whatever was removed of the event already.
    pub fn fate(&self, accepted_at: Timestamp, now: Timestamp) -> Fate {
        let has_age = |age: Option<Duration>| age.is_some_and(|age| is_old(accepted_at, age, now));
        if has_age(self.event_age_max) {
            Fate::Removed
        } else if has_age(self.payload_age_max) {
            Fate::LosesPayload
        } else {
            Fate::Kept
        }
    }

    /// The age at which the first thing happens to an event, in milliseconds.
    pub fn first_age_ms(&self) -> Option<i64> {
        let ages = [self.event_age_max, self.payload_age_max];
        ages.into_iter().flatten().map(as_ms).min()
    }
}

/// A time that is still to come has no age: the clock was set back since.
fn is_old(since: Timestamp, age: Duration, now: Timestamp) -> bool {
    now.ms_since(since) >= as_ms(age)
}

fn as_ms(age: Duration) -> i64 {
    i64::try_from(age.as_millis()).unwrap_or(i64::MAX)
}

/// Checks an age as an operator gives it, in whole seconds.
pub fn check_age_s(age_s: u64) -> Result<Duration, String> {
    let age = Duration::from_secs(age_s);
    if (RETENTION_AGE_MIN..=RETENTION_AGE_MAX).contains(&age) {
        return Ok(age);
    }
    Err(format!("must be from {} to {}", RETENTION_AGE_MIN.as_secs(), RETENTION_AGE_MAX.as_secs()))
}

/// Checks a bound on stored bytes as an operator gives it.
pub fn check_bytes(bytes: u64) -> Result<u64, String> {
    if (RETENTION_BYTES_MIN..=RETENTION_BYTES_MAX).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(format!("must be from {RETENTION_BYTES_MIN} to {RETENTION_BYTES_MAX}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn an_override_replaces_an_age_and_stands_beside_the_stores_bytes() {
        let rules = RetentionRules { event_age_max: s(100), payload_age_max: None, bytes_max: Some(1) };
        let own = RetentionOverrides { event_age_max: s(500), payload_age_max: s(5), bytes_max: Some(7) };
        let merged = WorkspaceRetention { event_age_max: s(500), payload_age_max: s(5), bytes_max: Some(7) };
        assert_eq!(rules.with(RetentionDefault::Server, &own), merged);
        assert_eq!(rules.with(RetentionDefault::ForEver, &own), merged);
        let global = WorkspaceRetention { event_age_max: s(100), payload_age_max: None, bytes_max: None };
        let nothing = RetentionOverrides::default();
        assert_eq!(rules.with(RetentionDefault::Server, &nothing), global);
        let for_ever = WorkspaceRetention { event_age_max: None, ..global };
        assert_eq!(rules.with(RetentionDefault::ForEver, &nothing), for_ever);
    }

    #[test]
    fn age_decides_what_goes() {
        let rules = WorkspaceRetention { event_age_max: s(10), payload_age_max: s(4), bytes_max: None };
        let accepted_at = Timestamp::from_ms(1_000_000);
        for (passed_ms, fate) in [
            (-1_000_000, Fate::Kept),
            (0, Fate::Kept),
            (3_999, Fate::Kept),
            (4_000, Fate::LosesPayload),
            (9_999, Fate::LosesPayload),
            (10_000, Fate::Removed),
        ] {
            assert_eq!(rules.fate(accepted_at, accepted_at.plus_ms(passed_ms)), fate, "{passed_ms}");
        }
        assert_eq!(rules.first_age_ms(), Some(4_000));
        let none = WorkspaceRetention { event_age_max: None, payload_age_max: None, bytes_max: None };
        assert_eq!(none.fate(accepted_at, Timestamp::from_ms(i64::MAX)), Fate::Kept);
        assert_eq!(none.first_age_ms(), None);
    }

    #[test]
    fn bounds_out_of_bounds_are_refused() {
        for (age_s, fine) in
            [(0, false), (1, true), (315_360_000, true), (315_360_001, false), (u64::MAX, false)]
        {
            assert_eq!(check_age_s(age_s).is_ok(), fine, "{age_s}");
        }
        assert!(check_bytes(RETENTION_BYTES_MIN - 1).is_err());
        assert_eq!(check_bytes(RETENTION_BYTES_MIN), Ok(RETENTION_BYTES_MIN));
        assert_eq!(check_bytes(RETENTION_BYTES_MAX), Ok(RETENTION_BYTES_MAX));
        assert!(check_bytes(RETENTION_BYTES_MAX + 1).is_err());
    }
}
