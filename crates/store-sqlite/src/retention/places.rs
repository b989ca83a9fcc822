//! What retention remembers: the place of a walk, and how far each workspace need not be looked at.
//!
//! All of it is in memory. Losing it costs a walk from the beginning and nothing else.

use std::collections::BTreeMap;

use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::RETENTION_PLACES_MAX;
use signalpost_core::retention::WorkspaceRetention;

use super::ages::{Frontier, Kind, March};

/// How far events under the server's rules are dealt with.
#[derive(Default)]
pub(crate) struct Frontiers {
    pub(super) events: Frontier,
    pub(super) payloads: Frontier,
}

impl Frontiers {
    /// An event has come; it may be below those that were looked at.
    pub(crate) fn note_event(&mut self, event: i64) {
        self.events.note_event(event);
        self.payloads.note_event(event);
    }
}

/// A walk over everything that is stored, between two steps.
#[derive(Default)]
pub(crate) struct Walk {
    pub(super) stage: Stage,
    /// As in [`signalpost_store::ledger::Retained::looked`].
    pub(super) looked: u64,
    /// When the first of what is young will be old, in milliseconds since the epoch.
    pub(super) next_at: Option<i64>,
}

#[derive(Default, PartialEq, Eq)]
pub(super) enum Stage {
    #[default]
    Rests,
    /// Answers kept for calls, behind a row.
    Calls {
        after: i64,
    },
    /// The oldest events of all, behind an id.
    Whole {
        after: i64,
    },
    Ages(March),
    Workspaces(Tour),
    End,
}

impl Stage {
    pub(super) fn following(&self) -> Self {
        match self {
            Self::Rests => Self::Calls { after: i64::MIN },
            Self::Calls { .. } => Self::Whole { after: i64::MIN },
            Self::Whole { .. } => Self::Ages(March::of(Kind::Events)),
            Self::Ages(march) if march.kind() == Kind::Events => Self::Ages(March::of(Kind::Payloads)),
            Self::Ages(_) => Self::Workspaces(Tour::default()),
            Self::Workspaces(_) | Self::End => Self::End,
        }
    }

    pub(super) const fn next_at(&self) -> Option<i64> {
        match self {
            Self::Ages(march) => march.next_at,
            Self::Workspaces(tour) => tour.next_at,
            Self::Rests | Self::Calls { .. } | Self::Whole { .. } | Self::End => None,
        }
    }
}

impl Walk {
    /// What was found out of a workspace's rules, which have changed, does not hold any more.
    pub(super) fn forget(&mut self, workspace: WorkspaceId) {
        match &mut self.stage {
            Stage::Ages(march) => march.forget(workspace),
            // It comes once more, from its beginning.
            Stage::Workspaces(tour) => tour.visit = tour.visit.take().filter(|at| at.workspace != workspace),
            Stage::Rests | Stage::Calls { .. } | Stage::Whole { .. } | Stage::End => {}
        }
    }
}

/// A walk from workspace to workspace.
#[derive(PartialEq, Eq)]
pub(super) struct Tour {
    /// Workspaces up to this id are done.
    pub(super) after: i64,
    pub(super) visit: Option<Visit>,
    pub(super) next_at: Option<i64>,
}

impl Default for Tour {
    fn default() -> Self {
        Self { after: i64::MIN, visit: None, next_at: None }
    }
}

/// The workspace at which a tour stands.
#[derive(PartialEq, Eq)]
pub(super) struct Visit {
    pub(super) workspace: WorkspaceId,
    pub(super) rules: WorkspaceRetention,
    pub(super) phase: Phase,
    /// Events of this phase up to this id are done.
    pub(super) after: i64,
    /// When the oldest of those was accepted that this phase has left behind.
    pub(super) oldest_left: Option<i64>,
    /// No event of this phase up to this id was left behind; `None` while none was.
    pub(super) clear_upto: Option<i64>,
}

/// What a visit looks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Bytes,
    Events,
    Payloads,
}

/// What earlier walks have found out about a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// No event is older.
    pub(super) oldest_at: i64,
    /// No event up to this id has a payload.
    pub(super) bare_upto: i64,
    /// No payload is older.
    pub(super) oldest_payload_at: i64,
}

pub(super) const NOWHERE: Place =
    Place { oldest_at: i64::MIN, bare_upto: i64::MIN, oldest_payload_at: i64::MIN };

/// Places of as many workspaces with rules of their own as fit; those that do not are looked at in every walk.
#[derive(Default)]
pub(crate) struct Places(BTreeMap<WorkspaceId, Place>);

impl Places {
    pub(super) fn get(&self, workspace: WorkspaceId) -> Place {
        self.0.get(&workspace).copied().unwrap_or(NOWHERE)
    }

    pub(super) fn set(&mut self, workspace: WorkspaceId, place: Place) {
        if self.0.len() < RETENTION_PLACES_MAX || self.0.contains_key(&workspace) {
            self.0.insert(workspace, place);
        }
    }

    /// An event has come below those that were looked at, or the workspace is gone.
    pub(crate) fn forget(&mut self, workspace: WorkspaceId) {
        self.0.remove(&workspace);
    }
}
