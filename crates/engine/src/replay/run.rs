//! The loop of replays: plans what was asked for, and owes what is planned, each at its own rate.
//!
//! One call of the store at a time for all jobs together: its readers serve everybody. What a step did is on disk when it
//! answers, with how far the job has come, so that the loop may end anywhere and go on there.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use futures_util::{FutureExt, select_biased};
use signalpost_core::id::ReplayId;
use signalpost_core::principal::Principal;
use signalpost_core::replay::{CancelReason, Phase, Replay};
use signalpost_core::time::Monotonic;
use signalpost_store::StoreError;
use signalpost_store::replays::{BusyReplays, Change, ChangeReplay, StepReplay, Stepped, Waits};

use super::pace::{ReplayPace, SAVED_MAX};
use crate::Engine;

/// Between two steps of a job, unless it is so slow that it has nothing to send by then.
const TICK: Duration = Duration::from_millis(50);
/// The longest pause of a job whose target has no room: what it could send meanwhile is saved up, so that none of its rate is
/// lost to the pause.
const BUSY_WAIT_MAX: Duration = SAVED_MAX;
/// The longest pause of a job whose target is off: a person, or a probe, is to switch it on.
const OFF_WAIT_MAX: Duration = Duration::from_secs(10);
/// Pause of a job after the store has failed, and of the loop when it could not say what there is to do.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Between looks at what there is to do when nobody rings.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);
/// Looking at the past rests so many times as long as it took, so that others find the store's readers free.
const REST_FACTOR: u32 = 2;
const REST_MIN: Duration = Duration::from_millis(1);
/// Jobs read at once.
const PAGE_JOBS: usize = 100;
/// Deliveries sent once more that may be due at a target when a step ends: about a second of the job's rate. The most is half of
/// what its lane holds in memory, where live deliveries find the other half; a lane has half of that in flight at once.
const DUE_MIN: usize = 16;
const DUE_MAX: usize = 512;

/// A job that is worked on.
struct Job {
    replay: Replay,
    pace: ReplayPace,
    next_at: Monotonic,
    /// The last pause because its target was off or had no room.
    waited: Duration,
}

type Jobs = BTreeMap<ReplayId, Job>;

impl Engine {
    /// Works on all replays, now and whenever there are some. Never returns; run it once per process, beside the cores.
    pub async fn watch_replays(&self) {
        let mut jobs = Jobs::new();
        loop {
            let pause = match self.look_for_replays(&mut jobs).await {
                Ok(()) => LOOK_INTERVAL,
                Err(error) => {
                    tracing::error!(%error, "replays could not be looked up, trying again");
                    PAUSE_AFTER_FAILURE
                }
            };
            let mut look_again = self.clock.sleep(pause).fuse();
            loop {
                let wait = self.work_on(&mut jobs).await;
                select_biased! {
                    _ = self.replay_desk.bell.take().fuse() => break,
                    () = look_again => break,
                    () = self.clock.sleep(wait).fuse() => {}
                }
            }
        }
    }

    /// Takes up what is to be planned and run; what is known of a job already stays, but for how it is by now.
    async fn look_for_replays(&self, jobs: &mut Jobs) -> Result<(), StoreError> {
        let mut busy = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.busy_replays(BusyReplays { after, limit: PAGE_JOBS }).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            busy.extend(page);
        }
        let now = self.clock.monotonic();
        let mut known = std::mem::take(jobs);
        for replay in busy {
            let job = match known.remove(&replay.id) {
                Some(job) if job.replay.phase == replay.phase => Job { replay, ..job },
                _ => Job::new(replay, now),
            };
            jobs.insert(job.replay.id, job);
        }
        known.into_keys().for_each(|gone| self.replay_desk.no_wait(gone));
        self.metrics.replays_busy.set(u64::try_from(jobs.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// One step of each job whose time has come. How long until the next.
    async fn work_on(&self, jobs: &mut Jobs) -> Duration {
        let now = self.clock.monotonic();
        let due: Vec<ReplayId> =
            jobs.iter().filter(|(_, job)| job.next_at <= now).map(|(id, _)| *id).collect();
        for id in due {
            let Some(mut job) = jobs.remove(&id) else { continue };
            let kept = match self.advance(&mut job).await {
                Ok(()) => Some(job),
                Err(error) => self.look_closer(job, error).await,
            };
            match kept.filter(|job| job.replay.phase.is_busy()) {
                Some(job) => drop(jobs.insert(id, job)),
                None => self.replay_desk.no_wait(id),
            }
        }
        self.metrics.replays_busy.set(u64::try_from(jobs.len()).unwrap_or(u64::MAX));
        let now = self.clock.monotonic();
        let next = jobs.values().map(|job| until(job.next_at, now)).min();
        next.map_or(LOOK_INTERVAL, |wait| wait.min(LOOK_INTERVAL))
    }

    async fn advance(&self, job: &mut Job) -> Result<(), StoreError> {
        match job.replay.phase {
            Phase::Planning => self.plan_job(job).await,
            Phase::Running => self.step_job(job).await,
            Phase::Planned | Phase::Paused | Phase::Done | Phase::Cancelled(_) => Ok(()),
        }
    }

    async fn plan_job(&self, job: &mut Job) -> Result<(), StoreError> {
        let began = self.clock.monotonic();
        job.replay = self.plan_more(&job.replay).await?;
        let now = self.clock.monotonic();
        job.next_at = later(now, (until(now, began) * REST_FACTOR).max(REST_MIN));
        match job.replay.phase {
            Phase::Planning => {}
            Phase::Running => {
                tell("a replay is planned and begins", &job.replay);
                job.pace = ReplayPace::new(job.replay.per_second, now);
            }
            Phase::Planned | Phase::Paused => tell("a replay is planned", &job.replay),
            Phase::Done | Phase::Cancelled(_) => {
                tell("a replay has ended before it was planned", &job.replay)
            }
        }
        Ok(())
    }

    async fn step_job(&self, job: &mut Job) -> Result<(), StoreError> {
        let take = job.pace.available(self.clock.monotonic());
        if take == 0 {
            job.next_at = later(self.clock.monotonic(), job.pace.wait());
            return Ok(());
        }
        let (before, at) = (job.replay.progress, self.clock.now());
        let due_max = due_max(job.replay.per_second);
        let step = StepReplay { replay: job.replay.id, from: before.done_to, take, due_max, at };
        let Stepped { replay, waits } = self.store.step_replay(step).await?;
        let sent = replay.progress.sent - before.sent;
        let taken = sent + replay.progress.passed_over - before.passed_over;
        self.metrics.deliveries_replayed.add(sent);
        job.pace.spend(taken);
        job.replay = replay;
        job.waited = match waits {
            Some(waits) if taken == 0 => (job.waited * 2).clamp(TICK, wait_max(waits)),
            Some(_) | None => Duration::ZERO,
        };
        job.next_at = later(self.clock.monotonic(), TICK.max(job.waited).max(job.pace.wait()));
        self.replay_desk.note_wait(job.replay.id, waits);
        if !job.replay.phase.is_open() {
            tell("a replay has ended", &job.replay);
        }
        Ok(())
    }

    /// After a refusal somebody else has changed the job, or it is gone; after anything else it is tried again.
    async fn look_closer(&self, mut job: Job, error: StoreError) -> Option<Job> {
        job.next_at = later(self.clock.monotonic(), PAUSE_AFTER_FAILURE);
        let (id, workspace) = (job.replay.id, job.replay.workspace);
        if !matches!(error, StoreError::WrongState(_) | StoreError::Missing(_)) {
            tracing::error!(replay = id.to_public(), %error, "a replay could not go on, trying again");
            return Some(job);
        }
        match self.store.replay(workspace, id).await {
            Ok(found) => found.map(|replay| Job { replay, ..job }),
            Err(error) => {
                tracing::error!(replay = id.to_public(), %error, "a replay could not be read, trying again");
                Some(job)
            }
        }
    }

    pub(super) async fn end_replay(
        &self,
        replay: &Replay,
        reason: CancelReason,
    ) -> Result<Replay, StoreError> {
        let (change, by, at) = (Change::Ended(reason), Principal::Engine, self.clock.now());
        let params = ChangeReplay { workspace: replay.workspace, replay: replay.id, change, by, at };
        self.store.change_replay(params).await
    }
}

impl Job {
    const fn new(replay: Replay, now: Monotonic) -> Self {
        let pace = ReplayPace::new(replay.per_second, now);
        Self { replay, pace, next_at: now, waited: Duration::ZERO }
    }
}

fn tell(what: &str, replay: &Replay) {
    let (id, phase) = (replay.id.to_public(), replay.phase);
    let progress = replay.progress;
    let (planned, sent, passed_over) = (progress.planned, progress.sent, progress.passed_over);
    tracing::info!(replay = id, ?phase, planned, sent, passed_over, "{what}");
}

fn due_max(per_second: NonZeroU32) -> usize {
    usize::try_from(per_second.get()).unwrap_or(DUE_MAX).clamp(DUE_MIN, DUE_MAX)
}

const fn wait_max(waits: Waits) -> Duration {
    match waits {
        Waits::Busy => BUSY_WAIT_MAX,
        Waits::TargetOff => OFF_WAIT_MAX,
    }
}

fn until(later: Monotonic, now: Monotonic) -> Duration {
    Duration::from_micros(later.as_us().saturating_sub(now.as_us()))
}

fn later(now: Monotonic, wait: Duration) -> Monotonic {
    Monotonic::from_us(now.as_us().saturating_add(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalpost_core::limits::{LANE_IN_FLIGHT_MAX, LANE_MEMORY_DELIVERIES_MAX, REPLAY_PER_SECOND_MAX};

    const _: () = assert!(DUE_MAX <= LANE_MEMORY_DELIVERIES_MAX / 2 && DUE_MAX >= 2 * LANE_IN_FLIGHT_MAX);

    #[test]
    fn about_a_second_of_the_rate_may_be_due() {
        let due_max = |per_second| due_max(NonZeroU32::new(per_second).expect("not zero"));
        assert_eq!([1, 16, 100, REPLAY_PER_SECOND_MAX].map(due_max), [16, 16, 100, 512]);
    }
}
