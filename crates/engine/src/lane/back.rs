//! What a lane has let go and gets back: ended and recorded, with its event read, or not begun.

use std::sync::Arc;

use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::time::Timestamp;

use crate::attempt::Ending;

use super::Lane;
use super::order::TurnedAway;
use super::ready::{Entry, Paid};

impl Lane {
    /// The outcome of an attempt is on disk.
    pub(crate) fn recorded(&mut self, ending: &Ending) {
        self.unrecorded.record(ending.epoch);
        self.end(ending.due, ending.next_due());
    }

    /// A delivery waits for its next attempt, or is forgotten. One that has begun a new round meanwhile is found on disk.
    pub(crate) fn end(&mut self, due: Due, next: Option<Due>) {
        self.give_key_back(due);
        // A delivery whose probe has failed is left to the disk as well: the next one is another's.
        let next_on_disk = next.filter(|_| self.is_paused()).map(|next| next.due_at);
        match (self.newer_round(due).or(next_on_disk), next) {
            (Some(due_at), _) => {
                self.settle(due.id.event);
                self.on_disk.expect(due_at);
            }
            (None, Some(next)) => self.retry(next),
            (None, None) => self.settle(due.id.event),
        }
    }

    /// Puts a delivery whose event was read back at the front, unless a newer round has taken its place.
    pub(crate) fn put_back(&mut self, due: Due, event: Arc<Event>) {
        if self.newer_round(due).is_some() {
            return self.end(due, None);
        }
        self.give_key_back(due);
        let paid =
            if self.prepaid.take_if(|paid| *paid == due.id.event).is_some() { Paid::Yes } else { Paid::No };
        self.ready.push_front(Entry { due, event: Some(event), paid });
    }

    /// Forgets a delivery that could not be started and is still owed.
    pub(crate) fn give_back(&mut self, due: Due, again_at: Timestamp) {
        self.give_key_back(due);
        self.known.remove(&due.id.event);
        self.prepaid = None;
        self.on_disk.look(again_at);
    }

    /// What had to wait because something of its key was under way has its turn.
    fn give_key_back(&mut self, due: Due) {
        let Some(place) = due.order else { return };
        let TurnedAway { next, on_disk_from } = self.keys.give_back(place.key);
        next.into_iter().for_each(|entry| self.ready.push_front(entry));
        on_disk_from.into_iter().for_each(|due_at| self.on_disk.expect(due_at));
    }

    /// When a newer round is due than the one of this row, if there is one.
    fn newer_round(&self, due: Due) -> Option<Timestamp> {
        self.known.get(&due.id.event).filter(|known| known.born > due.born).map(|known| known.due_at)
    }
}
