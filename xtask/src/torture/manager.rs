//! Somebody who makes, switches and deletes webhooks all the time, and writes down when each change was asked for and
//! when it was answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use signalpost_testkit::Rng;

use super::desk::{Created, Deed, Desk, Reached};
use super::events::{AGENTS, Wants};
use super::faults::Faults;
use super::ledger::{Ledger, State, Temper};

/// Between two changes: often enough for every life to see some, and long enough for events to come in between.
const PAUSE_MS_MIN: u64 = 50;
const PAUSE_MS_MAX: u64 = 500;
const TRY_AGAIN: Duration = Duration::from_millis(30);
/// For what is left to do when the troubles are over.
const LAST_CHANGES: Duration = Duration::from_secs(60);

/// Webhooks of one workspace that change.
const SLOTS_PER_WORKSPACE: usize = 2;

pub(super) struct Manager {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Manager {
    /// `base` is the URL of the receivers that fail at times.
    pub(super) fn start(
        desks: Vec<Desk>,
        ledger: Arc<Ledger>,
        faults: Arc<Faults>,
        base: String,
        seed: u64,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let work =
            Work { desks, ledger, faults, base, rng: Rng::new(seed), slots: Vec::new(), deadline: None };
        let until = Arc::clone(&stop);
        let thread = std::thread::spawn(move || work.run(&until));
        Self { stop, thread }
    }

    /// Switches everything on that is off and removes what nobody knows; returns the number of changes in all.
    pub(super) fn finish(self) -> Result<usize, String> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| "the manager panicked".to_owned())
    }
}

/// A place for a webhook that comes and goes.
struct Slot {
    desk: usize,
    /// Number of the webhook, while there is one, and its id.
    hook: Option<(u16, String)>,
    is_on: bool,
}

struct Work {
    desks: Vec<Desk>,
    ledger: Arc<Ledger>,
    faults: Arc<Faults>,
    base: String,
    rng: Rng,
    slots: Vec<Slot>,
    /// Set once the troubles are over.
    deadline: Option<Instant>,
}

impl Work {
    fn run(mut self, stop: &AtomicBool) -> usize {
        let slots = (0..self.desks.len() * SLOTS_PER_WORKSPACE).map(|number| Slot {
            desk: number / SLOTS_PER_WORKSPACE,
            hook: None,
            is_on: false,
        });
        self.slots = slots.collect();
        let mut orphans: Vec<(usize, u16)> = Vec::new();
        let mut changes = 0;
        while !stop.load(Ordering::SeqCst) {
            let slot = self.rng.below(self.slots.len() as u64);
            let slot = usize::try_from(slot).expect("it is below the number of slots");
            changes += 1;
            self.change(slot, &mut orphans);
            let pause = PAUSE_MS_MIN + self.rng.below(PAUSE_MS_MAX - PAUSE_MS_MIN);
            std::thread::sleep(Duration::from_millis(pause));
        }
        self.deadline = Some(Instant::now() + LAST_CHANGES);
        for slot in 0..self.slots.len() {
            if let (Some((hook, id)), false) = (self.slots[slot].hook.clone(), self.slots[slot].is_on) {
                self.act(self.slots[slot].desk, hook, &id, Deed::SwitchOn);
            }
        }
        self.sweep(&mut orphans);
        changes
    }

    fn change(&mut self, slot: usize, orphans: &mut Vec<(usize, u16)>) {
        let Slot { desk, hook, is_on } = &self.slots[slot];
        let (desk, is_on) = (*desk, *is_on);
        let Some((hook, id)) = hook.clone() else {
            let created = self.create(desk, orphans);
            self.slots[slot].is_on = created.is_some();
            self.slots[slot].hook = created;
            return;
        };
        let deed = match (is_on, self.rng.below(10)) {
            (_, 0..3) => Deed::Delete,
            (true, _) => Deed::SwitchOff,
            (false, _) => Deed::SwitchOn,
        };
        self.act(desk, hook, &id, deed);
        self.slots[slot].is_on = deed == Deed::SwitchOn;
        if deed == Deed::Delete {
            self.slots[slot].hook = None;
            self.sweep(orphans);
        }
    }

    /// A new webhook; `None` when nobody knows whether there is one now.
    fn create(&mut self, desk: usize, orphans: &mut Vec<(usize, u16)>) -> Option<(u16, String)> {
        let place = &mut self.desks[desk];
        let first_subject = place.workspace == AGENTS;
        let shards = if place.workspace == super::events::NATIVE && self.rng.below(2) == 0 {
            [true, false, true, true]
        } else {
            [true; 4]
        };
        let in_order = place.workspace == super::events::NATIVE && self.rng.below(2) == 0;
        let wants = Wants { kinds: [true, self.rng.below(2) == 0], first_subject, shards, in_order };
        let hook = self.ledger.add_hook(place.workspace, wants, Temper::Failing);
        let url = format!("{}/h{hook}", self.base);
        let key = format!("torture-hook-{hook}");
        let change = self.ledger.asked(hook, State::Active);
        loop {
            match self.desks[desk].create(&url, wants, &key) {
                Reached::Done(Created { id, secret }) => {
                    self.ledger.answered(hook, change);
                    self.ledger.set_secret(hook, &secret);
                    self.ledger.set_id(hook, &id);
                    return Some((hook, id));
                }
                Reached::Unanswered if !self.desks[desk].can_repeat_creation() => {
                    orphans.push((desk, hook));
                    return None;
                }
                Reached::Unanswered | Reached::Refused => {}
                Reached::Fault(fault) => {
                    self.faults.add(fault);
                    orphans.push((desk, hook));
                    return None;
                }
            }
            if self.is_too_late("a creation") {
                return None;
            }
        }
    }

    /// Asks until it was answered.
    fn act(&mut self, desk: usize, hook: u16, id: &str, deed: Deed) {
        let to = match deed {
            Deed::SwitchOff => self.desks[desk].state_when_off(),
            Deed::SwitchOn => State::Active,
            Deed::Delete => State::Deleted,
        };
        let change = self.ledger.asked(hook, to);
        loop {
            match self.desks[desk].act(id, deed) {
                Reached::Done(()) => return self.ledger.answered(hook, change),
                Reached::Unanswered | Reached::Refused => {}
                Reached::Fault(fault) => return self.faults.add(format!("{deed:?} of {id}: {fault}")),
            }
            if self.is_too_late("a change") {
                return;
            }
        }
    }

    /// Deletes webhooks whose creation was not answered. A creation may still be done while its server is frozen, so they
    /// are looked for until the end.
    fn sweep(&mut self, orphans: &mut Vec<(usize, u16)>) {
        let desks: std::collections::BTreeSet<usize> = orphans.iter().map(|(desk, _)| *desk).collect();
        for desk in desks {
            let Reached::Done(listed) = self.list(desk) else { continue };
            let found: Vec<(u16, String)> = orphans
                .iter()
                .filter(|(of, _)| *of == desk)
                .filter_map(|(_, hook)| {
                    let url = format!("{}/h{hook}", self.base);
                    let (id, _) = listed.iter().find(|(_, listed)| *listed == url)?;
                    Some((*hook, id.clone()))
                })
                .collect();
            for (hook, id) in found {
                self.ledger.set_id(hook, &id);
                self.act(desk, hook, &id, Deed::Delete);
                orphans.retain(|(_, orphan)| *orphan != hook);
            }
        }
    }

    /// Once the troubles are over it is asked until it is answered; before, the next sweep finds them.
    fn list(&mut self, desk: usize) -> Reached<Vec<(String, String)>> {
        loop {
            match self.desks[desk].list() {
                Reached::Unanswered | Reached::Refused if self.deadline.is_some() => {}
                Reached::Fault(fault) => {
                    self.faults.add(fault.clone());
                    return Reached::Fault(fault);
                }
                other => return other,
            }
            if self.is_too_late("a list") {
                return Reached::Unanswered;
            }
        }
    }

    /// Pauses before another try; tells when there is none because the run is over.
    fn is_too_late(&self, what: &str) -> bool {
        std::thread::sleep(TRY_AGAIN);
        let too_late = self.deadline.is_some_and(|deadline| Instant::now() > deadline);
        if too_late {
            self.faults.add(format!("{what} was repeated in vain for {} s", LAST_CHANGES.as_secs()));
        }
        too_late
    }
}
