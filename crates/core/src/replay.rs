//! Sending many deliveries once more, or to another webhook: a plan that is frozen before anything is sent, and a job that goes
//! through it at a steady rate.

use std::num::NonZeroU32;

use crate::delivery::{DeliveryState, DeliveryStatus};
use crate::id::{EventId, ReplayId, WebhookId, WorkspaceId};
use crate::limits::{REPLAY_IDLE_MS, REPLAY_REMEMBERED_MS};
use crate::principal::Principal;
use crate::time::Timestamp;

/// What is to be sent, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Whose deliveries are looked at.
    pub source: WebhookId,
    pub which: Which,
    /// When events were accepted: from then on.
    pub since: Timestamp,
    /// And before then.
    pub until: Timestamp,
    /// Events of these types; of any when it is empty.
    pub types: Vec<String>,
    pub subject: Option<String>,
}

/// Which of the source's deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that were attempted and ended without a success: failed, or dropped after an attempt.
    Failed,
    /// Those that ended before any attempt, and events that were not meant for the source when they came but would be by what
    /// it selects now.
    NeverAttempted,
    /// All that were ever meant for it, but those that are pending.
    All,
}

impl Which {
    pub const ALL: [Self; 3] = [Self::Failed, Self::NeverAttempted, Self::All];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::NeverAttempted => "never_attempted",
            Self::All => "all",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|which| which.name() == name)
    }

    /// Whether a delivery of the source that has been attempted so often belongs to it.
    pub const fn takes(self, state: DeliveryState, attempts: u32) -> bool {
        match (self, state.status()) {
            (_, DeliveryStatus::Pending) => false,
            (Self::All, _) => true,
            (_, DeliveryStatus::Delivered) => false,
            (Self::Failed, _) => attempts > 0,
            (Self::NeverAttempted, _) => attempts == 0,
        }
    }

    /// Whether a delivery of the target that came to this state is sent once more when its turn comes. What is missing is not
    /// sent when it has arrived meanwhile; whoever asked for all of it wants it again.
    pub const fn sends(self, state: DeliveryState) -> bool {
        match (self, state.status()) {
            (_, DeliveryStatus::Pending)
            | (Self::Failed | Self::NeverAttempted, DeliveryStatus::Delivered) => false,
            (_, DeliveryStatus::Failed | DeliveryStatus::Dropped)
            | (Self::All, DeliveryStatus::Delivered) => true,
        }
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    pub id: ReplayId,
    pub workspace: WorkspaceId,
    pub selection: Selection,
    /// Where it goes: the source itself, or another webhook of the workspace.
    pub target: WebhookId,
    /// Deliveries that become due in a second, at most.
    pub per_second: NonZeroU32,
    /// What happens when the plan is complete.
    pub start: Start,
    pub phase: Phase,
    pub made_by: Principal,
    pub made_at: Timestamp,
    /// When and by whom its phase was changed last: started, paused, resumed, cancelled; or by the engine, when a plan was
    /// complete or it came to its end.
    pub changed_by: Principal,
    pub changed_at: Timestamp,
    pub progress: Progress,
}

impl Replay {
    /// Enters a phase, and notes who it was by.
    pub fn change(&mut self, phase: Phase, by: Principal, at: Timestamp) {
        self.phase = phase;
        self.changed_by = by;
        self.changed_at = at;
    }

    /// Where it goes on when its plan is complete.
    pub const fn after_planning(&self) -> Phase {
        match self.start {
            Start::WhenTold => Phase::Planned,
            Start::WhenPlanned => Phase::Running,
        }
    }

    /// Whether nobody has started or resumed it in time.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        matches!(self.phase, Phase::Planned | Phase::Paused) && self.changed_at <= idle_since(now)
    }

    /// Whether it has ended so long ago that it is remembered no more.
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        !self.phase.is_open() && self.changed_at <= forgotten_since(now)
    }
}

/// What waits to be started or resumed since then, or longer, ends.
pub fn idle_since(now: Timestamp) -> Timestamp {
    now.plus_ms(-REPLAY_IDLE_MS)
}

/// What ended by then is remembered no more.
pub fn forgotten_since(now: Timestamp) -> Timestamp {
    now.plus_ms(-REPLAY_REMEMBERED_MS)
}

/// What happens when a plan is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Somebody looks at it first.
    WhenTold,
    WhenPlanned,
}

impl Start {
    pub const ALL: [Self; 2] = [Self::WhenTold, Self::WhenPlanned];

    pub const fn name(self) -> &'static str {
        match self {
            Self::WhenTold => "when_told",
            Self::WhenPlanned => "when_planned",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|start| start.name() == name)
    }
}

/// Counts of deliveries, and how far the job has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How far the walk over the past has come, newest first: what is below this event has not been looked at.
    pub planned_to: Option<EventId>,
    /// In the plan, exact once it is complete.
    pub planned: u64,
    /// Up to where the plan has been gone through, oldest first.
    pub done_to: Option<EventId>,
    /// Owed once more.
    pub sent: u64,
    /// Not sent: delivered or pending meanwhile, sent as often as one may be, or its payload is gone.
    pub passed_over: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The past is walked through.
    Planning,
    /// The plan is frozen and waits to be started.
    Planned,
    Running,
    Paused,
    /// It has gone through its plan.
    Done,
    Cancelled(CancelReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    Asked,
    /// Its source or its target was deleted.
    WebhookDeleted,
    /// There is more than one job may send.
    TooMany,
    /// Nobody has started or resumed it in time.
    Forgotten,
}

impl CancelReason {
    pub const ALL: [Self; 4] = [Self::Asked, Self::WebhookDeleted, Self::TooMany, Self::Forgotten];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::WebhookDeleted => "webhook_deleted",
            Self::TooMany => "too_many",
            Self::Forgotten => "forgotten",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// What may be asked of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Start,
    Pause,
    Resume,
    Cancel,
}

impl Phase {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Cancelled(_) => "cancelled",
        }
    }

    /// Why it was cancelled, if it was.
    pub const fn reason(self) -> Option<CancelReason> {
        match self {
            Self::Cancelled(reason) => Some(reason),
            _ => None,
        }
    }

    /// `None` for a name that is none, and unless a reason stands with `cancelled` and with nothing else.
    pub fn from_parts(name: &str, reason: Option<CancelReason>) -> Option<Self> {
        let others = [Self::Planning, Self::Planned, Self::Running, Self::Paused, Self::Done];
        let cancelled = reason.map(Self::Cancelled);
        others.into_iter().chain(cancelled).find(|phase| phase.name() == name && phase.reason() == reason)
    }

    /// Where a command leads. What holds already is answered as it is; else the sentence says why it cannot be.
    pub const fn after(self, command: Command) -> Result<Self, &'static str> {
        match (self, command) {
            (Self::Planned, Command::Start) | (Self::Paused, Command::Resume) => Ok(Self::Running),
            (Self::Running, Command::Start | Command::Resume) => Ok(Self::Running),
            (Self::Running | Self::Paused, Command::Pause) => Ok(Self::Paused),
            (Self::Planning | Self::Planned | Self::Running | Self::Paused, Command::Cancel) => {
                Ok(Self::Cancelled(CancelReason::Asked))
            }
            (Self::Cancelled(reason), Command::Cancel) => Ok(Self::Cancelled(reason)),
            (Self::Planning, _) => Err("the replay is being planned"),
            (Self::Planned, _) => Err("the replay has not been started"),
            (Self::Paused, _) => Err("the replay is paused"),
            (Self::Done, _) => Err("the replay is done"),
            (Self::Cancelled(_), _) => Err("the replay was cancelled"),
        }
    }

    /// Whether the engine works on it.
    pub const fn is_busy(self) -> bool {
        matches!(self, Self::Planning | Self::Running)
    }

    /// Whether something is left to do.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Done | Self::Cancelled(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_return() {
        let cancelled = CancelReason::ALL.map(Phase::Cancelled);
        let others = [Phase::Planning, Phase::Planned, Phase::Running, Phase::Paused, Phase::Done];
        for phase in others.into_iter().chain(cancelled) {
            assert_eq!(Phase::from_parts(phase.name(), phase.reason()), Some(phase));
        }
        assert_eq!(Phase::from_parts("cancelled", None), None);
        assert_eq!(Phase::from_parts("done", Some(CancelReason::Asked)), None);
        assert!(
            CancelReason::ALL
                .into_iter()
                .all(|reason| CancelReason::from_name(reason.name()) == Some(reason))
        );
        assert!(Start::ALL.into_iter().all(|start| Start::from_name(start.name()) == Some(start)));
        assert!(Which::ALL.into_iter().all(|which| Which::from_name(which.name()) == Some(which)));
    }

    /// Asked for once more, a command changes nothing; and what has ended does not begin anew.
    #[test]
    fn commands_lead_where_they_should() {
        use Command::{Cancel, Pause, Resume, Start};
        let (running, asked) = (Ok(Phase::Running), Phase::Cancelled(CancelReason::Asked));
        for (phase, command, after) in [
            (Phase::Planned, Start, running),
            (Phase::Paused, Resume, running),
            (Phase::Running, Start, running),
            (Phase::Running, Resume, running),
            (Phase::Running, Pause, Ok(Phase::Paused)),
            (Phase::Paused, Pause, Ok(Phase::Paused)),
            (Phase::Planning, Cancel, Ok(asked)),
            (asked, Cancel, Ok(asked)),
        ] {
            assert_eq!(phase.after(command), after, "{phase:?} {command:?}");
        }
        for (phase, command) in [
            (Phase::Planning, Start),
            (Phase::Planning, Pause),
            (Phase::Planned, Resume),
            (Phase::Planned, Pause),
            (Phase::Paused, Start),
            (Phase::Done, Cancel),
            (Phase::Done, Start),
            (asked, Resume),
        ] {
            assert!(phase.after(command).is_err(), "{phase:?} {command:?}");
        }
    }

    #[test]
    fn what_is_taken_and_what_is_sent() {
        let at = Timestamp::from_ms(1);
        let dropped = DeliveryState::Dropped { at, reason: crate::delivery::CutReason::Disabled };
        let table = [
            // Which of the source's deliveries are taken, after an attempt and without one; which of the target's are sent.
            (DeliveryState::Pending { next_at: at }, [(false, false, false); 3]),
            (
                DeliveryState::Delivered { at },
                [(false, false, false), (false, false, false), (true, true, true)],
            ),
            (DeliveryState::Failed { at }, [(true, false, true), (false, true, true), (true, true, true)]),
            (dropped, [(true, false, true), (false, true, true), (true, true, true)]),
        ];
        for (state, expected) in table {
            let found =
                Which::ALL.map(|which| (which.takes(state, 1), which.takes(state, 0), which.sends(state)));
            assert_eq!(found, expected, "{state:?}");
        }
    }
}
