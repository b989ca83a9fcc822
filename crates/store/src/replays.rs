//! Jobs that send many deliveries once more. A plan is a set of rows of its own, written before anything is sent, so that it is
//! counted exactly, does not change, and a step goes on where the last one that is on disk has ended.

use signalpost_core::id::{EventId, ReplayId, WebhookId, WorkspaceId};
use signalpost_core::limits::{
    REPLAY_EVENT_TARGETS_MAX, REPLAY_STEP_BYTES_MAX, REPLAYS_BUSY_MAX, REPLAYS_OPEN_MAX,
    REPLAYS_REMEMBERED_MAX,
};
use signalpost_core::principal::Principal;
use signalpost_core::replay::{CancelReason, Command, Phase, Replay, Which};
use signalpost_core::time::Timestamp;

use crate::pack::pack_ids;
use crate::row::SizedEvent;
use crate::{Answer, StoreError};

pub trait Replays: Send + Sync {
    /// `Missing("workspace")`; `Missing("webhook")` when source or target is deleted or of another workspace; `LimitReached`
    /// when the workspace has [`signalpost_core::limits::REPLAYS_BUSY_MAX`] jobs that are being planned or run,
    /// [`signalpost_core::limits::REPLAYS_OPEN_MAX`] that have not ended, or
    /// [`signalpost_core::limits::REPLAYS_REMEMBERED_MAX`] in all. The job begins as [`Phase::Planning`] without any progress.
    fn create_replay(&self, replay: Replay) -> Answer<()>;
    fn replay(&self, workspace: WorkspaceId, replay: ReplayId) -> Answer<Option<Replay>>;
    /// Newest first.
    fn list_replays(&self, params: ListReplays) -> Answer<Vec<Replay>>;
    /// Jobs of any workspace that are being planned or run, in ascending order: what the loop of the engine works on.
    fn busy_replays(&self, params: BusyReplays) -> Answer<Vec<Replay>>;
    /// The oldest events of a plan. None of a job that has ended, for its plan goes with it.
    fn replay_sample(&self, workspace: WorkspaceId, replay: ReplayId, limit: usize) -> Answer<Vec<EventId>>;
    /// Adds what one look at the past has found. `Missing("replay")`; `WrongState` unless the job is being planned and has
    /// come as far as `from`, so that a repeated call and a second loop change nothing. More than
    /// [`signalpost_core::limits::REPLAY_DELIVERIES_MAX`] end the job, and so does the deletion of its source or target.
    fn plan_replay(&self, params: PlanReplay) -> Answer<Replay>;
    /// Owes the next deliveries of a plan once more, in one commit with how far the job has come. `Missing("replay")`;
    /// `WrongState` unless the job runs and has come as far as `from`.
    ///
    /// What [`signalpost_core::replay::Which::sends`] does not permit, and what [`crate::Ledger::requeue`] would refuse, is
    /// passed over. An event that was not meant for the target is from now on, without a place in an order, unless it has
    /// [`signalpost_core::limits::REPLAY_EVENT_TARGETS_MAX`] targets. A step may take less than it might for the sake of its
    /// neighbours, and says nothing then; with the last of the plan the job is done. A job whose source or target is deleted
    /// ends instead.
    fn step_replay(&self, params: StepReplay) -> Answer<Stepped>;
    /// Carries out a command, or ends a job. `Missing("replay")`; `WrongState` as [`Phase::after`] says; `LimitReached` as
    /// [`Self::create_replay`] when one goes on. What holds already is answered as it is, and so is the end of one that has
    /// ended.
    ///
    /// [`crate::Ledger::upkeep`] ends, as [`CancelReason::Forgotten`], what has waited for
    /// [`signalpost_core::limits::REPLAY_IDLE_MS`] to be started or resumed, and forgets a job when its end was
    /// [`signalpost_core::limits::REPLAY_REMEMBERED_MS`] ago. Erasing a workspace forgets all of its jobs.
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
    /// Deliveries of the target that were asked for once more, were not tried since, and may be due at the end: the step takes
    /// no more than what is left to it. New events and their retries do not count, so that a target which always has some is
    /// replayed to as well; nor does what a cut has ended, or what is held for the order of its key. But while more than
    /// [`signalpost_core::limits::UPKEEP_ROWS_MAX`] such rows are due the store may find that nothing is left.
    pub due_max: usize,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stepped {
    /// After the step.
    pub replay: Replay,
    pub waits: Option<Waits>,
}

impl From<Replay> for Stepped {
    fn from(replay: Replay) -> Self {
        Self { replay, waits: None }
    }
}

/// Why a step took less than it might have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// As much of what was asked for once more is due at the target as may be, or the target has too much of anything to tell.
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

impl Change {
    /// Where it leads a job of this phase; `WrongState` when it cannot be.
    pub fn of(self, phase: Phase) -> Result<Phase, StoreError> {
        match self {
            Self::Asked(command) => phase.after(command).map_err(StoreError::WrongState),
            Self::Ended(reason) if phase.is_open() => Ok(Phase::Cancelled(reason)),
            Self::Ended(_) => Ok(phase),
        }
    }
}

impl PlanReplay {
    /// `WrongState` when somebody else has come further, or the job is not being planned.
    pub fn check(&self, replay: &Replay) -> Result<(), StoreError> {
        if replay.phase != Phase::Planning {
            return Err(StoreError::WrongState("the replay is not being planned"));
        }
        check_place(self.from, replay.progress.planned_to)
    }
}

impl StepReplay {
    /// `WrongState` when somebody else has come further, or the job does not run.
    pub fn check(&self, replay: &Replay) -> Result<(), StoreError> {
        if replay.phase != Phase::Running {
            return Err(StoreError::WrongState("the replay does not run"));
        }
        check_place(self.from, replay.progress.done_to)
    }
}

/// Sends deliveries of a plan in one step.
pub struct Sender {
    pub workspace: WorkspaceId,
    pub target: WebhookId,
    pub which: Which,
    pub at: Timestamp,
    /// Bytes of events that were written anew.
    written: usize,
}

impl Sender {
    pub const fn of(replay: &Replay, at: Timestamp) -> Self {
        let Replay { workspace, target, selection, .. } = replay;
        Self { workspace: *workspace, target: *target, which: selection.which, at, written: 0 }
    }

    /// Others wait for what is written: whoever publishes to the workspace, or neighbours in the commit.
    pub const fn has_written_enough(&self) -> bool {
        self.written >= REPLAY_STEP_BYTES_MAX
    }

    /// The targets of an event with this one more, as they lie in their column, when it has its payload and room. They are
    /// taken to be written.
    pub fn named_in(&mut self, event: SizedEvent) -> Option<Vec<u8>> {
        let SizedEvent { mut targets, bytes, payload_removed_at } = event;
        if payload_removed_at.is_some() || targets.len() >= REPLAY_EVENT_TARGETS_MAX {
            return None;
        }
        targets.push(self.target);
        let packed = pack_ids(targets.iter().map(|webhook| webhook.raw()));
        self.written += bytes + packed.len();
        Some(packed)
    }
}

fn check_place(from: Option<EventId>, place: Option<EventId>) -> Result<(), StoreError> {
    if from == place { Ok(()) } else { Err(StoreError::WrongState("the replay has come further meanwhile")) }
}

/// How many jobs a workspace has.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReplayCounts {
    pub busy: usize,
    pub open: usize,
    pub remembered: usize,
}

impl ReplayCounts {
    pub fn of(phases: impl Iterator<Item = Phase>) -> Self {
        phases.fold(Self::default(), |counts, phase| Self {
            busy: counts.busy + usize::from(phase.is_busy()),
            open: counts.open + usize::from(phase.is_open()),
            remembered: counts.remembered + 1,
        })
    }

    /// `LimitReached` when there is no room for a new one.
    pub fn check_new(self) -> Result<(), StoreError> {
        self.check_busy()?;
        below(self.open, REPLAYS_OPEN_MAX, "replays that have not ended")?;
        below(self.remembered, REPLAYS_REMEMBERED_MAX, "replays that are remembered")
    }

    /// `LimitReached` when none of those that wait may go on.
    pub fn check_busy(self) -> Result<(), StoreError> {
        below(self.busy, REPLAYS_BUSY_MAX, "replays that are being planned or run")
    }
}

fn below(count: usize, limit: usize, what: &'static str) -> Result<(), StoreError> {
    if count < limit { Ok(()) } else { Err(StoreError::LimitReached { what, limit }) }
}
