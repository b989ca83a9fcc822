//! A course: what was written and told, and how to judge what a power loss leaves of it.

use std::path::Path;

use super::judge::Loss;
use crate::{Log, Op};

/// Looks at what is left in a folder after a cut behind so many changes: how much of what was told it has found, or what is
/// wrong.
pub(super) type Judge = Box<dyn Fn(&Path, usize) -> Result<usize, Loss> + Send + Sync>;

pub(super) struct Course {
    pub(super) log: Log,
    pub(super) judge: Judge,
}

impl Course {
    /// How often a write-ahead log began anew: a header was written at its beginning.
    pub(super) fn wraps(&self) -> usize {
        let mut logs = Vec::new();
        let mut wraps = 0;
        for op in &self.log.ops {
            match op {
                Op::Create { file, path } if path.to_string_lossy().ends_with("-wal") => logs.push(*file),
                Op::Write { file, offset: 0, .. } if logs.contains(file) => wraps += 1,
                _ => {}
            }
        }
        wraps
    }
}

/// The notes of a log, each with the change after which it stands.
#[derive(Clone, Debug)]
pub(super) struct Notes(Vec<(usize, u64)>);

impl Notes {
    pub(super) fn of(log: &Log) -> Self {
        let notes = log.ops.iter().enumerate().filter_map(|(place, op)| match op {
            Op::Note(note) => Some((place + 1, *note)),
            _ => None,
        });
        Self(notes.collect())
    }

    /// Those that stood already when the power went, in order.
    pub(super) fn before(&self, place: usize) -> impl DoubleEndedIterator<Item = u64> + '_ {
        let end = self.0.partition_point(|(at, _)| *at <= place);
        self.0[..end].iter().map(|(_, note)| *note)
    }
}
