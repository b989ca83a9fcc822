//! Jobs that send many deliveries once more. A plan is a set of rows of its own, written before anything is sent, so that it is
//! counted exactly, does not change, and a step goes on where the last one that is on disk has ended.

use signalpost_core::id::{EventId, ReplayId, WorkspaceId};
use signalpost_core::principal::Principal;
use signalpost_core::replay::{CancelReason, Command, Replay};
use signalpost_core::time::Timestamp;

use crate::Answer;

pub trait Replays: Send + Sync {
    /// `Missing("workspace")`, `Missing("webhook")` when source or target is deleted or of another workspace, `LimitReached` when
    /// the workspace has [`signalpost_core::limits::REPLAYS_OPEN_MAX`] jobs that are not paused and have not ended.
    fn create_replay(&self, replay: Replay) -> Answer<()>;
    fn replay(&self, workspace: WorkspaceId, replay: ReplayId) -> Answer<Option<Replay>>;
    /// Newest first.
    fn list_replays(&self, params: ListReplays) -> Answer<Vec<Replay>>;
    /// Jobs of any workspace that are being planned or run, in ascending order: what the loop of the engine works on.
    fn busy_replays(&self, params: BusyReplays) -> Answer<Vec<Replay>>;
    /// The oldest events of a plan.
    fn replay_sample(&self, replay: ReplayId, limit: usize) -> Answer<Vec<EventId>>;
    /// Adds what one look at the past has found. `WrongState` unless the job is being planned and has come as far as `from`, so
    /// that a repeated call and a second loop change nothing. More than
    /// [`signalpost_core::limits::REPLAY_DELIVERIES_MAX`] cancels the job.
    fn plan_replay(&self, params: PlanReplay) -> Answer<Replay>;
    /// Owes the next deliveries of a plan once more, in one commit with how far the job has come. `WrongState` unless the job
    /// runs and has come as far as `from`. What [`signalpost_core::replay::Which::sends`] does not permit, and what
    /// [`crate::Ledger::requeue`] would refuse, is passed over. An event that was not meant for the target is from now on.
    fn step_replay(&self, params: StepReplay) -> Answer<Stepped>;
    /// Carries out a command, or ends a job. `Missing("replay")`; `WrongState` as [`signalpost_core::replay::Phase::after`] says;
    /// `LimitReached` as [`Self::create_replay`] when one goes on.
    fn change_replay(&self, params: ChangeReplay) -> Answer<Replay>;
}

#[derive(Clone, Copy, Debug)]
pub struct ListReplays {
    pub workspace: WorkspaceId,
    pub before: Option<ReplayId>,
    pub limit: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct BusyReplays {
    pub after: Option<ReplayId>,
    pub limit: usize,
}

#[derive(Clone, Debug)]
pub struct PlanReplay {
    pub replay: ReplayId,
    /// [`signalpost_core::replay::Progress::planned_to`] as the look began.
    pub from: Option<EventId>,
    pub found: Vec<EventId>,
    /// Where the next look begins; `None` when the past has been walked through.
    pub next: Option<EventId>,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub struct StepReplay {
    pub replay: ReplayId,
    /// [`signalpost_core::replay::Progress::done_to`] as the loop knows it.
    pub from: Option<EventId>,
    /// Deliveries of the plan that this step takes at most; what is passed over counts, too.
    pub take: usize,
    /// Deliveries of the target that may be due at the end: the step takes no more than what is left to it. What a cut has
    /// ended does not count.
    pub due_max: usize,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stepped {
    /// After the step.
    pub replay: Replay,
    pub waits: Option<Waits>,
}

/// Why a step took less than it might have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// The target has as much that is due as it may have.
    Busy,
    /// The target is paused by the engine, or is off.
    TargetOff,
}

#[derive(Clone, Debug)]
pub struct ChangeReplay {
    pub workspace: WorkspaceId,
    pub replay: ReplayId,
    pub change: Change,
    pub by: Principal,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Asked(Command),
    /// By the engine, whatever the phase of an open job.
    Ended(CancelReason),
}
