//! Heavy work for tests: done at once, where it is handed in, and counted; or held back until the test says so.

use std::mem::take;
use std::sync::{Mutex, MutexGuard, PoisonError};

use signalpost_core::ports::{Asker, HeavyWork, TooMuchWork};

type Work = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub struct InPlace(Mutex<State>);

#[derive(Default)]
struct State {
    done: u64,
    refused: Vec<Asker>,
    holds: bool,
    held: Vec<Work>,
}

impl InPlace {
    /// Pieces of work that were done so far.
    pub fn done(&self) -> u64 {
        self.lock().done
    }

    /// Takes nothing any more from these, as if too much waited.
    pub fn refuse(&self, askers: &[Asker]) {
        self.lock().refused = askers.to_vec();
    }

    /// Takes work, and does none of it before [`Self::release`].
    pub fn hold(&self) {
        self.lock().holds = true;
    }

    /// Pieces of work that were taken and wait.
    pub fn held(&self) -> usize {
        self.lock().held.len()
    }

    /// Does what was held back, and from now on everything at once.
    pub fn release(&self) {
        let mut state = self.lock();
        state.holds = false;
        let held = take(&mut state.held);
        drop(state);
        for work in held {
            self.do_it(work);
        }
    }

    fn do_it(&self, work: Work) {
        work();
        self.lock().done += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeavyWork for InPlace {
    fn take(&self, asker: Asker, work: Work) -> Result<(), TooMuchWork> {
        let mut state = self.lock();
        if state.refused.contains(&asker) {
            return Err(TooMuchWork);
        }
        if state.holds {
            state.held.push(work);
            return Ok(());
        }
        drop(state);
        self.do_it(work);
        Ok(())
    }
}
