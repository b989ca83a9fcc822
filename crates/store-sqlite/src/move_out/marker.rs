//! The file that keeps a store from being opened where it was moved away: what was pending would be delivered twice.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::open::{Existing, create_private};

pub(crate) const MARKER_FILE: &str = "signalpost.moved";

pub(super) fn exists(directory: &Path) -> bool {
    directory.join(MARKER_FILE).exists()
}

/// Written whole or not at all, and synced with its name. One that is there stays as it is.
pub(super) fn write(directory: &Path, where_to: &str) -> io::Result<PathBuf> {
    let path = directory.join(MARKER_FILE);
    if path.exists() {
        return Ok(path);
    }
    let draft = path.with_extension("moved.new");
    let mut file = create_private(&draft, Existing::Kept)?;
    file.set_len(0)?;
    writeln!(file, "{where_to}")?;
    file.sync_all()?;
    std::fs::rename(&draft, &path)?;
    File::open(directory)?.sync_all()?;
    Ok(path)
}
