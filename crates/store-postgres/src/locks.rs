//! Locks of the server that are held to the end of a transaction (advisory locks of PostgreSQL).
//!
//! Whoever needs several takes all of them at once in ascending order, so that no two wait for one another. A key is a hash,
//! so two things may share a lock: they wait for each other then, and nothing else comes of it.

use signalpost_core::id::{UserId, WebhookId, WorkspaceId};
use signalpost_core::lane_group::LaneGroup;

use crate::failure::Failure;
use crate::session::Session;

pub(crate) const LOCK: &str = "SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS k";
pub(crate) const SHARE: &str = "SELECT pg_advisory_xact_lock_shared(k) FROM unnest($1::bigint[]) AS k";
const TRY_TAKE: &str = "SELECT 1 WHERE pg_try_advisory_xact_lock($1)";
const TRY_HOLD: &str = "SELECT 1 WHERE pg_try_advisory_lock($1)";
const TRY_HOLD_SHARED: &str = "SELECT 1 WHERE pg_try_advisory_lock_shared($1)";
const SCHEMA: &str = "SELECT hashtextextended(current_schema(), 0)";

/// What a lock stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Locked {
    /// Everything of a workspace that changes, but for outcomes.
    Workspace(WorkspaceId),
    /// The order of a webhook's deliveries by key.
    Order(WebhookId),
    /// Operator keys that are bound to a workspace, or to none.
    OperatorKeys(Option<WorkspaceId>),
    User(UserId),
    /// How many accounts of operators there are, and their names.
    OperatorAccounts,
    /// Calls of the operator side as a whole that happen once.
    OnceOutside,
    /// Outcomes of a lane group, which many write at once and nobody while it changes hands.
    LaneGroup(LaneGroup),
    /// Who has which number.
    Nodes,
    /// The numbers of changes. Not taken with others but last, right before a commit: whoever has it waits for nothing.
    Changes,
    /// Which tables events lie in. Tried and never waited for.
    Spans,
    /// The tables themselves.
    Schema,
    /// All of it, for as long as a process works on it: nodes share it.
    Process,
    /// The work of programs that know the schema up to a version: they share it, and whoever would shut them out waits.
    Program(i64),
}

impl Locked {
    fn parts(self) -> (u64, i64) {
        match self {
            Self::Workspace(id) => (1, id.raw()),
            Self::Order(id) => (2, id.raw()),
            Self::OperatorKeys(None) => (3, -1),
            Self::OperatorKeys(Some(id)) => (3, id.raw()),
            Self::User(id) => (4, id.raw()),
            Self::OnceOutside => (5, 0),
            Self::Schema => (6, 0),
            Self::Process => (7, 0),
            Self::LaneGroup(group) => (8, i64::try_from(group.number()).expect("few groups")),
            Self::Nodes => (9, 0),
            Self::Changes => (10, 0),
            Self::Spans => (11, 0),
            Self::Program(known) => (12, known),
            Self::OperatorAccounts => (13, 0),
        }
    }

    /// `schema` tells installations apart that share a database.
    fn key(self, schema: i64) -> i64 {
        let (kind, id) = self.parts();
        mix(mix(mix(schema.cast_unsigned()) ^ kind) ^ id.cast_unsigned()).cast_signed()
    }
}

/// The finaliser of SplitMix64: every bit of what goes in changes half of what comes out.
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// What tells this installation's locks from others in the same database.
pub(crate) async fn schema_key(session: &Session) -> Result<i64, Failure> {
    session.number(SCHEMA, &[]).await
}

/// Takes locks until the end of the transaction, waiting for whoever has them.
pub(crate) async fn take(session: &Session, schema: i64, locked: &[Locked]) -> Result<(), Failure> {
    session.execute(LOCK, &[&keys(schema, locked)]).await?;
    Ok(())
}

/// Takes a lock until the end of the transaction, if nobody has it, shared or not.
pub(crate) async fn try_take(session: &Session, schema: i64, locked: Locked) -> Result<bool, Failure> {
    session.exists(TRY_TAKE, &[&locked.key(schema)]).await
}

/// The numbers of locks in the order in which they are taken.
pub(crate) fn keys(schema: i64, locked: &[Locked]) -> Vec<i64> {
    let mut keys: Vec<i64> = locked.iter().map(|one| one.key(schema)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// On which nodes of this installation tell each other of commits.
pub(crate) fn channel(schema: i64) -> String {
    format!("signalpost_{:016x}", schema.cast_unsigned())
}

/// Takes a lock for as long as the connection lasts, if nobody has it.
pub(crate) async fn try_hold(session: &Session, schema: i64, locked: Locked) -> Result<bool, Failure> {
    session.exists(TRY_HOLD, &[&locked.key(schema)]).await
}

/// The same beside others who share it.
pub(crate) async fn try_hold_shared(session: &Session, schema: i64, locked: Locked) -> Result<bool, Failure> {
    session.exists(TRY_HOLD_SHARED, &[&locked.key(schema)]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_kind_id_and_schema() {
        let (workspace, webhook) = (WorkspaceId::from_raw(7), WebhookId::from_raw(7));
        let all = [
            Locked::Workspace(workspace).key(1),
            Locked::Workspace(WorkspaceId::from_raw(8)).key(1),
            Locked::Workspace(workspace).key(2),
            Locked::Order(webhook).key(1),
            Locked::OperatorKeys(Some(workspace)).key(1),
            Locked::OperatorKeys(None).key(1),
            Locked::OperatorAccounts.key(1),
            Locked::Schema.key(1),
            Locked::Changes.key(1),
            Locked::Spans.key(1),
            Locked::Program(1).key(1),
            Locked::Program(2).key(1),
        ];
        for (place, key) in all.iter().enumerate() {
            assert!(!all[..place].contains(key), "{place}");
        }
    }
}
