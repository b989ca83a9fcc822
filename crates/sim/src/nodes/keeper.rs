//! What a process does from time to time to have lane groups: it renews its lease, loses what is another's by now, and takes and
//! gives what an even division asks of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use signalpost_core::lane_group::LaneGroup;
use signalpost_core::lane_share::{Share, View, share};
use signalpost_core::ports::Clock;
use signalpost_core::time::Monotonic;
use signalpost_store::Ownership;
use signalpost_store::testing::faulty::Fault;

use super::rows::{Rows, Seen, Token};
use super::{GIVE_WAIT, HowLeft, LEASE, Line, MARGIN, NodeClock, TICK, us};
use crate::chance::SharedChance;
use crate::ground::{Ground, Moment};
use crate::store::split;
use crate::trouble::Trouble;

/// How a process keeps its place; all but the first are mistakes, planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Right,
    /// It relies on its lease for ages.
    TrustsForAges,
    GivesBusy,
    GivesNothing,
}

const AGES_US: u64 = 3_600_000_000;

pub(crate) struct Keeper {
    pub(crate) process: u32,
    pub(crate) ground: Rc<Ground>,
    pub(crate) clock: NodeClock,
    pub(crate) rows: Arc<Rows>,
    pub(crate) line: Arc<Line>,
    pub(crate) trouble: Arc<Trouble>,
    pub(crate) chance: Arc<SharedChance>,
    /// Longest time of a verb.
    pub(crate) verb_us_max: u64,
    pub(crate) manner: Manner,
    pub(crate) ownership: Arc<Ownership>,
    pub(crate) place: Place,
}

/// Where a process stands among the nodes.
#[derive(Default)]
pub(crate) struct Place {
    token: Cell<Option<Token>>,
    /// Groups that are to be given up, and since when.
    giving: RefCell<BTreeMap<LaneGroup, u64>>,
    parting: Cell<Parting>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Parting {
    #[default]
    No,
    /// It stops, and takes nothing more.
    Soon,
}

impl Keeper {
    /// Never returns; runs with the process and dies with it.
    pub(crate) async fn keep(self: Rc<Self>) {
        loop {
            self.look().await;
            self.ground.sleep_us(us(TICK)).await;
        }
    }

    /// Takes nothing more; what it has stays its own until [`Self::part`].
    pub(crate) fn prepare_to_part(&self) {
        self.place.parting.set(Parting::Soon);
    }

    /// Gives everything up when nothing of the process runs any more. Its lease has to run out when the store cannot be reached.
    pub(crate) async fn part(&self) {
        let Some(token) = self.place.token.take() else { return };
        self.verb(|rows| rows.part(token, self.note(format_args!("gives up all groups")))).await;
    }

    async fn look(&self) {
        let asked = self.clock.monotonic();
        let Some(token) = self.place.token.get() else {
            if self.place.parting.get() == Parting::No {
                self.join().await;
            }
            return;
        };
        let renewed = self.verb(|rows| rows.renew(token, self.moment())).await;
        match renewed {
            // Neither renewed nor refused: what is known stays true for as long as it may be relied on.
            None => {}
            Some(None) => self.lose_all(),
            Some(Some(seen)) => self.follow(token, &seen, asked).await,
        }
    }

    async fn join(&self) {
        let asked = self.clock.monotonic();
        let joined = self.verb(|rows| rows.join(self.process, self.note(format_args!("joins")))).await;
        if joined.is_some() {
            self.place.token.set(joined);
            self.rely(asked);
        }
    }

    async fn follow(&self, token: Token, seen: &Seen, asked: Monotonic) {
        let lapsed = !self.ownership.is_trusted(self.clock.monotonic());
        let lost = self.lose_others(seen);
        self.rely(asked);
        if lapsed || lost {
            self.ownership.tell();
        }
        if self.place.parting.get() == Parting::Soon {
            return;
        }
        let Share { take, give } = share(View { me: seen.me, living: &seen.living, owners: &seen.owners });
        self.change_minds(seen, if self.manner == Manner::GivesNothing { &[] } else { &give });
        self.give_idle(token).await;
        if take.is_empty() {
            return;
        }
        let take_them = |rows: &Rows| {
            let taken = rows.take(token, &take, self.moment());
            let numbers: Vec<usize> = taken.iter().map(|(group, _)| group.number()).collect();
            self.note(format_args!("takes groups {numbers:?}"));
            taken
        };
        let taken = self.verb(take_them).await.unwrap_or_default();
        if !taken.is_empty() {
            taken.into_iter().for_each(|(group, epoch)| self.ownership.take(group, epoch));
            self.ownership.tell();
        }
    }

    /// The lease lives no shorter than from when it was asked for.
    fn rely(&self, asked: Monotonic) {
        let for_us = if self.manner == Manner::TrustsForAges { AGES_US } else { us(LEASE - MARGIN) };
        self.ownership.trust_until(Monotonic::from_us(asked.as_us() + for_us));
    }

    /// Loses what is not its own by the rows. Returns whether there was any.
    fn lose_others(&self, seen: &Seen) -> bool {
        let is_lost = |group: &LaneGroup| !seen.mine.iter().any(|(mine, _)| mine == group);
        let lost: Vec<LaneGroup> = self.ownership.groups().map(|(group, _)| group).filter(is_lost).collect();
        lost.iter().for_each(|group| self.ownership.lose(*group));
        self.place.giving.borrow_mut().retain(|group, _| !is_lost(group));
        !lost.is_empty()
    }

    fn lose_all(&self) {
        self.note(format_args!("has lost its place among the nodes"));
        self.ground.tally.count("lease", "place lost");
        self.place.token.set(None);
        self.place.giving.borrow_mut().clear();
        LaneGroup::all().for_each(|group| self.ownership.lose(group));
        self.ownership.tell();
    }

    /// Begins to give up what somebody else lacks, and has again what is wanted back; an answer that was lost may have left
    /// groups that are its own by the rows alone, too.
    fn change_minds(&self, seen: &Seen, give: &[LaneGroup]) {
        let mut giving = self.place.giving.borrow_mut();
        let now_us = self.ground.clock.now_us();
        let mut changed = false;
        for (group, epoch) in &seen.mine {
            if give.contains(group) {
                if let Entry::Vacant(begun) = giving.entry(*group) {
                    begun.insert(now_us);
                    self.ownership.lose(*group);
                    changed = true;
                }
            } else if self.ownership.epoch_of(*group) != Some(*epoch) {
                giving.remove(group);
                self.ownership.take(*group, *epoch);
                changed = true;
            }
        }
        drop(giving);
        if changed {
            self.ownership.tell();
        }
    }

    /// Gives up those of which nothing is under way any more, or has been for too long.
    async fn give_idle(&self, token: Token) {
        let now_us = self.ground.clock.now_us();
        let giving: Vec<(LaneGroup, u64)> =
            self.place.giving.borrow().iter().map(|(group, since_us)| (*group, *since_us)).collect();
        let mut ready = Vec::new();
        for (group, since_us) in giving {
            // At a later look, so that whatever was begun while it was lost is counted.
            let waited_us = now_us - since_us;
            let is_idle = waited_us > 0 && self.ownership.is_idle(group);
            if is_idle || self.manner == Manner::GivesBusy {
                ready.push((group, HowLeft::Idle));
            } else if waited_us >= us(GIVE_WAIT) {
                ready.push((group, HowLeft::Busy));
            }
        }
        if ready.is_empty() {
            return;
        }
        let give_them = |rows: &Rows| {
            let numbers: Vec<usize> = ready.iter().map(|(group, _)| group.number()).collect();
            let at = self.note(format_args!("gives up groups {numbers:?}"));
            ready.iter().for_each(|(group, how)| rows.give(token, *group, at, *how));
        };
        if self.verb(give_them).await.is_some() {
            let mut giving = self.place.giving.borrow_mut();
            ready.iter().for_each(|(group, _)| {
                giving.remove(group);
            });
        }
    }

    /// One verb of the store, which takes time and may fail, before or after it was carried out.
    async fn verb<T>(&self, verb: impl FnOnce(&Rows) -> T) -> Option<T> {
        let (going_us, coming_us) = split(&self.chance, self.verb_us_max);
        self.ground.sleep_us(going_us).await;
        let fault = if self.line.is_cut() { Fault::Before } else { self.trouble.judge_lease() };
        let answer = (fault != Fault::Before).then(|| verb(&self.rows));
        self.ground.sleep_us(coming_us).await;
        answer.filter(|_| fault == Fault::Pass && !self.line.is_cut())
    }

    fn note(&self, what: fmt::Arguments<'_>) -> Moment {
        self.ground.note(format_args!("p{} {what}", self.process))
    }

    fn moment(&self) -> Moment {
        self.ground.moment()
    }
}
