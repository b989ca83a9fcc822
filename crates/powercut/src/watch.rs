//! A folder that is watched: who writes in it, what is kept of that, and the end of a process that worked in it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::image::is_volatile;
use crate::{FileId, Image, Log, Op, Platter, Pragma, Syncs};

/// What is kept of everything that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All of it, in order.
    Log,
    /// What it amounts to.
    Platter(Syncs),
}

#[derive(Clone, Debug)]
pub struct Settings {
    pub keep: Keep,
    /// What becomes of pragmas inside the folder.
    pub pragmas: Vec<Pragma>,
}

/// A watched folder, for as long as this lives.
pub struct Watch(Arc<Folder>);

static FOLDERS: RwLock<Vec<Arc<Folder>>> = RwLock::new(Vec::new());

pub(crate) struct Folder {
    root: PathBuf,
    pub(crate) pragmas: Vec<Pragma>,
    state: Mutex<State>,
}

struct State {
    kept: Kept,
    /// What is called what by now.
    names: BTreeMap<PathBuf, FileId>,
    next_file: u32,
    /// Grows with the end of each process: whatever it had open does nothing any more.
    era: u64,
    stopped: bool,
    /// Changes that still go through before everything stops.
    fuse: Option<u64>,
}

enum Kept {
    Log(Log),
    Platter(Platter),
}

/// Whether who asks may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    On,
    Off,
}

impl Watch {
    /// Watches a folder that exists. Whatever it holds is taken for safe. [`crate::install`] comes first.
    pub fn begin(root: &Path, settings: Settings) -> io::Result<Self> {
        let root = fs::canonicalize(root)?;
        let base = Image::read(&root)?;
        let kept = match settings.keep {
            Keep::Log => Kept::Log(Log { base: base.clone(), ops: Vec::new() }),
            Keep::Platter(syncs) => Kept::Platter(Platter::of(&base).with(syncs)),
        };
        let state = State { kept, names: BTreeMap::new(), next_file: 0, era: 0, stopped: false, fuse: None };
        let folder = Arc::new(Folder { root, pragmas: settings.pragmas, state: Mutex::new(state) });
        folder.state().take_names_of(&base);
        write(&FOLDERS).push(Arc::clone(&folder));
        Ok(Self(folder))
    }

    /// Puts a note at this place of the log.
    pub fn note(&self, note: u64) {
        self.0.state().keep(Op::Note(note));
    }

    /// Everything so far. Empty when no log is kept.
    pub fn log(&self) -> Log {
        match &self.0.state().kept {
            Kept::Log(log) => log.clone(),
            Kept::Platter(_) => Log::default(),
        }
    }

    /// Ends a process: from now on nothing that it has open changes anything, and then `end` drops what it had.
    /// What was written stays, synced or not, as the system has it.
    pub fn end_process(&self, end: impl FnOnce()) {
        {
            let mut state = self.0.state();
            state.stopped = true;
            state.era += 1;
        }
        end();
        let mut state = self.0.state();
        (state.stopped, state.fuse) = (false, None);
    }

    /// After so many changes more the power goes: whatever comes then fails, until the process is ended.
    pub fn light_fuse(&self, changes: u64) {
        self.0.state().fuse = Some(changes);
    }

    /// Whether the fuse has burnt down.
    pub fn is_dark(&self) -> bool {
        self.0.is_dark()
    }

    /// The power comes back: the folder holds what a disk may hold after its loss, and all of that is safe.
    /// Nothing may be open in the folder. Does nothing when a log is kept.
    pub fn lose_power(&self, seed: u64) -> io::Result<()> {
        let (image, syncs) = match &self.0.state().kept {
            Kept::Platter(platter) => (platter.cut(seed), platter.syncs()),
            Kept::Log(_) => return Ok(()),
        };
        // Not under the lock: folders that are made here are seen as well, and forgotten right after.
        image.write_to(&self.0.root)?;
        let mut state = self.0.state();
        state.kept = Kept::Platter(Platter::of(&image).with(syncs));
        state.take_names_of(&image);
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        write(&FOLDERS).retain(|folder| !Arc::ptr_eq(folder, &self.0));
    }
}

fn write(folders: &RwLock<Vec<Arc<Folder>>>) -> std::sync::RwLockWriteGuard<'_, Vec<Arc<Folder>>> {
    folders.write().unwrap_or_else(PoisonError::into_inner)
}

/// The watched folder in which a path lies, and the path inside.
pub(crate) fn folder_of(path: &Path) -> Option<(Arc<Folder>, PathBuf)> {
    let folders = FOLDERS.read().unwrap_or_else(PoisonError::into_inner);
    if folders.is_empty() {
        return None;
    }
    let parent = fs::canonicalize(path.parent()?).ok()?;
    let path = path.file_name().map_or_else(|| parent.clone(), |name| parent.join(name));
    folders.iter().find_map(|folder| {
        let inside = path.strip_prefix(&folder.root).ok()?;
        Some((Arc::clone(folder), inside.to_owned()))
    })
}

impl Folder {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present era, for a file that is being opened.
    pub(crate) fn era(&self) -> u64 {
        self.state().era
    }

    /// Whether a change of this era may happen. One that may burns the fuse down.
    pub(crate) fn power(&self, era: u64) -> Power {
        let mut state = self.state();
        if state.stopped || era != state.era || state.fuse == Some(0) {
            return Power::Off;
        }
        state.fuse = state.fuse.map(|left| left - 1);
        Power::On
    }

    /// Whether the power is gone, for whoever opens a file.
    pub(crate) fn is_dark(&self) -> bool {
        let state = self.state();
        state.stopped || state.fuse == Some(0)
    }

    pub(crate) fn keep(&self, op: Op) {
        self.state().keep(op);
    }

    /// The number of the file of this name. One that was made by other ways than SQLite's is taken as it is now, and
    /// nothing of it is safe.
    pub(crate) fn file_at(&self, path: &Path) -> FileId {
        let mut state = self.state();
        if let Some(file) = state.names.get(path) {
            return *file;
        }
        let file = FileId(state.next_file);
        state.next_file += 1;
        state.names.insert(path.to_owned(), file);
        state.keep(Op::Create { file, path: path.to_owned() });
        match fs::read(self.root.join(path)) {
            Ok(bytes) if !bytes.is_empty() => {
                state.keep(Op::Write { file, offset: 0, bytes: bytes.into() });
            }
            _ => {}
        }
        file
    }

    pub(crate) fn removed(&self, path: PathBuf) {
        let mut state = self.state();
        state.names.remove(&path);
        state.keep(Op::Remove { path });
    }

    pub(crate) fn renamed(&self, from: PathBuf, to: PathBuf) {
        let mut state = self.state();
        if let Some(file) = state.names.remove(&from) {
            state.names.insert(to.clone(), file);
        }
        state.keep(Op::Rename { from, to });
    }

    /// A sync that did not come from SQLite: of a file, or of a directory with all names in it.
    pub(crate) fn synced(&self, path: &Path) {
        let full = self.root.join(path);
        if !full.is_dir() {
            let file = self.file_at(path);
            return self.keep(Op::Sync { file });
        }
        let entries = fs::read_dir(&full).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
            let name = path.join(entry.file_name());
            if !is_volatile(&name) {
                self.file_at(&name);
            }
        }
        self.keep(Op::SyncDirectory { path: path.to_owned() });
    }
}

impl State {
    fn keep(&mut self, op: Op) {
        match &mut self.kept {
            Kept::Log(log) => log.ops.push(op),
            Kept::Platter(platter) => platter.apply(&op),
        }
    }

    /// As [`Platter::of`] numbers them.
    fn take_names_of(&mut self, image: &Image) {
        self.names = image.files.keys().cloned().zip((0..).map(FileId)).collect();
        self.next_file = u32::try_from(image.files.len()).unwrap_or(u32::MAX);
    }
}
