//! How processes hear of what another has committed. A bell is a hint: it may come late, twice, or never.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use signalpost_core::id::DeliveryId;
use signalpost_store::CommitListener;
use signalpost_store::ledger::DueLane;

use super::Line;
use crate::chance::Chance;
use crate::executor::Group;
use crate::ground::Ground;
use crate::trouble::Trouble;

/// Bells that come twice, and such that come late, of a thousand, where any are lost.
const ODD_PERMILLE: u64 = 150;
const LATE_US_MAX: u64 = 20_000_000;
const DELAY_US_MAX: u64 = 50_000;

#[derive(Default)]
pub(crate) struct Bells(Mutex<State>);

#[derive(Default)]
struct State {
    /// By process.
    ears: BTreeMap<u32, Ear>,
    rung: Vec<Ring>,
    ringer: Option<Waker>,
}

#[derive(Clone)]
struct Ear {
    listener: Arc<dyn CommitListener>,
    line: Arc<Line>,
}

struct Ring {
    from: u32,
    told: Told,
}

/// What others hear of a commit.
#[derive(Clone)]
pub(crate) enum Told {
    Owed(Vec<DueLane>),
    Accepted(Vec<DeliveryId>),
}

impl Bells {
    pub(crate) fn listen(&self, process: u32, listener: Arc<dyn CommitListener>, line: Arc<Line>) {
        self.lock().ears.insert(process, Ear { listener, line });
    }

    pub(crate) fn forget(&self, process: u32) {
        self.lock().ears.remove(&process);
    }

    /// Tells the others of what a process has committed.
    pub(crate) fn ring(&self, from: u32, told: Told) {
        let mut state = self.lock();
        state.rung.push(Ring { from, told });
        state.ringer.take().into_iter().for_each(Waker::wake);
    }

    /// Carries what was rung to the others. Never returns; runs as long as the world.
    pub(crate) async fn carry(
        self: Arc<Self>,
        ground: Rc<Ground>,
        trouble: Arc<Trouble>,
        mut chance: Chance,
    ) {
        loop {
            for Ring { from, told } in self.next().await {
                let others: Vec<u32> = self.lock().ears.keys().copied().filter(|ear| *ear != from).collect();
                for to in others {
                    for delay_us in fates_us(&ground, &trouble, &mut chance) {
                        let (bells, told, slept) =
                            (Arc::clone(&self), told.clone(), ground.sleep_us(delay_us));
                        ground.spawn(Group::WORLD, async move {
                            slept.await;
                            bells.reach(to, told);
                        });
                    }
                }
            }
        }
    }

    fn reach(&self, to: u32, told: Told) {
        let ear = self.lock().ears.get(&to).cloned();
        if let Some(ear) = ear.filter(|ear| !ear.line.is_cut()) {
            match told {
                Told::Owed(lanes) => ear.listener.owed(lanes),
                Told::Accepted(deliveries) => ear.listener.accepted_elsewhere(&deliveries),
            }
        }
    }

    async fn next(&self) -> Vec<Ring> {
        poll_fn(|context| {
            let mut state = self.lock();
            if state.rung.is_empty() {
                state.ringer = Some(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(std::mem::take(&mut state.rung))
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics while ringing")
    }
}

/// After how long a bell is heard, each time that it is.
fn fates_us(ground: &Ground, trouble: &Trouble, chance: &mut Chance) -> Vec<u64> {
    let lost_permille = trouble.bells_lost_permille();
    let soon_us = chance.between(0, DELAY_US_MAX);
    if chance.permille(lost_permille) {
        ground.tally.count("bell", "lost");
        return Vec::new();
    }
    let odd_permille = if lost_permille == 0 { 0 } else { ODD_PERMILLE };
    if chance.permille(odd_permille) {
        ground.tally.count("bell", "heard twice");
        return vec![soon_us, soon_us + chance.between(0, LATE_US_MAX)];
    }
    if chance.permille(odd_permille) {
        ground.tally.count("bell", "late");
        return vec![chance.between(0, LATE_US_MAX)];
    }
    vec![soon_us]
}
