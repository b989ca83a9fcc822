//! The verbs of replays: jobs, their plans, and the steps through them. One file each.

mod busy_replays;
mod change_replay;
pub(crate) mod create_replay;
pub(crate) mod end;
mod find;
pub(crate) mod forget;
mod list_replays;
mod plan_replay;
mod replay_sample;
mod send;
mod step_replay;
#[cfg(test)]
mod tests;

use signalpost_core::id::{EventId, ReplayId, WorkspaceId};
use signalpost_core::replay::Replay;
use signalpost_store::replays::{BusyReplays, ChangeReplay, ListReplays, PlanReplay, StepReplay, Stepped};
use signalpost_store::{Answer, Replays};

use crate::job::Growth;
use crate::ledger::PUBLISHED;
use crate::queue::Admission;
use crate::store::SqliteStore;

/// What the row of a job weighs in a commit, in bytes.
const JOB_BYTES: usize = 1_024;
/// What an event of a plan weighs that is noted, and one that is sent.
const NOTED_BYTES: usize = 32;
const SENT_BYTES: usize = 256;

/// As anything new.
pub(crate) const CREATED: (Admission, Growth) = (Admission::Always, Growth::Grows);

impl Replays for SqliteStore {
    fn create_replay(&self, replay: Replay) -> Answer<()> {
        self.writing().write(CREATED, JOB_BYTES, move |write| create_replay::run(write, &replay))
    }

    fn replay(&self, workspace: WorkspaceId, replay: ReplayId) -> Answer<Option<Replay>> {
        self.read(move |connection| find::replay_of(connection, workspace, replay))
    }

    fn list_replays(&self, params: ListReplays) -> Answer<Vec<Replay>> {
        self.read(move |connection| list_replays::run(connection, params))
    }

    fn busy_replays(&self, params: BusyReplays) -> Answer<Vec<Replay>> {
        self.read(move |connection| busy_replays::run(connection, params))
    }

    fn replay_sample(&self, workspace: WorkspaceId, replay: ReplayId, limit: usize) -> Answer<Vec<EventId>> {
        self.read(move |connection| replay_sample::run(connection, workspace, replay, limit))
    }

    fn plan_replay(&self, params: PlanReplay) -> Answer<Replay> {
        let bytes = JOB_BYTES + NOTED_BYTES * params.found.len();
        self.writing().write(PUBLISHED, bytes, move |write| plan_replay::run(write, &params))
    }

    fn step_replay(&self, params: StepReplay) -> Answer<Stepped> {
        let bytes = JOB_BYTES + SENT_BYTES * params.take.min(params.due_max);
        self.writing().write(PUBLISHED, bytes, move |write| step_replay::run(write, params))
    }

    fn change_replay(&self, params: ChangeReplay) -> Answer<Replay> {
        self.write(Admission::Always, JOB_BYTES, move |write| change_replay::run(write, &params))
    }
}

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    busy_replays::SELECT,
    create_replay::INSERT,
    end::UPDATE,
    end::INSERT_REST,
    end::INSERT_RESTS_OF,
    end::SELECT_NEWEST_OF,
    end::DELETE_OF,
    end::ANY_REST,
    end::SELECT_REST,
    end::DELETE_PLANNED,
    end::DELETE_REST,
    find::SELECT,
    find::SELECT_OF,
    find::SELECT_PHASES,
    forget::SELECT_IDLE,
    forget::SELECT_ENDED,
    forget::DELETE,
    list_replays::SELECT,
    plan_replay::INSERT,
    replay_sample::SELECT,
    send::SELECT_SIZE,
    send::UPDATE,
    step_replay::SELECT_PLANNED,
    step_replay::COUNT_DUE,
];
