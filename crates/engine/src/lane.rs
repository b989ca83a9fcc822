//! The queue of one webhook: what is ready, what waits for its time, and what is still on disk only.
//!
//! A lane holds a bounded part of what it is owed. `known` names every delivery that memory answers for: ready,
//! waiting, in flight, or ended and not yet recorded. Everything else is found again by reading pages of owed rows,
//! from the first that may be missing here, and leaving out what is known, so no order of commits and reads can lose a row or
//! send one twice.

mod back;
mod gate;
mod held;
mod moving;
mod on_disk;
mod order;
mod pages;
mod ready;
mod rest;
mod unrecorded;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use signalpost_core::concurrency::Begun;
use signalpost_core::delivery::Due;
use signalpost_core::event::{Event, Sequence};
use signalpost_core::health::{Health, Standing, failures_left};
use signalpost_core::id::{EventId, WorkspaceId};
use signalpost_core::lane_group::GroupEpoch;
use signalpost_core::limits::{LANE_IN_FLIGHT_MAX, LANE_MEMORY_DELIVERIES_MAX};
use signalpost_core::ports::Clock;
use signalpost_core::time::Timestamp;

use crate::id_map::{IdMap, IdSet};
use crate::lane_config::LaneConfig;
use crate::round::{Class, PerClass};

use self::gate::Gate;
pub(crate) use self::moving::Luggage;
use self::moving::Moving;
use self::on_disk::OnDisk;
use self::order::{KeysUnderWay, Taken};
use self::pages::PageOrder;
use self::ready::{Classes, Entry, Paid, Ready};
pub(crate) use self::unrecorded::Epoch;
use self::unrecorded::Unrecorded;

/// What is known of the webhook.
#[derive(Debug)]
pub(crate) enum Config {
    /// Nothing. It is loaded as soon as something is ready.
    Absent,
    /// Being loaded; an answer to an older question is not believed.
    Loading {
        question: u64,
    },
    Ready(Rc<LaneConfig>),
    /// An attempt has ended the webhook; nothing starts until that is recorded.
    Closing,
}

/// A delivery that a lane has let go.
#[derive(Debug)]
pub(crate) enum Started {
    Attempt {
        due: Due,
        event: Arc<Event>,
        begun: Begun,
    },
    /// Its event has to be read first, and then it is [put back](Lane::put_back).
    WithoutEvent(Due),
}

#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) config: Config,
    /// Read from the store once, and kept here from then on, ahead of what is recorded.
    health: Option<Health>,
    unrecorded: Unrecorded,
    order: PageOrder,
    moving: Moving,
    /// Whose webhook it is, once that is known.
    pub(crate) workspace: Option<WorkspaceId>,
    /// Of its group when this lane was made; one that another has had meanwhile knows nothing any more.
    pub(crate) epoch: Option<GroupEpoch>,
    /// Whether the lane stands in the line of those whose configuration is to be read.
    pub(crate) waits_for_config: bool,
    pub(crate) gate: Gate,
    /// The delivery whose event is being read and for which the pace was charged. Nothing starts before it is back: what is read
    /// ahead would lie in memory until its time.
    prepaid: Option<EventId>,
    pub(crate) used_at: Timestamp,
    ready: Ready,
    waiting: BTreeMap<(Timestamp, EventId), Due>,
    known: IdMap<EventId, Known>,
    /// Of what is in flight or ended and not yet recorded.
    keys: KeysUnderWay,
    on_disk: OnDisk,
    reading: Option<Reading>,
    /// Deliveries that were told by name are being looked up.
    looking: Option<Reading>,
}

/// The row by which a delivery is owed that memory answers for, the newest that was heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    due_at: Timestamp,
    /// Of the round that counts. One in flight or unrecorded may belong to a round before it.
    born: Sequence,
}

impl Known {
    const fn by(due: Due) -> Self {
        Self { due_at: due.due_at, born: due.born }
    }
}

/// Whether to keep the payload of a delivery in memory or to read it again when its turn comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    Keep,
    ReadAgain,
}

/// Rows that are being read. They are as old as the moment the reading began.
#[derive(Debug, Default)]
struct Reading {
    /// Deliveries that were recorded as ended meanwhile: a row of the page may still name them.
    settled: IdSet<EventId>,
}

impl Lane {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            config: Config::Absent,
            health: None,
            unrecorded: Unrecorded::default(),
            order: PageOrder::OldestFirst,
            moving: Moving::default(),
            workspace: None,
            epoch: None,
            waits_for_config: false,
            gate: Gate::default(),
            prepaid: None,
            used_at: now,
            ready: Ready::default(),
            waiting: BTreeMap::new(),
            known: IdMap::default(),
            keys: KeysUnderWay::default(),
            on_disk: OnDisk::default(),
            reading: None,
            looking: None,
        }
    }

    /// Drops what is known of the webhook, which has changed. Attempts that were planned under it and have not begun
    /// find out when they are about to.
    pub(crate) fn drop_config(&mut self) {
        // A lane that an attempt has ended starts nothing already, and must not until that is recorded.
        if matches!(self.config, Config::Closing) {
            return;
        }
        if let Config::Ready(config) = std::mem::replace(&mut self.config, Config::Absent) {
            config.superseded.set(true);
        }
    }

    /// Takes a delivery that was just committed, or leaves it on disk when older ones wait there or memory is full.
    pub(crate) fn offer(&mut self, due: Due, event: Option<Arc<Event>>, payload: Payload) {
        let event_id = due.id.event;
        if let Some(known) = self.known.get(&event_id).copied() {
            return self.meet(known, due, due.due_at);
        }
        let is_behind = self.on_disk.is_due(due.due_at);
        if self.is_paused() || is_behind || !self.make_room_for(due.due_at) {
            return self.decline(due.due_at);
        }
        self.known.insert(event_id, Known::by(due));
        self.ready.push_back(Entry::new(due, event.filter(|_| payload == Payload::Keep)));
    }

    /// Hears of a row of a delivery that memory answers for. A newer round takes the place of what has not started; what
    /// has is found again on disk when it is recorded. Rows of the same round that disagree are looked at again.
    fn meet(&mut self, known: Known, due: Due, again_at: Timestamp) {
        let event = due.id.event;
        if due.born == known.born && due.due_at != known.due_at {
            self.on_disk.look(again_at);
        }
        if due.born <= known.born {
            return;
        }
        self.known.insert(event, Known::by(due));
        if self.waiting.remove(&(known.due_at, event)).is_some() {
            self.waiting.insert((due.due_at, event), due);
        } else {
            // What has started is found again on disk when it is recorded.
            self.ready.renew(due);
            self.keys.renew(due);
        }
    }

    /// Whether memory answers for a delivery.
    pub(crate) fn knows(&self, event: EventId) -> bool {
        self.known.contains_key(&event)
    }

    /// Leaves a delivery to the disk that memory does not answer for.
    pub(crate) fn decline(&mut self, due_at: Timestamp) {
        if self.is_paused() { self.leave_to_disk(due_at) } else { self.on_disk.expect(due_at) }
    }

    /// Notes that something may be on disk, to be looked for at this instant, unless memory answers for it.
    pub(crate) fn hear_of(&mut self, first_due_at: Timestamp) {
        if self.is_paused() {
            self.leave_to_disk(first_due_at);
        } else if !self.known.values().any(|known| known.due_at == first_due_at) {
            self.on_disk.look(first_due_at);
        }
    }

    /// Leaves to the disk what others have accepted.
    pub(crate) fn hear_of_events(&mut self, events: &[EventId], now: Timestamp) {
        if self.is_paused() { self.leave_to_disk(now) } else { self.on_disk.expect_events(events, now) }
    }

    /// Keeps a delivery that ended in a retry; it is known all the while.
    fn retry(&mut self, due: Due) {
        self.known.insert(due.id.event, Known::by(due));
        self.waiting.insert((due.due_at, due.id.event), due);
    }

    /// Forgets a delivery whose end is recorded.
    pub(crate) fn settle(&mut self, event: EventId) {
        self.known.remove(&event);
        self.prepaid.take_if(|paid| *paid == event);
        for reading in [&mut self.reading, &mut self.looking].into_iter().flatten() {
            reading.settled.insert(event);
        }
    }

    /// Makes what has come due ready.
    pub(crate) fn ripen(&mut self, now: Timestamp) {
        while let Some(first) = self.waiting.first_entry().filter(|first| first.key().0 <= now) {
            self.ready.push_back(Entry::new(first.remove(), None));
        }
    }

    /// What may start: something is ready and the lane's own bounds permit.
    pub(crate) fn can_start(&self, now: Timestamp) -> PerClass<bool> {
        match &self.config {
            Config::Ready(config)
                if self.prepaid.is_none()
                    && !self.moving.leaves
                    && self.gate.is_open(self.most_at_once(config), now) =>
            {
                self.ready.wants(self.classes(now))
            }
            _ => PerClass::NONE,
        }
    }

    /// Whether something is ready of which it is not known where it goes.
    pub(crate) fn needs_config(&self) -> bool {
        matches!(self.config, Config::Absent) && !self.ready.is_empty()
    }

    /// No more than the owner permits, and a webhook that fails must not be sent more than it takes to switch it off.
    fn most_at_once(&self, config: &LaneConfig) -> usize {
        let permitted = config.ceilings.in_flight.map_or(LANE_IN_FLIGHT_MAX, |most| usize::from(most.get()));
        if self.is_paused() {
            return 1;
        }
        let left = failures_left(config.policy.disable, self.health().consecutive_failures);
        let left = left.and_then(|left| usize::try_from(left).ok());
        left.map_or(permitted, |left| left.min(permitted))
    }

    /// Once a receiver that has failed answers well, what it has missed is a backlog as any other.
    fn classes(&self, now: Timestamp) -> Classes {
        let health = self.health();
        let first = match health.standing() {
            Standing::Slow | Standing::Paused => Class::Again,
            Standing::Normal if self.gate.is_slow(now) => Class::Slow,
            Standing::Normal => Class::Free,
        };
        Classes { first, further: if health.consecutive_failures > 0 { Class::Again } else { first } }
    }

    /// Starts the first delivery of a class. `None` when it is too early, when it is of another class by now, when that
    /// delivery has ended, or while another of its key is under way: it is left to the disk until then.
    pub(crate) fn begin(&mut self, class: Class, clock: &dyn Clock) -> Option<Started> {
        let Config::Ready(config) = &self.config else { return None };
        let (cut_upto, rate, classes) = (config.cut_upto, config.ceilings.rate, self.classes(clock.now()));
        // It is open, so whatever closed it is over.
        self.gate.release();
        let is_paid = self.ready.front(class, classes)?.paid == Paid::Yes;
        let rate = rate.filter(|_| !is_paid);
        if rate.is_some() && !self.gate.keeps_pace(clock) {
            return None;
        }
        let entry = self.ready.pop(class, classes)?;
        let id = entry.due.id.event;
        if cut_upto.is_some_and(|upto| entry.due.born <= upto) {
            self.settle(id);
            return None;
        }
        let Entry { due, event, .. } = match self.keys.take(entry) {
            Taken::Now(entry) => entry,
            Taken::Kept => return None,
            Taken::LeftToDisk => {
                self.known.remove(&id);
                return None;
            }
        };
        if let Some(rate) = rate {
            self.gate.pay(rate, clock);
        }
        let begun = self.gate.enter(clock.now());
        Some(match event {
            Some(event) => Started::Attempt { due, event, begun },
            None => {
                self.prepaid = rate.map(|_| due.id.event);
                Started::WithoutEvent(due)
            }
        })
    }

    /// Bytes of payload held for deliveries that are ready.
    pub(crate) const fn ready_bytes(&self) -> usize {
        self.ready.bytes()
    }

    /// Drops what was born up to a cut and has not started; how many deliveries. The store no longer names these rows.
    pub(crate) fn cut(&mut self, upto: Sequence) -> usize {
        let mut dropped = Vec::new();
        self.ready.retain(|due| keep_or_note(due, upto, &mut dropped));
        self.waiting.retain(|_, due| keep_or_note(*due, upto, &mut dropped));
        self.keys.retain(|due| keep_or_note(due, upto, &mut dropped));
        for event in &dropped {
            self.settle(*event);
        }
        dropped.len()
    }

    /// Leaves everything that has not started to the disk until then.
    pub(crate) fn postpone_all(&mut self, again_at: Timestamp) {
        self.cut(Sequence(i64::MAX));
        self.on_disk.look(again_at);
    }

    /// Drops everything that has not started, whatever it is: the webhook takes nothing for now, and perhaps never again.
    pub(crate) fn drop_unstarted(&mut self) {
        self.cut(Sequence(i64::MAX));
        self.on_disk.forget();
        self.unrecorded.forget_health();
    }

    pub(crate) fn held(&self) -> usize {
        self.known.len()
    }

    /// Makes room for something due at this instant, if need be by leaving what is due later to the disk.
    fn make_room_for(&mut self, due_at: Timestamp) -> bool {
        if self.known.len() < LANE_MEMORY_DELIVERIES_MAX {
            return true;
        }
        let later = self.waiting.last_key_value().is_some_and(|((last, _), _)| *last > due_at);
        later && self.evict_last_waiting()
    }

    fn evict_last_waiting(&mut self) -> bool {
        let Some(((due_at, event), _)) = self.waiting.pop_last() else { return false };
        // A page that is being read may name it as it was before its last attempt.
        self.settle(event);
        self.on_disk.expect(due_at);
        true
    }
}

fn keep_or_note(due: Due, upto: Sequence, dropped: &mut Vec<EventId>) -> bool {
    if due.born > upto {
        return true;
    }
    dropped.push(due.id.event);
    false
}

#[cfg(test)]
mod tests;
