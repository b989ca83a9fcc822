//! What a folder holds, as bytes: taken down from one, or put into one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Files and folders by their paths inside a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    pub directories: BTreeSet<PathBuf>,
}

/// The index of the write-ahead log: shared memory that SQLite makes anew after a crash
/// (<https://www.sqlite.org/walformat.html>, section 2).
pub(crate) fn is_volatile(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-shm")
}

impl Image {
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut image = Self::default();
        image.read_directory(root, Path::new(""))?;
        Ok(image)
    }

    fn read_directory(&mut self, root: &Path, inside: &Path) -> io::Result<()> {
        for entry in fs::read_dir(root.join(inside))? {
            let entry = entry?;
            let path = inside.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.directories.insert(path.clone());
                self.read_directory(root, &path)?;
            } else if !is_volatile(&path) {
                self.files.insert(path, fs::read(entry.path())?);
            }
        }
        Ok(())
    }

    /// Makes the folder hold this and nothing else. It is made when it is missing.
    pub fn write_to(&self, root: &Path) -> io::Result<()> {
        if root.exists() {
            fs::remove_dir_all(root)?;
        }
        fs::create_dir_all(root)?;
        // Parents come before what is in them.
        for directory in &self.directories {
            fs::create_dir(root.join(directory))?;
        }
        self.files.iter().try_for_each(|(path, bytes)| fs::write(root.join(path), bytes))
    }

    pub fn bytes(&self) -> usize {
        self.files.values().map(Vec::len).sum()
    }
}
