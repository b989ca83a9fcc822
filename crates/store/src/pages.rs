//! Choosing what stands on a page of a list or a feed, row by row, as [`crate::Ledger`] says it. A backend walks over its rows
//! for as long as a page is not full; where a page ends is decided here.

use signalpost_core::act::Act;
use signalpost_core::event::Sequence;
use signalpost_core::id::{ActId, DeliveryId, EventId};
use signalpost_core::limits::{LIST_SCAN_ROWS_MAX, PAGE_DATA_BYTES_MAX};

use crate::desk::{ActPage, ListActs};
use crate::ledger::{DeliveryPage, DeliverySummary, ListDeliveries, ListEvents, ReadFeed};
use crate::row::{Brief, FeedPlace};

/// What a page of a feed hands out, before the events are read.
pub struct FeedChoice {
    pub events: Vec<EventId>,
    /// The last place that was looked at.
    pub next: Sequence,
    pub more: bool,
    bytes: usize,
    looked: usize,
}

impl FeedChoice {
    /// An empty page behind a place.
    pub const fn behind(after: Sequence) -> Self {
        Self { events: Vec::new(), next: after, more: false, bytes: 0, looked: 0 }
    }

    /// Takes an event if it is wanted; whether the page had ended before it.
    pub fn is_full_with(&mut self, params: &ReadFeed, place: &FeedPlace) -> bool {
        if self.looked == LIST_SCAN_ROWS_MAX {
            self.more = true;
            return true;
        }
        self.looked += 1;
        if params.types.is_empty() || params.types.contains(&place.event_type) {
            if self.events.len() == params.limit || self.bytes >= PAGE_DATA_BYTES_MAX {
                self.more = true;
                return true;
            }
            self.bytes += place.data_bytes;
            self.events.push(place.event);
        }
        self.next = place.sequence;
        false
    }
}

/// What a page of events hands out, before they are read whole.
#[derive(Default)]
pub struct EventChoice {
    pub events: Vec<EventId>,
    pub next: Option<EventId>,
    scanned: usize,
}

impl EventChoice {
    /// Takes an event if it is wanted; whether the page ends with it.
    pub fn is_full_with(&mut self, params: &ListEvents, event: &Brief) -> bool {
        self.scanned += 1;
        if params.wants(event) {
            if self.events.len() == params.limit {
                self.next = self.events.last().copied();
                return true;
            }
            self.events.push(event.id);
        }
        if self.scanned == LIST_SCAN_ROWS_MAX {
            self.next = Some(event.id);
        }
        self.scanned == LIST_SCAN_ROWS_MAX
    }
}

impl ListEvents {
    /// Whether an event passes the filters.
    fn wants(&self, event: &Brief) -> bool {
        self.event_type.as_ref().is_none_or(|wanted| event.event_type == *wanted)
            && (self.subject.is_none() || event.subject == self.subject)
    }
}

impl ListDeliveries {
    /// Whether a delivery, whose state is not known yet, passes the filters and stands behind the cursor.
    pub fn wants(&self, id: DeliveryId) -> bool {
        self.webhook.is_none_or(|wanted| wanted == id.webhook) && self.before.is_none_or(|before| id < before)
    }
}

/// What a page of deliveries hands out.
pub struct DeliveryChoice<'p> {
    params: &'p ListDeliveries,
    rows: Vec<DeliverySummary>,
    next: Option<DeliveryId>,
    scanned: usize,
}

impl<'p> DeliveryChoice<'p> {
    pub const fn of(params: &'p ListDeliveries) -> Self {
        Self { params, rows: Vec::new(), next: None, scanned: 0 }
    }

    /// How many deliveries the page may still look at.
    pub const fn left(&self) -> usize {
        LIST_SCAN_ROWS_MAX - self.scanned
    }

    /// Takes a delivery that [`ListDeliveries::wants`] if its state is wanted; whether the page ends with it.
    pub fn is_full_with(&mut self, summary: DeliverySummary) -> bool {
        self.scanned += 1;
        let id = summary.id;
        if self.params.status.is_none_or(|wanted| summary.state.status() == wanted) {
            if self.rows.len() == self.params.limit {
                self.next = self.rows.last().map(|row| row.id);
                return true;
            }
            self.rows.push(summary);
        }
        if self.scanned == LIST_SCAN_ROWS_MAX {
            self.next = Some(id);
        }
        self.scanned == LIST_SCAN_ROWS_MAX
    }

    pub fn finish(self) -> DeliveryPage {
        DeliveryPage { rows: self.rows, next: self.next }
    }
}

/// What a page of acts hands out.
pub struct ActChoice<'p> {
    params: &'p ListActs,
    rows: Vec<Act>,
    next: Option<ActId>,
    scanned: usize,
}

impl<'p> ActChoice<'p> {
    pub const fn of(params: &'p ListActs) -> Self {
        Self { params, rows: Vec::new(), next: None, scanned: 0 }
    }

    /// Takes an act if it is wanted; whether the page ends with it.
    pub fn is_full_with(&mut self, act: Act) -> bool {
        self.scanned += 1;
        let id = act.id;
        if self.params.wants(&act) {
            if self.rows.len() == self.params.limit {
                self.next = self.rows.last().map(|row| row.id);
                return true;
            }
            self.rows.push(act);
        }
        if self.scanned == LIST_SCAN_ROWS_MAX {
            self.next = Some(id);
        }
        self.scanned == LIST_SCAN_ROWS_MAX
    }

    pub fn finish(self) -> ActPage {
        ActPage { rows: self.rows, next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;

    #[test]
    fn a_page_of_acts_ends_where_it_has_looked_at_enough() {
        let params = ListActs { workspace: Some("ws-2".to_owned()), limit: 9, ..ListActs::default() };
        let mut choice = ActChoice::of(&params);
        let most = i64::try_from(LIST_SCAN_ROWS_MAX).expect("small");
        let looked_at = (1..=2 * most).rev().take_while(|id| !choice.is_full_with(sample::act(*id))).count();
        assert_eq!(looked_at + 1, LIST_SCAN_ROWS_MAX);
        assert_eq!(choice.finish(), ActPage { rows: Vec::new(), next: Some(ActId::from_raw(most + 1)) });
    }
}
