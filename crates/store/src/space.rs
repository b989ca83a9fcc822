//! What a store takes, and what retention has it give back.

use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;

#[derive(Clone, Debug)]
pub struct Retain {
    pub now: Timestamp,
    pub rules: RetentionRules,
}

/// What one step has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Events removed.
    pub events: u64,
    /// Payloads removed of events that stay.
    pub payloads: u64,
    /// What was looked at in vain since the walk began: workspaces, and events past their bound that stay because
    /// something of them is pending.
    pub looked: u64,
    /// The walk over all workspaces is not at its end.
    pub more: bool,
    /// When the first of what was found too young will be old; at the end of a walk only.
    pub next_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub events: u64,
    /// Events with their payloads and histories; a store's own measure, near to what the disk gives for them.
    pub bytes: u64,
}

/// Sizes are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// The database's own size, with what is free inside it.
    pub database_bytes: u64,
    /// Inside the database, to be used again.
    pub free_bytes: u64,
    /// What is written ahead and not yet folded into the database.
    pub wal_bytes: u64,
    /// The filesystem, when the store stands on one and it can be asked.
    pub disk: Option<DiskSpace>,
    /// Events of all workspaces.
    pub events: u64,
    pub oldest_event_at: Option<Timestamp>,
    pub room: Room,
    /// Answers kept for calls, as [`signalpost_core::idempotency::kept_bytes`] counts them.
    pub answers_bytes: u64,
    /// Those that went before their time to make room, since the store was opened.
    pub answers_forgotten: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    pub free_bytes: u64,
    pub total_bytes: u64,
}

/// Whether the store takes what makes it grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Room {
    #[default]
    Enough,
    /// New events and objects are refused with `Full`.
    Full,
}
