//! Reading what a lane is owed and memory does not answer for.

use std::sync::Arc;

use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::limits::LANE_MEMORY_DELIVERIES_MAX;
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::DueOrder;

use super::ready::Entry;
use super::{Known, Lane, Payload, Reading};

/// A row and memory that disagree about a delivery are looked at again after this.
const LOOK_AGAIN_MS: i64 = 1_000;

/// From which end pages are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageOrder {
    OldestFirst,
    /// Until all that is due has been read.
    NewestFirst,
}

impl Lane {
    /// Begins to read a page of `page_rows` new rows if one is due and there is room: answers how many rows to ask
    /// for, and from which end. A paused lane reads one, when it is to be probed.
    pub(crate) fn begin_page(&mut self, now: Timestamp, page_rows: usize) -> Option<(usize, DueOrder)> {
        if !self.on_disk.is_due(now)
            || self.moving.leaves
            || self.reading.is_some()
            || self.has_enough(page_rows)
        {
            return None;
        }
        let (page_rows, order) = match self.is_paused() {
            true if self.gate.opens_at(now).is_some() || !self.known.is_empty() => return None,
            true => (1, PageOrder::OldestFirst),
            false => (page_rows, self.order),
        };
        while self.known.len() + page_rows > LANE_MEMORY_DELIVERIES_MAX && self.evict_last_waiting() {}
        if self.known.len() >= LANE_MEMORY_DELIVERIES_MAX {
            return None;
        }
        self.reading = Some(Reading::default());
        let from = self.on_disk.take(now);
        Some(match order {
            PageOrder::OldestFirst => {
                let named_again = self.known.values().filter(|known| known.due_at >= from).count();
                (named_again + page_rows, DueOrder::OldestFirst { from })
            }
            PageOrder::NewestFirst => (self.known.len() + page_rows, DueOrder::NewestFirst { until: now }),
        })
    }

    /// Whether there is enough to do without a page. What was asked for once more may keep nothing else on disk, unless it fills
    /// half of the memory.
    fn has_enough(&self, page_rows: usize) -> bool {
        self.ready.in_haste() > page_rows / 2 || self.ready.len() > LANE_MEMORY_DELIVERIES_MAX / 2
    }

    /// Takes the rows of a page that was asked for with `limit` rows.
    pub(crate) fn absorb_page(&mut self, rows: &[Due], limit: usize, now: Timestamp) {
        let reading = self.reading.take().unwrap_or_default();
        if self.is_paused() && limit > 1 {
            // It was asked for before the pause.
            return self.on_disk.look(now);
        }
        for due in rows {
            let event = due.id.event;
            if let Some(known) = self.known.get(&event).copied() {
                self.meet(known, *due, now.plus_ms(LOOK_AGAIN_MS));
                continue;
            }
            if reading.settled.contains(&event) {
                continue;
            }
            if self.known.len() >= LANE_MEMORY_DELIVERIES_MAX {
                // What is left of a page from the other end may be due before.
                return match self.order {
                    PageOrder::OldestFirst => self.on_disk.expect(due.due_at),
                    PageOrder::NewestFirst => self.on_disk.look(now),
                };
            }
            self.known.insert(event, Known::by(*due));
            if due.due_at <= now {
                self.ready.push_back(Entry::new(*due, None));
            } else {
                self.waiting.insert((due.due_at, event), *due);
            }
        }
        // A full page may have been cut short.
        match (rows.last().filter(|_| rows.len() >= limit), self.order) {
            // What follows is due no earlier than its last row.
            (Some(last), PageOrder::OldestFirst) => self.on_disk.expect(last.due_at),
            (None, PageOrder::OldestFirst) => {}
            (Some(_), PageOrder::NewestFirst) => self.on_disk.look(now),
            // All that was due is out; what is due later was not looked for.
            (None, PageOrder::NewestFirst) => {
                self.order = PageOrder::OldestFirst;
                self.on_disk.look(now);
            }
        }
    }

    /// Whether nothing is left to the disk that is due: then what is told by name need not wait for a page.
    pub(crate) fn keeps_up(&self, now: Timestamp) -> bool {
        !self.on_disk.is_due(now)
            && !self.is_paused()
            && !self.moving.leaves
            && self.known.len() < LANE_MEMORY_DELIVERIES_MAX
    }

    /// Deliveries are looked up that were told by name.
    pub(crate) fn begin_look(&mut self) {
        self.looking.get_or_insert_default();
    }

    /// Takes those that were found, but for what has ended since.
    pub(crate) fn end_look(&mut self, found: Vec<(Due, Arc<Event>)>, payload: Payload) {
        let looking = self.looking.take().unwrap_or_default();
        for (due, event) in found {
            if !looking.settled.contains(&due.id.event) {
                self.offer(due, Some(event), payload);
            }
        }
    }

    /// Ends a page that could not be read.
    pub(crate) fn fail_page(&mut self, again_at: Timestamp) {
        self.reading = None;
        self.on_disk.look(again_at);
    }
}
