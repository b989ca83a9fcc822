//! What cases about replays do first.

use signalpost_core::attempt::Verdict;
use signalpost_core::id::{EventId, OperatorKeyId, WebhookId, WorkspaceId};
use signalpost_core::principal::Principal;
use signalpost_core::replay::{Command, Replay, Start};

use super::kit::Kit;
use crate::StoreError;
use crate::replays::{BusyReplays, Change, ChangeReplay, PlanReplay, StepReplay, Stepped};
use crate::testing::sample;

/// When steps are made.
pub(super) const STEP_MS: i64 = 1_000;

pub(super) fn events(raw: &[i64]) -> Vec<EventId> {
    raw.iter().copied().map(EventId::from_raw).collect()
}

/// A look at the past that has found these and goes on below `next`.
pub(super) fn look(replay: &Replay, found: &[i64], next: Option<i64>) -> PlanReplay {
    PlanReplay {
        replay: replay.id,
        from: replay.progress.planned_to,
        found: events(found),
        next: next.map(EventId::from_raw),
        at: sample::at(900),
    }
}

/// A step that may take as much as it likes.
pub(super) fn step(replay: &Replay) -> StepReplay {
    let from = replay.progress.done_to;
    StepReplay { replay: replay.id, from, take: 100, due_max: 100, at: sample::at(STEP_MS) }
}

impl Kit {
    /// Planned with these events, and started.
    pub(super) async fn run(&self, replay: Replay, found: &[i64]) -> Replay {
        let replay = Replay { start: Start::WhenPlanned, ..replay };
        let params = look(&replay, found, None);
        self.create_replay(replay).await.expect("a new replay");
        self.plan_replay(params).await.expect("it is planned")
    }

    pub(super) async fn planned(&self, replay: Replay, found: &[i64]) -> Replay {
        let params = look(&replay, found, None);
        self.create_replay(replay).await.expect("a new replay");
        self.plan_replay(params).await.expect("it is planned")
    }

    pub(super) async fn step(&self, params: StepReplay) -> Stepped {
        self.step_replay(params).await.expect("a step is made")
    }

    pub(super) async fn ask(
        &self,
        replay: &Replay,
        command: Command,
        at_ms: i64,
    ) -> Result<Replay, StoreError> {
        self.change(replay, Change::Asked(command), at_ms).await
    }

    pub(super) async fn change(
        &self,
        replay: &Replay,
        change: Change,
        at_ms: i64,
    ) -> Result<Replay, StoreError> {
        let (workspace, by) = (replay.workspace, Principal::OperatorKey(OperatorKeyId::from_raw(5)));
        let params = ChangeReplay { workspace, replay: replay.id, change, by, at: sample::at(at_ms) };
        self.change_replay(params).await
    }

    pub(super) async fn replay_now(&self, replay: &Replay) -> Replay {
        self.replay(replay.workspace, replay.id).await.expect("it reads").expect("the replay exists")
    }

    pub(super) async fn busy(&self) -> Vec<i64> {
        let busy = self.busy_replays(BusyReplays { after: None, limit: 100 }).await.expect("it reads");
        busy.iter().map(|replay| replay.id.raw()).collect()
    }

    /// Events from 31 on for a webhook, each attempted once with one of these verdicts.
    pub(super) async fn history(&self, workspace: WorkspaceId, webhook: WebhookId, verdicts: &[Verdict]) {
        for (n, verdict) in (31..).zip(verdicts) {
            self.publish_and_attempt(workspace, n, webhook, *verdict).await;
        }
    }

    pub(super) async fn owed_events(&self, webhook: WebhookId) -> Vec<i64> {
        self.owed(webhook).await.iter().map(|due| due.id.event.raw()).collect()
    }
}

pub(super) fn counts(replay: &Replay) -> (u64, u64, u64) {
    (replay.progress.planned, replay.progress.sent, replay.progress.passed_over)
}
