//! The bytes of a file: those that are safe, and what was done to them since.

use std::sync::Arc;

use signalpost_testkit::Rng;

use super::chance::{Fate, Mood};

const SECTOR_BYTES: usize = 512;

#[derive(Clone, Debug, Default)]
pub(super) struct Medium {
    synced: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Write { offset: usize, bytes: Arc<[u8]> },
    Resize(usize),
}

impl Medium {
    /// Of which everything is safe.
    pub(super) fn of(synced: Vec<u8>) -> Self {
        Self { synced, since: Vec::new() }
    }

    pub(super) fn take(&mut self, change: Change) {
        self.since.push(change);
    }

    pub(super) fn sync(&mut self) {
        for change in self.since.drain(..) {
            change.apply(&mut self.synced);
        }
    }

    pub(super) fn left(&self, mood: Mood, rng: &mut Rng) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for (change, fate) in self.since.iter().zip(mood.fates(self.since.len(), rng)) {
            match fate {
                Fate::Whole => change.apply(&mut bytes),
                Fate::Torn => change.tear(&mut bytes, rng),
                Fate::Lost => change.stretch(&mut bytes, mood, rng),
            }
        }
        bytes
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes: written } => put(bytes, *offset, written),
            Self::Resize(length) => bytes.resize(*length, 0),
        }
    }

    fn tear(&self, bytes: &mut Vec<u8>, rng: &mut Rng) {
        let Self::Write { offset, bytes: written } = self else {
            if rng.below(2) == 0 {
                self.apply(bytes);
            }
            return;
        };
        let mut at = 0;
        while at < written.len() {
            let to_border = SECTOR_BYTES - (offset + at) % SECTOR_BYTES;
            let piece = &written[at..written.len().min(at + to_border)];
            match rng.below(16) {
                0..7 => put(bytes, offset + at, piece),
                7 => {
                    let middle = usize::try_from(rng.below(piece.len() as u64)).unwrap_or(0);
                    match rng.below(2) {
                        0 => put(bytes, offset + at, &piece[..middle]),
                        _ => put(bytes, offset + at + middle, &piece[middle..]),
                    }
                }
                _ => {}
            }
            at += piece.len();
        }
    }

    /// What a lost write may leave: a file as long as if it were there.
    fn stretch(&self, bytes: &mut Vec<u8>, mood: Mood, rng: &mut Rng) {
        let Self::Write { offset, bytes: written } = self else { return };
        let end = offset + written.len();
        if !matches!(mood, Mood::Nothing) && bytes.len() < end && rng.below(4) == 0 {
            bytes.resize(end, 0);
        }
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    if written.is_empty() {
        return;
    }
    let end = offset + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(written);
}
