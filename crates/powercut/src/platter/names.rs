//! Names: what stands under which, and what happened to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::FileId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    File(FileId),
    Directory,
}

#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Link { path: PathBuf, entry: Entry },
    Unlink { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
}

impl NameChange {
    /// Whose sync makes it safe.
    pub(super) fn directory(&self) -> Option<&Path> {
        match self {
            Self::Link { path, .. } | Self::Unlink { path } | Self::Rename { to: path, .. } => path.parent(),
        }
    }

    pub(super) fn apply(&self, names: &mut BTreeMap<PathBuf, Entry>) {
        match self {
            Self::Link { path, entry } => drop(names.insert(path.clone(), *entry)),
            Self::Unlink { path } => drop(names.remove(path)),
            // Of a name that is not there any more, nothing is left to rename.
            Self::Rename { from, to } => {
                if let Some(entry) = names.remove(from) {
                    names.insert(to.clone(), entry);
                }
            }
        }
    }
}
