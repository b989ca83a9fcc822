//! The loop of replays: plans what was asked for, and owes what is planned, each at its own rate.
//!
//! One call of the store at a time for all jobs together: its readers serve everybody. What a step did is on disk when it
//! answers, with how far the job has come, so that the loop may end anywhere and go on there.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use futures_util::{FutureExt, select_biased};
use signalpost_core::id::{ReplayId, WebhookId};
use signalpost_core::lane_group::LaneGroup;
use signalpost_core::principal::Principal;
use signalpost_core::replay::{CancelReason, Phase, Replay};
use signalpost_core::time::Monotonic;
use signalpost_store::StoreError;
use signalpost_store::replays::{BusyReplays, Change, ChangeReplay, StepReplay, Stepped, Waits};

use super::pace::{ReplayPace, SAVED_MAX};
use crate::Engine;

/// Between two steps of a job, unless it is so slow that it has nothing to send by then. Whoever publishes waits for the commit of a
/// step, and for the attempts that begin with it: many little ones are felt less than a few large ones.
const TICK: Duration = Duration::from_millis(2);
/// The shortest pause of a job whose target has not taken all: to count what is due there may take longer than to send a little more.
const WAIT_MIN: Duration = Duration::from_millis(10);
/// The longest pause of a job whose target has no room: what it could send meanwhile is saved up, so that none of its rate is
/// lost to the pause.
const BUSY_WAIT_MAX: Duration = SAVED_MAX;
/// The longest pause of a job whose target is off: a person, or a probe, is to switch it on.
const OFF_WAIT_MAX: Duration = Duration::from_secs(10);
/// Pause of a job after the store has failed, and of the loop when it could not say what there is to do.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Between looks at what there is to do when nobody rings.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);
/// Looking at the past rests so many times as long as a look took, whichever job it was for, so that others find the store's
/// readers free.
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

/// What the loop works on.
struct Jobs {
    jobs: BTreeMap<ReplayId, Job>,
    /// The past is not looked at before, for any of them.
    look_at: Monotonic,
}

impl Engine {
    /// Works on all replays, now and whenever there are some. Never returns; run it once per process, beside the cores.
    pub async fn watch_replays(&self) {
        let mut jobs = Jobs { jobs: BTreeMap::new(), look_at: self.clock.monotonic() };
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
            // Each job is worked on by whoever delivers to its target: there its rate is kept.
            busy.extend(page.into_iter().filter(|replay| self.delivers_to(replay.target)));
        }
        let now = self.clock.monotonic();
        let mut known = std::mem::take(&mut jobs.jobs);
        for replay in busy {
            let job = match known.remove(&replay.id) {
                Some(job) if job.replay.phase == replay.phase => Job { replay, ..job },
                _ => Job::new(replay, now),
            };
            jobs.jobs.insert(job.replay.id, job);
        }
        known.into_keys().for_each(|gone| self.replay_desk.no_wait(gone));
        self.metrics.replays_busy.set(u64::try_from(jobs.jobs.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn delivers_to(&self, webhook: WebhookId) -> bool {
        self.ownership.epoch_of(LaneGroup::of(webhook)).is_some()
            && self.ownership.is_trusted(self.clock.monotonic())
    }

    /// One step of each job whose time has come, and then one look at the past at most. How long until the next.
    async fn work_on(&self, jobs: &mut Jobs) -> Duration {
        for id in jobs.due(self.clock.monotonic()) {
            let Some(mut job) = jobs.jobs.remove(&id) else { continue };
            if !self.delivers_to(job.replay.target) {
                self.replay_desk.no_wait(id);
                continue;
            }
            let began = self.clock.monotonic();
            let is_look = job.is_planning();
            let kept = match self.advance(&mut job).await {
                Ok(()) => Some(job),
                Err(error) => self.look_closer(job, error).await,
            };
            if is_look {
                let now = self.clock.monotonic();
                jobs.look_at = later(now, (until(now, began) * REST_FACTOR).max(REST_MIN));
            }
            match kept.filter(|job| job.replay.phase.is_busy()) {
                Some(job) => drop(jobs.jobs.insert(id, job)),
                None => self.replay_desk.no_wait(id),
            }
        }
        self.metrics.replays_busy.set(u64::try_from(jobs.jobs.len()).unwrap_or(u64::MAX));
        jobs.wait(self.clock.monotonic()).min(LOOK_INTERVAL)
    }

    async fn advance(&self, job: &mut Job) -> Result<(), StoreError> {
        match job.replay.phase {
            Phase::Planning => self.plan_job(job).await,
            Phase::Running => self.step_job(job).await,
            Phase::Planned | Phase::Paused | Phase::Done | Phase::Cancelled(_) => Ok(()),
        }
    }

    async fn plan_job(&self, job: &mut Job) -> Result<(), StoreError> {
        job.replay = self.plan_more(&job.replay).await?;
        let now = self.clock.monotonic();
        // Behind the others that are being planned.
        job.next_at = now;
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
        job.waited = pause_for(waits, taken, job.waited);
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

    fn is_planning(&self) -> bool {
        self.replay.phase == Phase::Planning
    }
}

impl Jobs {
    /// Whose time has come: those that send, and last, when the past may be looked at, the one that has waited longest for it.
    fn due(&self, now: Monotonic) -> Vec<ReplayId> {
        let due = || self.jobs.iter().filter(|(_, job)| job.next_at <= now);
        let planning = due().filter(|(_, job)| job.is_planning()).min_by_key(|(_, job)| job.next_at);
        let planning = planning.filter(|_| self.look_at <= now);
        let others = due().filter(|(_, job)| !job.is_planning());
        others.chain(planning).map(|(id, _)| *id).collect()
    }

    /// Until the next of them has something to do.
    fn wait(&self, now: Monotonic) -> Duration {
        let next = self.jobs.values().map(|job| match job.is_planning() {
            true => job.next_at.max(self.look_at),
            false => job.next_at,
        });
        next.min().map_or(LOOK_INTERVAL, |at| until(at, now))
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

/// The pause because of what the target has not taken, which was `waited` the last time.
fn pause_for(waits: Option<Waits>, taken: u64, waited: Duration) -> Duration {
    match waits {
        Some(waits) if taken == 0 => (waited * 2).clamp(WAIT_MIN, wait_max(waits)),
        Some(_) => WAIT_MIN,
        None => Duration::ZERO,
    }
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
    use signalpost_core::id::{WebhookId, WorkspaceId};
    use signalpost_core::limits::{LANE_IN_FLIGHT_MAX, LANE_MEMORY_DELIVERIES_MAX, REPLAY_PER_SECOND_MAX};
    use signalpost_store::testing::sample;

    const _: () = assert!(DUE_MAX <= LANE_MEMORY_DELIVERIES_MAX / 2 && DUE_MAX >= 2 * LANE_IN_FLIGHT_MAX);

    #[test]
    fn the_past_is_looked_at_for_one_at_a_time_after_those_that_send() {
        let (now, rested) = (Monotonic::from_us(1_000), Monotonic::from_us(5_000));
        let job = |raw, phase, next_at| {
            let made = sample::replay(WorkspaceId::from_raw(1), raw, WebhookId::from_raw(2));
            let replay = Replay { phase, ..made };
            (replay.id, Job { next_at: Monotonic::from_us(next_at), ..Job::new(replay, now) })
        };
        let jobs = BTreeMap::from([
            job(31, Phase::Planning, 900),
            job(32, Phase::Planning, 800),
            job(33, Phase::Running, 1_000),
            job(34, Phase::Running, 3_000),
        ]);
        let mut jobs = Jobs { jobs, look_at: now };
        assert_eq!(jobs.due(now), [33, 32].map(ReplayId::from_raw));
        jobs.look_at = rested;
        assert_eq!(jobs.due(now), [33].map(ReplayId::from_raw), "a look for any of them rests for all");
        jobs.jobs.remove(&ReplayId::from_raw(33));
        assert_eq!(jobs.wait(now), Duration::from_millis(2), "until 34 sends");
        jobs.jobs.remove(&ReplayId::from_raw(34));
        assert_eq!(jobs.wait(now), Duration::from_millis(4), "until the rest is over");
    }

    #[test]
    fn a_job_rests_the_longer_the_less_its_target_takes() {
        assert_eq!(pause_for(None, 4, BUSY_WAIT_MAX), Duration::ZERO, "all of it was taken");
        assert_eq!(pause_for(Some(Waits::Busy), 3, BUSY_WAIT_MAX), WAIT_MIN, "a part of it");
        let mut waited = Duration::ZERO;
        let mut pauses = Vec::new();
        while waited < BUSY_WAIT_MAX {
            waited = pause_for(Some(Waits::Busy), 0, waited);
            pauses.push(waited.as_millis());
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 400]);
        assert_eq!(pause_for(Some(Waits::Busy), 0, waited), BUSY_WAIT_MAX);
        assert_eq!(pause_for(Some(Waits::TargetOff), 0, waited), 2 * BUSY_WAIT_MAX);
    }

    #[test]
    fn about_a_second_of_the_rate_may_be_due() {
        let due_max = |per_second| due_max(NonZeroU32::new(per_second).expect("not zero"));
        assert_eq!([1, 16, 100, REPLAY_PER_SECOND_MAX].map(due_max), [16, 16, 100, 512]);
    }
}
