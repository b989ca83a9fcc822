//! When the store fails: the plan behind the fault wrapper, drawn from the seed and switched by the world.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use signalpost_store::testing::faulty::{Call, Fault};

use crate::chance::Chance;
use crate::ears::Commits;
use crate::tally::Tally;

/// Odds in thousandths.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TroubleOdds {
    /// A commit that stores nothing and says so.
    pub(crate) before_permille: u64,
    /// A commit that stores all and says that it did not.
    pub(crate) after_permille: u64,
    pub(crate) read_permille: u64,
    /// A commit that nobody is woken for.
    pub(crate) deaf_permille: u64,
    /// A bell between nodes that is lost.
    pub(crate) bells_lost_permille: u64,
}

/// Shared by all openings of one store.
pub(crate) struct Trouble {
    pub(crate) commits: Commits,
    tally: Arc<Tally>,
    state: Mutex<State>,
}

struct State {
    chance: Chance,
    /// Of wake-ups, apart from what befalls commits.
    ears: Chance,
    /// Of verbs by which nodes keep their leases.
    leases: Chance,
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
    /// The disk has room for outcomes and deletions, and for nothing new.
    DiskFull,
    /// The disk has no room for anything.
    NoRoom,
}

/// What a full disk refuses. The rest goes on from a reserve.
const GROWS: [&str; 18] = [
    "create_workspace",
    "create_webhook",
    "create_signing_key",
    "create_credential",
    "create_user",
    "grant_right",
    "create_operator_account",
    "create_operator_key",
    "next_number",
    "do_once",
    "accept",
    "accept_once",
    "requeue",
    "requeue_lost",
    "create_replay",
    "plan_replay",
    "step_replay",
    "add_figures",
];

const READS: [&str; 47] = [
    "workspace_by_public_id",
    "list_workspaces",
    "webhook",
    "list_webhooks",
    "lane",
    "fan_out",
    "due_lanes",
    "due_page",
    "unattempted",
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
    "operator_account",
    "list_operator_accounts",
    "operator_session_by_hash",
    "list_operator_sessions",
    "list_acts",
    "portal_session_by_hash",
    "figures",
    "top_failing",
    "done_before",
    "settle_changes",
    "usage",
    "storage",
    "cluster",
    "remembered_webhooks",
    "signing_key",
    "list_signing_keys",
    "credential_by_hash",
    "list_credentials",
    "list_rights",
    "user",
    "account",
    "session_by_hash",
    "key_check",
    "sealed_page",
    "replay",
    "list_replays",
    "busy_replays",
    "replay_sample",
];

impl Trouble {
    pub(crate) fn new(seed: u64, odds: TroubleOdds, tally: Arc<Tally>) -> Self {
        let state = State {
            chance: Chance::new(seed, "trouble"),
            ears: Chance::new(seed, "ears"),
            leases: Chance::new(seed, "lease verbs"),
            odds,
            outage: Outage::None,
            commit: Fault::Pass,
            failed_us: BTreeSet::new(),
            retention: Retention::Works,
        };
        Self { commits: Commits::default(), tally, state: Mutex::new(state) }
    }

    pub(crate) fn rest_retention(&self) {
        self.lock().retention = Retention::Rests;
    }

    pub(crate) fn retention(&self) -> Retention {
        self.lock().retention
    }

    pub(crate) fn set_outage(&self, outage: Outage) {
        self.lock().outage = outage;
        let kind = match outage {
            Outage::None => return,
            Outage::Writes => "out for writes",
            Outage::Everything => "out",
            Outage::DiskFull => "disk full",
            Outage::NoRoom => "no room for outcomes",
        };
        self.tally.count("store", kind);
    }

    pub(crate) fn heal(&self) {
        let mut state = self.lock();
        (state.odds, state.outage) = (TroubleOdds::default(), Outage::None);
    }

    /// Draws the fate of the commit whose operations are applied next: all of them share it.
    pub(crate) fn begin_commit(&self, now_us: u64) {
        let mut state = self.lock();
        let (TroubleOdds { before_permille, after_permille, .. }, outage) = (state.odds, state.outage);
        state.commit = match outage {
            Outage::Writes | Outage::Everything => Fault::Before,
            Outage::NoRoom => Fault::Full,
            Outage::None | Outage::DiskFull if state.chance.permille(before_permille) => Fault::Before,
            Outage::None | Outage::DiskFull if state.chance.permille(after_permille) => Fault::After,
            Outage::None | Outage::DiskFull => Fault::Pass,
        };
        match state.commit {
            Fault::Before => self.tally.count("store", "commit failed"),
            Fault::After => self.tally.count("store", "commit unheard"),
            _ => {}
        }
        if state.commit != Fault::Pass {
            state.failed_us.insert(now_us);
        }
    }

    /// The fate of a verb by which a node keeps its lease.
    pub(crate) fn judge_lease(&self) -> Fault {
        let mut state = self.lock();
        let TroubleOdds { before_permille, after_permille, .. } = state.odds;
        let is_out = matches!(state.outage, Outage::Writes | Outage::Everything | Outage::NoRoom);
        if is_out || state.leases.permille(before_permille) {
            Fault::Before
        } else if state.leases.permille(after_permille) {
            Fault::After
        } else {
            Fault::Pass
        }
    }

    pub(crate) fn bells_lost_permille(&self) -> u64 {
        self.lock().odds.bells_lost_permille
    }

    /// Notes that something keeps outcomes from the disk at this time that is no failure of the store.
    pub(crate) fn note_hindrance(&self, now_us: u64) {
        self.lock().failed_us.insert(now_us);
    }

    /// Whether no commit failed in this time.
    pub(crate) fn quiet_between(&self, from_us: u64, to_us: u64) -> bool {
        self.lock().failed_us.range(from_us..=to_us).next().is_none()
    }

    /// When no commit will have failed for this long, from a moment on.
    pub(crate) fn quiet_for_us(&self, from_us: u64, length_us: u64) -> u64 {
        let mut begins_us = from_us;
        for failed_us in self.lock().failed_us.range(from_us..) {
            if failed_us - begins_us > length_us {
                break;
            }
            begins_us = *failed_us;
        }
        begins_us + length_us
    }

    /// Whether what was just committed wakes nobody.
    pub(crate) fn loses_wake_up(&self) -> bool {
        let mut state = self.lock();
        let odds = state.odds.deaf_permille;
        let loses = state.ears.permille(odds);
        if loses {
            self.tally.count("store", "wake-up lost");
        }
        loses
    }

    /// The plan of the fault wrapper.
    pub(crate) fn judge(&self, call: Call) -> Fault {
        let mut state = self.lock();
        if !READS.contains(&call.verb) {
            let refused = state.outage == Outage::DiskFull && GROWS.contains(&call.verb);
            let fault = if refused { Fault::Full } else { state.commit };
            if fault == Fault::Full {
                self.tally.count("store", "write refused for want of room");
            }
            return fault;
        }
        let odds = state.odds.read_permille;
        if state.outage == Outage::Everything || state.chance.permille(odds) {
            self.tally.count("store", "read failed");
            Fault::Before
        } else {
            Fault::Pass
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while drawing")
    }
}

#[cfg(test)]
mod tests {
    use signalpost_store::testing::faulty::VERBS;

    use super::*;

    /// Verbs that store something, and nothing that a full disk has no room for.
    const GOES_ON: [&str; 28] = [
        "begin_act",
        "change_replay",
        "close",
        "close_workspace",
        "delete_operator_account",
        "delete_signing_key",
        "delete_webhook",
        "end_act",
        "end_operator_session",
        "end_portal_session",
        "end_portal_sessions",
        "erase_workspace",
        "finish",
        "open_operator_session",
        "open_portal_session",
        "open_session",
        "probe",
        "reseal",
        "retain",
        "revoke_credential",
        "revoke_operator_key",
        "revoke_right",
        "rotate_operator_key",
        "set_key_check",
        "update_operator_account",
        "update_webhook",
        "update_workspace",
        "upkeep",
    ];

    #[test]
    fn every_verb_reads_grows_or_goes_on() {
        let mut listed: Vec<&str> = [&READS[..], &GROWS, &GOES_ON].concat();
        let mut verbs: Vec<&str> = VERBS.concat();
        listed.sort_unstable();
        verbs.sort_unstable();
        assert_eq!(listed, verbs, "each verb stands in one of the lists");
    }

    #[test]
    fn trouble_excuses_for_as_long_as_it_lasts_and_a_while() {
        let trouble = Trouble::new(1, TroubleOdds::default(), Arc::default());
        trouble.set_outage(Outage::Writes);
        [100, 180, 400].into_iter().for_each(|now_us| trouble.begin_commit(now_us));
        let quiet = |from_us| trouble.quiet_for_us(from_us, 100);
        assert_eq!([0, 50, 100, 181, 350, 401].map(quiet), [280, 280, 280, 281, 500, 501]);
    }
}
