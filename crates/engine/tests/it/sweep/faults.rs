//! What fails in a play, counted from its beginning over all processes.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use signalpost_core::attempt::{Failure, Outcome};
use signalpost_store::testing::faulty::{Call, Fault, Lasting};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Nothing,
    Store(Lasting, Fault),
    /// The caller goes away while the store is at work.
    Leaves,
    /// The process ends while the store is at work.
    Dies,
    Transport(Lasting, Breakage),
}

/// How requests fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breakage {
    /// They are answered with 503.
    Busy,
    Refused,
    TimedOut,
}

impl Breakage {
    pub(super) const ALL: [Self; 3] = [Self::Busy, Self::Refused, Self::TimedOut];

    pub(super) const fn outcome(self) -> Outcome {
        match self {
            Self::Busy => Outcome::Status(503),
            Self::Refused => Outcome::Failed(Failure::Connect),
            Self::TimedOut => Outcome::Failed(Failure::Timeout),
        }
    }
}

/// What fails for good goes on failing until this many calls were refused.
const REFUSALS_MAX: u64 = 3;

#[derive(Debug)]
pub(super) struct Faults {
    trouble: Trouble,
    nth: u64,
    /// A request that fails beside it; zero for none.
    request: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: u64,
    requests: u64,
    injected: u64,
    refusals: u64,
    healed: bool,
    /// Set at the moment at which somebody leaves or dies.
    now: bool,
    struck: BTreeSet<&'static str>,
}

impl Faults {
    pub(super) fn none() -> Self {
        Self::nth(0, Trouble::Nothing)
    }

    /// Trouble at the `n`-th call of the store or the transport, counted from 1.
    pub(super) fn nth(n: u64, trouble: Trouble) -> Self {
        Self { trouble, nth: n, request: 0, state: Mutex::default() }
    }

    /// One call of the store and one request.
    pub(super) fn both(n: u64, request: u64) -> Self {
        Self { request, ..Self::nth(n, Trouble::Store(Lasting::Transient, Fault::Before)) }
    }

    /// The plan of the fault wrapper.
    pub(super) fn judge(&self, call: Call) -> Fault {
        let mut state = self.lock();
        state.calls += 1;
        let (at, from) = (state.calls == self.nth, state.calls >= self.nth);
        let fault = match self.trouble {
            Trouble::Store(Lasting::Transient, fault) if at => fault,
            Trouble::Store(Lasting::Persistent, fault) if from => fault,
            Trouble::Leaves | Trouble::Dies if at => {
                state.now = true;
                Fault::Late
            }
            _ => return Fault::Pass,
        };
        if state.healed {
            return Fault::Pass;
        }
        state.injected += 1;
        state.struck.insert(call.verb);
        fault
    }

    /// How the next request is to fail.
    pub(super) fn breaks_request(&self) -> Option<Breakage> {
        let mut state = self.lock();
        state.requests += 1;
        let (planned, breakage) = match self.trouble {
            Trouble::Transport(Lasting::Transient, breakage) => (state.requests == self.nth, breakage),
            Trouble::Transport(Lasting::Persistent, breakage) => (state.requests >= self.nth, breakage),
            _ => (state.requests == self.request, Breakage::Busy),
        };
        let fails = planned && !state.healed;
        state.injected += u64::from(fails);
        fails.then_some(breakage)
    }

    /// Nothing fails any more.
    pub(super) fn heal(&self) {
        // What comes at one call only may still come.
        if matches!(self.trouble, Trouble::Store(Lasting::Persistent, _) | Trouble::Transport(..)) {
            self.lock().healed = true;
        }
    }

    /// A caller was refused. Trouble that stays is over after some of that.
    pub(super) fn note_refusal(&self) {
        let refusals = {
            let mut state = self.lock();
            state.refusals += 1;
            state.refusals
        };
        if refusals >= REFUSALS_MAX {
            self.heal();
        }
    }

    pub(super) fn leaves_now(&self) -> bool {
        self.trouble == Trouble::Leaves && std::mem::take(&mut self.lock().now)
    }

    pub(super) fn dies_now(&self) -> bool {
        self.trouble == Trouble::Dies && self.lock().now
    }

    pub(super) fn has_died(&self) {
        self.lock().now = false;
    }

    /// Whether what was refused or cut off may have been done.
    pub(super) fn may_take_effect(&self) -> bool {
        !matches!(self.trouble, Trouble::Store(_, Fault::Before))
    }

    pub(super) fn injected(&self) -> u64 {
        self.lock().injected
    }

    pub(super) fn struck(&self) -> BTreeSet<&'static str> {
        self.lock().struck.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while counting")
    }
}
