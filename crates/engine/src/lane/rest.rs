//! When a lane wants to be looked at again, and when it has nothing to do but wait.

use signalpost_core::time::Timestamp;

use super::Lane;

impl Lane {
    /// When the lane has something to do by itself. What is due on disk already is read as soon as memory has
    /// room, which a change of the lane brings about and no instant.
    pub(crate) fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let waiting = self.waiting.first_key_value().map(|((due_at, _), _)| *due_at);
        let on_disk = self.on_disk.at().filter(|at| *at > now);
        // Whether something is ready or not: nobody looks otherwise when the gate opens.
        [waiting, on_disk, self.gate.opens_at(now)].into_iter().flatten().min()
    }

    /// Whether everything the lane holds waits for later: then one instant can stand for it.
    pub(crate) fn only_waits(&self, now: Timestamp) -> bool {
        let waits_in_memory = self.gate.in_flight() == 0
            && self.reading.is_none()
            && self.looking.is_none()
            && self.ready.is_empty()
            && self.known.len() == self.waiting.len()
            && !self.unrecorded.has_to_tell();
        let is_shut = self.gate.opens_at(now).is_some();
        let nothing_due = !self.on_disk.is_due(now);
        waits_in_memory
            && match self.is_paused() {
                // The store knows of the pause, and when the next probe is due.
                true => is_shut || nothing_due,
                false => !is_shut && nothing_due,
            }
    }
}
