//! Calls of the API: made within a process that serves, whichever takes them.

use std::future::Future;
use std::sync::Arc;

use futures_channel::oneshot;
use signalpost_core::lane_group::LaneGroup;
use signalpost_engine::Engine;

use super::{Duty, KNOCK_MS, Processes, Running};
use crate::executor::Group;

impl Processes {
    /// Makes a call of the engine within a process that serves, once one does. `None` when the process ended before it
    /// answered: the caller cannot know what came of it.
    pub(crate) async fn call<T, F>(&self, verb: impl FnOnce(Arc<Engine>) -> F) -> Option<T>
    where
        T: 'static,
        F: Future<Output = T> + 'static,
    {
        let running = loop {
            if let Some(running) = self.serving() {
                break running;
            }
            self.ground.sleep_ms(KNOCK_MS).await;
        };
        self.within(running.number, verb(running.engine)).await
    }

    /// The same within this very process.
    pub(crate) async fn call_of<T, F>(&self, process: u32, verb: impl FnOnce(Arc<Engine>) -> F) -> Option<T>
    where
        T: 'static,
        F: Future<Output = T> + 'static,
    {
        let running = self.running.borrow().values().find(|running| running.number == process).cloned()?;
        self.within(process, verb(running.engine)).await
    }

    /// Processes that have started and not ended.
    pub(crate) fn living(&self) -> Vec<u32> {
        self.running.borrow().values().map(|running| running.number).collect()
    }

    /// The process that has a lane group, if it takes calls.
    pub(crate) fn owner(&self, group: LaneGroup) -> Option<u32> {
        let owner = self.nodes.as_ref()?.rows.owner(group, self.ground.clock.now_us())?;
        let running = self.running.borrow();
        let serves = |running: &&Running| running.number == owner && running.duty.get() == Duty::Serving;
        running.values().find(serves).map(|running| running.number)
    }

    fn serving(&self) -> Option<Running> {
        let running = self.running.borrow();
        let serving: Vec<&Running> =
            running.values().filter(|running| running.duty.get() == Duty::Serving).collect();
        match serving.as_slice() {
            [] => None,
            [one] => Some((*one).clone()),
            several => Some((*self.callers.borrow_mut().pick(several)).clone()),
        }
    }

    /// Runs work as a part of a process. `None` when the process ended first.
    pub(super) async fn within<T: 'static>(
        &self,
        process: u32,
        work: impl Future<Output = T> + 'static,
    ) -> Option<T> {
        if !self.living().contains(&process) {
            return None;
        }
        let (tell, told) = oneshot::channel();
        self.ground.spawn(Group(process), async move {
            // The caller waits as long as this task lives.
            drop(tell.send(work.await));
        });
        told.await.ok()
    }
}
