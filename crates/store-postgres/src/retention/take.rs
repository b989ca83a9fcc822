//! Looking for events without a lock, and taking what may go under those of their workspaces.

use std::collections::BTreeSet;

use signalpost_core::id::WorkspaceId;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::row::{Field, Fields, Row};

use super::candidate::{self, Candidate, Judged, judge};
use super::remove::{self, Removed};
use crate::failure::Failure;
use crate::locks::Locked;
use crate::pool::Pool;
use crate::work::transact;
use crate::write::Write;

/// What a look finds out about an event.
macro_rules! seen_columns {
    () => {
        "m.id, m.workspace, m.accepted_at, m.payload_removed_at IS NOT NULL, length(m.targets) / 8"
    };
}
pub(super) use seen_columns;

/// Events that one look finds.
pub(super) const PAGE_MAX: usize = 64;

/// An event that a look has found.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) id: i64,
    pub(super) workspace: WorkspaceId,
    pub(super) accepted_at: Timestamp,
    /// Its payload is gone.
    pub(super) is_bare: bool,
    targets: usize,
}

/// A row of `seen_columns`.
pub(super) fn seen(row: &Row<'_>) -> Field<Seen> {
    let mut fields = Fields::new(row, "message", 1);
    Ok(Seen {
        id: fields.id("id")?,
        workspace: WorkspaceId::from_raw(fields.id("workspace")?),
        accepted_at: fields.time("accepted_at")?,
        is_bare: fields.integer("payload_removed_at")? != 0,
        targets: fields.count("targets")?,
    })
}

/// As many of the first of a page as a step may touch that has so many rows left; one at least.
pub(super) fn within(page: &[Seen], rows: usize) -> &[Seen] {
    let mut touched = 0;
    let fitting = page.iter().take_while(|event| {
        touched += 1 + event.targets;
        touched <= rows
    });
    let fitting = fitting.count().max(1);
    &page[..fitting.min(page.len())]
}

/// What goes.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    Events,
    Payloads,
}

/// What has become of events that should go.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) events: u64,
    pub(super) payloads: u64,
    /// Events that stay.
    pub(super) held: Vec<i64>,
    /// Rows touched.
    pub(super) rows: usize,
}

/// Takes these events or their payloads, but for what is pending.
pub(super) async fn take(
    pool: &Pool,
    seen: &[Seen],
    wanted: Wanted,
    now: Timestamp,
) -> Result<Taken, StoreError> {
    if seen.is_empty() {
        return Ok(Taken::default());
    }
    let work = async |write: &mut Write<'_>| {
        write.lock_moving_too(&locks_of(seen)).await?;
        let events = load(write, seen).await?;
        let (mut gone, mut held) = (Vec::new(), Vec::new());
        for (event, judged) in events.iter().zip(judge(write, &events).await?) {
            match judged {
                Judged::Held => held.push(event.id),
                Judged::Ended(ended) => gone.push((event, ended)),
            }
        }
        let taken = Taken { rows: held.len(), held, ..Taken::default() };
        match wanted {
            Wanted::Events => remove::events(write, &gone).await.map(|removed| taken.and(removed)),
            Wanted::Payloads => {
                let emptied = remove::payloads(write, &gone, now).await?;
                Ok(Taken { payloads: emptied, rows: taken.rows + gone.len(), ..taken })
            }
        }
    };
    transact(pool, &work).await
}

impl Taken {
    /// With events that were removed.
    pub(super) fn and(self, Removed { events, rows }: Removed) -> Self {
        Self { events: self.events + events, rows: self.rows + rows, ..self }
    }
}

/// Those of these events that are still there. What is moving is nobody's to take.
pub(super) async fn load(write: &Write<'_>, seen: &[Seen]) -> Result<Vec<Candidate>, Failure> {
    let staying = seen.iter().filter(|event| !write.is_moving(event.workspace));
    candidate::load(write, staying.map(|event| (event.workspace, event.id))).await
}

pub(super) fn locks_of(seen: &[Seen]) -> Vec<Locked> {
    let workspaces: BTreeSet<WorkspaceId> = seen.iter().map(|event| event.workspace).collect();
    workspaces.into_iter().map(Locked::Workspace).collect()
}
