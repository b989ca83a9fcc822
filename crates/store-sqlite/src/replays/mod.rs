//! The verbs of replays. They come with the next commits.

use signalpost_core::id::{EventId, ReplayId, WorkspaceId};
use signalpost_core::replay::Replay;
use signalpost_store::replays::{BusyReplays, ChangeReplay, ListReplays, PlanReplay, StepReplay, Stepped};
use signalpost_store::{Answer, Replays, StoreError};

use crate::store::SqliteStore;

fn later<T: Send + 'static>() -> Answer<T> {
    let none = StoreError::Unavailable("this store keeps no replays yet".to_owned());
    Box::pin(std::future::ready(Err(none)))
}

impl Replays for SqliteStore {
    fn create_replay(&self, _: Replay) -> Answer<()> {
        later()
    }
    fn replay(&self, _: WorkspaceId, _: ReplayId) -> Answer<Option<Replay>> {
        later()
    }
    fn list_replays(&self, _: ListReplays) -> Answer<Vec<Replay>> {
        later()
    }
    fn busy_replays(&self, _: BusyReplays) -> Answer<Vec<Replay>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
    fn replay_sample(&self, _: WorkspaceId, _: ReplayId, _: usize) -> Answer<Vec<EventId>> {
        later()
    }
    fn plan_replay(&self, _: PlanReplay) -> Answer<Replay> {
        later()
    }
    fn step_replay(&self, _: StepReplay) -> Answer<Stepped> {
        later()
    }
    fn change_replay(&self, _: ChangeReplay) -> Answer<Replay> {
        later()
    }
}
