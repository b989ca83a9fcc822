//! Whose turn it is on a core: fair by construction, first among workspaces, then among the lanes of one.
//!
//! What a workspace may hold at once is a dynamic threshold (A. K. Choudhury, E. L. Hahne, Dynamic queue length thresholds,
//! 1998): no more slots than are free. The same holds inside two pools that are parts of the core: further attempts to
//! receivers that fail, and attempts to receivers that take long, so that neither can take what all others live on.

mod fair;

use std::collections::BTreeSet;

use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::{AGAIN_CREDIT_US_MAX, AGAIN_PARTS, SLOW_PARTS};

use self::fair::FairQueue;
pub(crate) use self::fair::{Class, PerClass};
use crate::id_map::IdMap;

/// Others take so many times the worker time that further attempts do.
const AGAIN_EARNED_BY: i64 = AGAIN_PARTS as i64 - 1;

/// The place of an attempt among those that a core makes at once. It goes back when the attempt has ended.
#[derive(Debug)]
#[must_use = "a slot that does not go back is lost"]
pub(crate) struct Slot {
    turn: Turn,
    expected_us: u64,
    /// Whether attempts of both classes that share by credit were waiting when it was taken.
    contested: Contested,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) workspace: WorkspaceId,
    pub(crate) webhook: WebhookId,
    pub(crate) class: Class,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contested {
    Yes,
    No,
}

#[derive(Debug)]
pub(crate) struct Round {
    slots: usize,
    in_flight: PerClass<usize>,
    /// Worker time that further attempts may take although others wait.
    credit_us: i64,
    tenants: IdMap<WorkspaceId, Tenant>,
    /// By what they may start.
    workspaces: FairQueue<WorkspaceId>,
    /// Those that hold as many slots as they may, by how many.
    crowded: BTreeSet<(usize, WorkspaceId)>,
    /// The same for what they hold of a class that has a pool.
    crowded_in: PerClass<BTreeSet<(usize, WorkspaceId)>>,
}

#[derive(Debug, Default)]
struct Tenant {
    lanes: FairQueue<WebhookId>,
    in_flight: PerClass<usize>,
    /// Its keys among those that are crowded.
    crowded: Option<usize>,
    crowded_in: PerClass<Option<usize>>,
}

impl PerClass<usize> {
    const fn sum(&self) -> usize {
        self.free + self.again + self.slow
    }
}

impl Round {
    pub(crate) fn new(slots: usize) -> Self {
        let crowded_in = PerClass { free: BTreeSet::new(), again: BTreeSet::new(), slow: BTreeSet::new() };
        Self {
            slots,
            in_flight: PerClass::default(),
            credit_us: 0,
            tenants: IdMap::default(),
            workspaces: FairQueue::default(),
            crowded: BTreeSet::new(),
            crowded_in,
        }
    }

    /// Slots that are taken.
    pub(crate) const fn in_flight(&self) -> usize {
        self.in_flight.sum()
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
        // Nobody is placed anew for a slot that is not there.
        while self.free() > 0 {
            self.admit_crowded();
            let (class, workspace) = self.next_workspace()?;
            let tenant = &self.tenants[&workspace];
            if self.may_hold_more(tenant, class) {
                let (_, webhook) = tenant.lanes.first(class).expect("a lane of it wants this");
                return Some(Turn { workspace, webhook, class });
            }
            // Slots have become fewer since it was let in.
            self.place(workspace);
        }
        None
    }

    /// Takes the slot of a turn, for which so much worker time is expected.
    pub(crate) fn take(&mut self, turn: Turn, expected_us: u64) -> Slot {
        let Turn { workspace, webhook, class } = turn;
        let wants = self.workspaces.wants();
        let contested =
            if wants.again && (wants.free || wants.slow) { Contested::Yes } else { Contested::No };
        let slot = Slot { turn, expected_us, contested };
        self.credit_us = (self.credit_us + slot.credit_us(expected_us)).min(AGAIN_CREDIT_US_MAX);
        *self.in_flight.of_mut(class) += 1;
        self.workspaces.serve(workspace, expected_us);
        let tenant = self.tenants.get_mut(&workspace).expect("whose turn it is is known");
        *tenant.in_flight.of_mut(class) += 1;
        tenant.lanes.serve(webhook, expected_us);
        slot
    }

    /// Takes a slot back that was in use for so long.
    pub(crate) fn give_back(&mut self, slot: Slot, used_us: u64) {
        let Turn { workspace, webhook, class } = slot.turn;
        let correction_us = slot.credit_us(used_us) - slot.credit_us(slot.expected_us);
        self.credit_us = (self.credit_us + correction_us).min(AGAIN_CREDIT_US_MAX);
        *self.in_flight.of_mut(class) -= 1;
        self.workspaces.correct(workspace, slot.expected_us, used_us);
        let tenant = self.tenants.get_mut(&workspace).expect("it has something in flight");
        *tenant.in_flight.of_mut(class) -= 1;
        tenant.lanes.correct(webhook, slot.expected_us, used_us);
        self.place(workspace);
    }

    /// Further attempts, where others wait too, go as far as their credit; between the others, whoever has used least, and
    /// inside one workspace the lane that has.
    fn next_workspace(&self) -> Option<(Class, WorkspaceId)> {
        let first = |class| {
            let (used_us, workspace) = self.workspaces.first(class)?;
            let of_lane = self.tenants[&workspace].lanes.first(class);
            Some(((used_us, workspace, of_lane), class))
        };
        let [free, again, slow] = Class::ALL.map(first);
        let others = [free, slow].into_iter().flatten().min_by_key(|(key, _)| *key);
        let again = again.filter(|_| others.is_none() || self.credit_us > 0);
        again.or(others).map(|((_, workspace, _), class)| (class, workspace))
    }

    /// Slots of the whole core that are free, and of those that a class may have.
    fn free(&self) -> usize {
        self.slots - self.in_flight()
    }

    fn free_in(&self, class: Class) -> usize {
        let part = match class {
            Class::Free => self.slots,
            Class::Again => self.slots / AGAIN_PARTS,
            Class::Slow => self.slots / SLOW_PARTS,
        };
        part - self.in_flight.of(class)
    }

    fn may_hold_more(&self, tenant: &Tenant, class: Class) -> bool {
        tenant.in_flight.sum() < self.free() && *tenant.in_flight.of(class) < self.free_in(class)
    }

    /// Lets those in again that hold fewer slots than are free by now.
    fn admit_crowded(&mut self) {
        let below = |crowded: &BTreeSet<(usize, WorkspaceId)>, free: usize| {
            crowded.first().copied().filter(|(held, _)| *held < free)
        };
        while let Some((_, workspace)) = below(&self.crowded, self.free()) {
            self.place(workspace);
        }
        for class in Class::ALL {
            while let Some((_, workspace)) = below(self.crowded_in.of(class), self.free_in(class)) {
                self.place(workspace);
            }
        }
    }

    /// Keeps a workspace's place in step with what its lanes want and with the slots that it holds.
    fn place(&mut self, workspace: WorkspaceId) {
        let free = self.free();
        let free_in = PerClass {
            free: self.free_in(Class::Free),
            again: self.free_in(Class::Again),
            slow: self.free_in(Class::Slow),
        };
        let tenant = self.tenants.get_mut(&workspace).expect("only what is known is placed");
        let mut wants = tenant.lanes.wants();
        let held = tenant.in_flight.sum();
        let crowded = (wants != PerClass::NONE && held >= free).then_some(held);
        move_in(&mut self.crowded, &mut tenant.crowded, crowded, workspace);
        for class in Class::ALL {
            let held = *tenant.in_flight.of(class);
            let crowded = (*wants.of(class) && held >= *free_in.of(class)).then_some(held);
            move_in(self.crowded_in.of_mut(class), tenant.crowded_in.of_mut(class), crowded, workspace);
            *wants.of_mut(class) &= crowded.is_none();
        }
        self.workspaces.stand(workspace, if crowded.is_some() { PerClass::NONE } else { wants });
    }
}

impl Slot {
    /// What so much worker time earns further attempts, or costs them.
    fn credit_us(&self, used_us: u64) -> i64 {
        let used_us = i64::try_from(used_us).unwrap_or(i64::MAX);
        match (self.contested, self.turn.class) {
            (Contested::Yes, Class::Free | Class::Slow) => used_us / AGAIN_EARNED_BY,
            (Contested::Yes, Class::Again) => -used_us,
            (Contested::No, _) => 0,
        }
    }
}

/// Replaces a workspace's key in a set of those that are crowded.
fn move_in(
    set: &mut BTreeSet<(usize, WorkspaceId)>,
    known: &mut Option<usize>,
    wanted: Option<usize>,
    workspace: WorkspaceId,
) {
    if *known == wanted {
        return;
    }
    if let Some(held) = std::mem::replace(known, wanted) {
        set.remove(&(held, workspace));
    }
    if let Some(held) = wanted {
        set.insert((held, workspace));
    }
}

#[cfg(test)]
mod tests;
