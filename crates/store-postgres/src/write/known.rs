//! What is known of workspaces from their locks to the commit.

use std::collections::{BTreeMap, BTreeSet};

use signalpost_core::id::WorkspaceId;
use signalpost_store::row::{Field, Fields, Row};

/// Without a version where a workspace is moving; such a one may have a row of each kind.
pub(crate) const SELECT_HEADS: &str = "SELECT h.workspace, h.version, h.expired_through, w.feed,
        coalesce((SELECT p.sequence FROM place p WHERE p.workspace = h.workspace ORDER BY p.sequence DESC LIMIT 1), 0)
    FROM unnest($1::bigint[]) AS k JOIN head h ON h.workspace = k JOIN workspace w ON w.id = k
    UNION ALL SELECT m.workspace, NULL, NULL, NULL, NULL FROM unnest($1::bigint[]) AS k
        CROSS JOIN LATERAL (SELECT workspace FROM moving WHERE workspace = k OFFSET 0) AS m";

/// What is known of a workspace from its lock to the commit.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) version: i64,
    pub(super) sequence: i64,
    pub(super) expired_through: i64,
    pub(super) has_feed: bool,
    /// Places were taken.
    pub(super) moved: bool,
    /// Differs from its row.
    pub(super) changed: bool,
}

/// What is known of workspaces behind their locks.
#[derive(Default)]
pub(super) struct Known {
    pub(super) heads: BTreeMap<WorkspaceId, Head>,
    /// Those that are going to another cell, or coming from one.
    pub(super) moving: BTreeSet<WorkspaceId>,
}

/// A row of [`SELECT_HEADS`].
pub(super) fn head(row: &Row<'_>) -> Field<(WorkspaceId, Option<Head>)> {
    let mut fields = Fields::new(row, "head", 1);
    let workspace = WorkspaceId::from_raw(fields.id("workspace")?);
    let Some(version) = fields.optional_integer("version")? else { return Ok((workspace, None)) };
    let expired_through = fields.integer("expired_through")?;
    let has_feed = fields.integer("feed")? != 0;
    let sequence = fields.integer("sequence")?;
    let head = Head { version, sequence, expired_through, has_feed, moved: false, changed: false };
    Ok((workspace, Some(head)))
}
