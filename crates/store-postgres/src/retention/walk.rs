//! What retention remembers: the place of a walk, and which payloads need not be looked at again.
//!
//! All of it is in memory, of each node by itself. Losing it costs a walk from the beginning and nothing else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::{RETENTION_HELD_MAX, RETENTION_PLACES_MAX};
use signalpost_core::retention::WorkspaceRetention;

use super::earlier;
use crate::spans::HeldUp;

/// A walk over everything that is stored, between two steps, and what the walks before it have found out.
#[derive(Default)]
pub(crate) struct Walk {
    pub(super) stage: Stage,
    /// As in [`signalpost_store::ledger::Retained::looked`].
    pub(super) looked: u64,
    /// When the first of what is young will be old, in milliseconds since the epoch.
    pub(super) next_at: Option<i64>,
    pub(super) places: Places,
    /// Whether it was said that the bound of the whole store is not kept.
    pub(super) overfull_told: bool,
    pub(super) held_up: HeldUp,
}

impl Walk {
    /// To the next stage.
    pub(super) fn go_on(&mut self) {
        if let Stage::Workspaces(tour) = &self.stage {
            self.next_at = earlier(self.next_at, tour.next_at);
        }
        self.stage = self.stage.following();
    }

    /// For the next walk.
    pub(super) fn begin_anew(&mut self) {
        (self.stage, self.looked, self.next_at) = (Stage::default(), 0, None);
    }
}

#[derive(Default, PartialEq, Eq)]
pub(super) enum Stage {
    #[default]
    Rests,
    /// Answers kept for calls, behind a row.
    Calls {
        after: i64,
    },
    /// The tables that events lie in.
    Spans,
    /// The oldest events of all, behind an id.
    Whole {
        after: i64,
    },
    Workspaces(Tour),
    End,
}

impl Stage {
    fn following(&self) -> Self {
        match self {
            Self::Rests => Self::Calls { after: i64::MIN },
            Self::Calls { .. } => Self::Spans,
            Self::Spans => Self::Whole { after: i64::MIN },
            Self::Whole { .. } => Self::Workspaces(Tour::default()),
            Self::Workspaces(_) | Self::End => Self::End,
        }
    }
}

/// A walk from workspace to workspace.
#[derive(PartialEq, Eq)]
pub(super) struct Tour {
    /// Workspaces up to this id were read.
    pub(super) after: i64,
    /// Those that come next; the tour stands at the first.
    pub(super) visits: VecDeque<Visit>,
    pub(super) next_at: Option<i64>,
}

impl Default for Tour {
    fn default() -> Self {
        Self { after: i64::MIN, visits: VecDeque::new(), next_at: None }
    }
}

/// A workspace on a tour.
#[derive(PartialEq, Eq)]
pub(super) struct Visit {
    pub(super) workspace: WorkspaceId,
    pub(super) rules: WorkspaceRetention,
    /// Whether its events go by the server's age.
    pub(super) is_of_server: bool,
    pub(super) first: Option<First>,
    pub(super) phase: Phase,
    /// Events of this phase up to this id are done.
    pub(super) after: i64,
}

/// The first event of a workspace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct First {
    pub(super) id: i64,
    pub(super) accepted_at: i64,
}

/// What a visit looks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Bytes,
    Events,
    /// Payloads that could not go when others around them went.
    HeldPayloads,
    Payloads,
}

/// How far payloads are dealt with.
#[derive(Default)]
pub(super) struct Places {
    /// No event of a workspace up to this id has a payload, but those that are held.
    bare_upto: BTreeMap<WorkspaceId, i64>,
    held: BTreeSet<(WorkspaceId, i64)>,
}

impl Places {
    pub(super) fn bare_upto(&self, workspace: WorkspaceId) -> i64 {
        self.bare_upto.get(&workspace).copied().unwrap_or(i64::MIN)
    }

    pub(super) fn set_bare_upto(&mut self, workspace: WorkspaceId, event: i64) {
        if self.bare_upto.len() < RETENTION_PLACES_MAX || self.bare_upto.contains_key(&workspace) {
            self.bare_upto.insert(workspace, event);
        }
    }

    /// The next of those held behind an id.
    pub(super) fn held(&self, workspace: WorkspaceId, after: i64, rows: usize) -> Vec<i64> {
        let behind = (workspace, after.saturating_add(1))..=(workspace, i64::MAX);
        self.held.range(behind).map(|(_, event)| *event).take(rows).collect()
    }

    /// `false` when there are too many: then nothing behind this one may be passed over.
    pub(super) fn hold(&mut self, workspace: WorkspaceId, event: i64) -> bool {
        let fits = self.held.len() < RETENTION_HELD_MAX;
        if fits {
            self.held.insert((workspace, event));
        }
        fits
    }

    pub(super) fn release(&mut self, workspace: WorkspaceId, event: i64) {
        self.held.remove(&(workspace, event));
    }
}
