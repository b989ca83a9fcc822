//! When the store fails: the plan behind the fault wrapper, drawn from the seed and switched by the world.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use signalpost_store::testing::faulty::{Call, Fault};

use crate::chance::Chance;

/// Odds in thousandths.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TroubleOdds {
    /// A commit that stores nothing and says so.
    pub(crate) before_permille: u64,
    /// A commit that stores all and says that it did not.
    pub(crate) after_permille: u64,
    pub(crate) read_permille: u64,
}

/// Shared by all openings of one store.
pub(crate) struct Trouble(Mutex<State>);

struct State {
    chance: Chance,
    odds: TroubleOdds,
    outage: Outage,
    /// What happens to the commit that is being applied.
    commit: Fault,
    /// When commits failed, in virtual microseconds.
    failed_us: BTreeSet<u64>,
    retention: Retention,
}

/// Whether retention removes anything: it rests while the lists are taken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retention {
    Works,
    Rests,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    None,
    /// Nothing can be stored; reading works.
    Writes,
    Everything,
}

const READS: [&str; 21] = [
    "workspace_by_public_id",
    "list_workspaces",
    "webhook",
    "list_webhooks",
    "lane",
    "fan_out",
    "due_lanes",
    "due_page",
    "events_by_id",
    "event",
    "list_events",
    "feed",
    "list_deliveries",
    "delivery",
    "owner_of",
    "operator_key_by_hash",
    "operator_key",
    "list_operator_keys",
    "done_before",
    "usage",
    "storage",
];

impl Trouble {
    pub(crate) fn new(seed: u64, odds: TroubleOdds) -> Self {
        let chance = Chance::new(seed, "trouble");
        let (outage, retention) = (Outage::None, Retention::Works);
        let failed_us = BTreeSet::new();
        Self(Mutex::new(State { chance, odds, outage, commit: Fault::Pass, failed_us, retention }))
    }

    pub(crate) fn rest_retention(&self) {
        self.lock().retention = Retention::Rests;
    }

    pub(crate) fn retention(&self) -> Retention {
        self.lock().retention
    }

    pub(crate) fn set_outage(&self, outage: Outage) {
        self.lock().outage = outage;
    }

    pub(crate) fn heal(&self) {
        let mut state = self.lock();
        (state.odds, state.outage) = (TroubleOdds::default(), Outage::None);
    }

    /// Draws the fate of the commit whose operations are applied next: all of them share it.
    pub(crate) fn begin_commit(&self, now_us: u64) {
        let mut state = self.lock();
        let TroubleOdds { before_permille, after_permille, .. } = state.odds;
        state.commit = if state.outage != Outage::None || state.chance.permille(before_permille) {
            Fault::Before
        } else if state.chance.permille(after_permille) {
            Fault::After
        } else {
            Fault::Pass
        };
        if state.commit != Fault::Pass {
            state.failed_us.insert(now_us);
        }
    }

    /// Whether no commit failed in this time.
    pub(crate) fn quiet_between(&self, from_us: u64, to_us: u64) -> bool {
        self.lock().failed_us.range(from_us..=to_us).next().is_none()
    }

    /// The plan of the fault wrapper.
    pub(crate) fn judge(&self, call: Call) -> Fault {
        let mut state = self.lock();
        if !READS.contains(&call.verb) {
            return state.commit;
        }
        let odds = state.odds.read_permille;
        if state.outage == Outage::Everything || state.chance.permille(odds) {
            Fault::Before
        } else {
            Fault::Pass
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics while drawing")
    }
}
