//! A listener that writes down what it is told.

use std::sync::{Arc, Mutex};

use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::WorkspaceId;

use crate::Store;
use crate::ledger::{CommitListener, Stored};

#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    Accepted(Vec<Arc<Event>>),
    Requeued(Due, WorkspaceId),
    Released(Due),
}

#[derive(Default)]
pub struct Notes(Mutex<Vec<Told>>);

impl Notes {
    /// Listens to a store from here on.
    pub fn on(store: &dyn Store) -> Arc<Self> {
        let notes = Arc::new(Self::default());
        store.listen(Arc::clone(&notes) as Arc<dyn CommitListener>);
        notes
    }

    /// What was told since the last time.
    pub fn take(&self) -> Vec<Told> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics while writing"))
    }

    fn write(&self, told: Told) {
        self.0.lock().expect("nobody panics while writing").push(told);
    }
}

impl CommitListener for Notes {
    fn accepted(&self, events: Vec<Stored>) {
        self.write(Told::Accepted(events.into_iter().map(|stored| stored.event).collect()));
    }

    fn requeued(&self, due: Vec<Due>, workspace: WorkspaceId) {
        due.into_iter().for_each(|due| self.write(Told::Requeued(due, workspace)));
    }

    fn released(&self, due: Due) {
        self.write(Told::Released(due));
    }
}
