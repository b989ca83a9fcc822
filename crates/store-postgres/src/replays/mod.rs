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

use signalpost_core::id::{EventId, ReplayId, WorkspaceId};
use signalpost_core::replay::Replay;
use signalpost_store::replays::{BusyReplays, ChangeReplay, ListReplays, PlanReplay, StepReplay, Stepped};
use signalpost_store::{Answer, Replays};

use crate::store::PostgresStore;

impl Replays for PostgresStore {
    fn create_replay(&self, replay: Replay) -> Answer<()> {
        self.write(async move |write| create_replay::run(write, &replay).await)
    }

    fn replay(&self, workspace: WorkspaceId, replay: ReplayId) -> Answer<Option<Replay>> {
        self.read(async move |session| find::replay_of(session, workspace, replay).await)
    }

    fn list_replays(&self, params: ListReplays) -> Answer<Vec<Replay>> {
        self.read(async move |session| list_replays::run(session, params).await)
    }

    fn busy_replays(&self, params: BusyReplays) -> Answer<Vec<Replay>> {
        self.read(async move |session| busy_replays::run(session, params).await)
    }

    fn replay_sample(&self, workspace: WorkspaceId, replay: ReplayId, limit: usize) -> Answer<Vec<EventId>> {
        self.read_snapshot(async move |session| replay_sample::run(session, workspace, replay, limit).await)
    }

    fn plan_replay(&self, params: PlanReplay) -> Answer<Replay> {
        self.write(async move |write| plan_replay::run(write, &params).await)
    }

    fn step_replay(&self, params: StepReplay) -> Answer<Stepped> {
        self.write(async move |write| step_replay::run(write, params).await)
    }

    fn change_replay(&self, params: ChangeReplay) -> Answer<Replay> {
        self.write(async move |write| change_replay::run(write, &params).await)
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
    forget::SELECT_STILL_IDLE,
    forget::DELETE_ENDED,
    list_replays::SELECT,
    plan_replay::INSERT,
    replay_sample::SELECT,
    send::SELECT_SIZE,
    send::UPDATE,
    step_replay::SELECT_PLANNED,
    step_replay::COUNT_DUE,
];
