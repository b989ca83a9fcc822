//! Whose turn it is on a core: fair by construction, first among workspaces, then among the lanes of one.
//!
//! What a workspace may hold at once is a dynamic threshold (A. K. Choudhury, E. L. Hahne, Dynamic queue length thresholds,
//! 1998): no more slots than are free, so that some are free for whoever comes next. First attempts and further ones are two
//! classes; the latter have a part of the slots and, where both wait, of the time.

mod fair;

use std::collections::BTreeSet;

use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::{AGAIN_CREDIT_US_MAX, AGAIN_PARTS};

use self::fair::FairQueue;
pub(crate) use self::fair::{Class, PerClass};
use crate::id_map::IdMap;

/// First attempts take so many times the worker time that further ones do.
const AGAIN_EARNED_BY: i64 = AGAIN_PARTS as i64 - 1;

/// The place of an attempt among those that a core makes at once. It goes back when the attempt has ended.
#[derive(Debug)]
#[must_use = "a slot that does not go back is lost"]
pub(crate) struct Slot {
    pub(crate) class: Class,
    workspace: WorkspaceId,
    webhook: WebhookId,
    expected_us: u64,
}

#[derive(Debug)]
pub(crate) struct Round {
    slots: usize,
    in_flight: PerClass<usize>,
    /// Worker time that further attempts may take although first ones wait.
    credit_us: i64,
    tenants: IdMap<WorkspaceId, Tenant>,
    /// Those of them that may start something.
    workspaces: FairQueue<WorkspaceId>,
    /// Those that want to and hold as many slots as they may, by how many.
    crowded: BTreeSet<(usize, WorkspaceId)>,
}

#[derive(Debug, Default)]
struct Tenant {
    lanes: FairQueue<WebhookId>,
    in_flight: usize,
    /// Its key among those that are crowded.
    crowded_at: Option<usize>,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) workspace: WorkspaceId,
    pub(crate) webhook: WebhookId,
    pub(crate) class: Class,
}

impl Round {
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            slots,
            in_flight: PerClass::default(),
            credit_us: 0,
            tenants: IdMap::default(),
            workspaces: FairQueue::default(),
            crowded: BTreeSet::new(),
        }
    }

    /// Slots that are taken.
    pub(crate) const fn in_flight(&self) -> usize {
        self.in_flight.first + self.in_flight.again
    }

    const fn free(&self) -> usize {
        self.slots - self.in_flight()
    }

    /// Takes note of what a lane can start.
    pub(crate) fn stand(&mut self, workspace: WorkspaceId, webhook: WebhookId, wants: PerClass<bool>) {
        self.tenants.entry(workspace).or_default().lanes.stand(webhook, wants);
        self.place(workspace);
    }

    /// Forgets a lane that has nothing in flight, and what it has used.
    pub(crate) fn leave(&mut self, workspace: WorkspaceId, webhook: WebhookId) {
        let Some(tenant) = self.tenants.get_mut(&workspace) else { return };
        tenant.lanes.leave(webhook);
        let is_gone = tenant.lanes.is_empty();
        self.place(workspace);
        if is_gone {
            self.tenants.remove(&workspace);
            self.workspaces.leave(workspace);
        }
    }

    /// Whose turn it is; `None` while nobody may start anything.
    pub(crate) fn turn(&mut self) -> Option<Turn> {
        loop {
            self.admit_crowded();
            let class = self.class()?;
            let workspace = self.workspaces.first(class)?;
            let tenant = &self.tenants[&workspace];
            if tenant.in_flight < self.free() {
                let webhook = tenant.lanes.first(class).expect("a lane of it wants this");
                return Some(Turn { workspace, webhook, class });
            }
            // Slots have become fewer since it was let in.
            self.place(workspace);
        }
    }

    /// Takes the slot of a turn, for which so much worker time is expected.
    pub(crate) fn take(&mut self, turn: Turn, expected_us: u64) -> Slot {
        let Turn { workspace, webhook, class } = turn;
        self.settle_classes(class, expected_us);
        *self.in_flight.of_mut(class) += 1;
        self.workspaces.serve(workspace, expected_us);
        let tenant = self.tenants.get_mut(&workspace).expect("whose turn it is is known");
        tenant.in_flight += 1;
        tenant.lanes.serve(webhook, expected_us);
        Slot { class, workspace, webhook, expected_us }
    }

    /// Takes a slot back that was in use for so long.
    pub(crate) fn give_back(&mut self, slot: Slot, used_us: u64) {
        let Slot { class, workspace, webhook, expected_us } = slot;
        *self.in_flight.of_mut(class) -= 1;
        self.workspaces.correct(workspace, expected_us, used_us);
        let tenant = self.tenants.get_mut(&workspace).expect("it has something in flight");
        tenant.in_flight -= 1;
        tenant.lanes.correct(webhook, expected_us, used_us);
        self.place(workspace);
    }

    /// The class whose turn it is: further attempts, where first ones wait too, as far as their credit goes.
    fn class(&self) -> Option<Class> {
        let wants = self.workspaces.wants();
        let again = wants.again && self.in_flight.again < self.slots / AGAIN_PARTS;
        match (wants.first, again) {
            (true, true) if self.credit_us > 0 => Some(Class::Again),
            (true, _) => Some(Class::First),
            (false, true) => Some(Class::Again),
            (false, false) => None,
        }
    }

    /// Where both classes wait, first attempts earn the others their part, and those spend it.
    fn settle_classes(&mut self, class: Class, expected_us: u64) {
        let expected_us = i64::try_from(expected_us).unwrap_or(i64::MAX);
        let wants = self.workspaces.wants();
        if wants.first && wants.again {
            self.credit_us = match class {
                Class::First => (self.credit_us + expected_us / AGAIN_EARNED_BY).min(AGAIN_CREDIT_US_MAX),
                Class::Again => self.credit_us - expected_us,
            };
        }
    }

    /// Lets those in again that hold fewer slots than are free by now.
    fn admit_crowded(&mut self) {
        let free = self.free();
        while let Some((_, workspace)) = self.crowded.first().copied().filter(|(held, _)| *held < free) {
            self.place(workspace);
        }
    }

    /// Keeps a workspace's place in step with what its lanes want and with the slots that it holds.
    fn place(&mut self, workspace: WorkspaceId) {
        let free = self.free();
        let tenant = self.tenants.get_mut(&workspace).expect("only what is known is placed");
        let wants = tenant.lanes.wants();
        let is_crowded = wants != PerClass::NONE && tenant.in_flight >= free;
        let crowded_at = is_crowded.then_some(tenant.in_flight);
        if tenant.crowded_at != crowded_at {
            let before = std::mem::replace(&mut tenant.crowded_at, crowded_at);
            before.map(|held| self.crowded.remove(&(held, workspace)));
            crowded_at.map(|held| self.crowded.insert((held, workspace)));
        }
        self.workspaces.stand(workspace, if is_crowded { PerClass::NONE } else { wants });
    }
}

#[cfg(test)]
mod tests;
