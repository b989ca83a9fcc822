//! What happens to a disk, one thing after the other.

use std::path::PathBuf;
use std::sync::Arc;

use crate::Image;

/// A file, whatever it is called: names come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(pub(crate) u32);

/// One thing that happened. Paths are relative to the watched folder.
#[derive(Clone, Debug)]
pub enum Op {
    MakeDirectory {
        path: PathBuf,
    },
    Create {
        file: FileId,
        path: PathBuf,
    },
    Write {
        file: FileId,
        offset: usize,
        bytes: Arc<[u8]>,
    },
    Truncate {
        file: FileId,
        length: usize,
    },
    Sync {
        file: FileId,
    },
    Remove {
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    SyncDirectory {
        path: PathBuf,
    },
    /// Something that whoever watches wants to find again at its place, such as an answer that a caller got.
    Note(u64),
}

/// Everything that happened to a folder, from what it held at first.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub base: Image,
    pub ops: Vec<Op>,
}
