//! A folder that goes when its owner goes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

/// An empty folder among the system's temporary ones, removed with all it holds on drop.
#[derive(Debug)]
pub struct TempDir(PathBuf);

static MADE: AtomicU32 = AtomicU32::new(0);

impl TempDir {
    pub fn new() -> io::Result<Self> {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let name = format!(
            "signalpost-{}-{}-{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed),
            since_epoch.as_nanos()
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            // Drop cannot fail; what stays behind is in the system's own temporary folder.
            debug_assert!(error.kind() == io::ErrorKind::NotFound, "{} stays: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner() {
        let folder = TempDir::new().expect("the system has a temporary folder");
        let path = folder.path().to_owned();
        std::fs::write(path.join("file"), "x").expect("it can be written to");
        drop(folder);
        assert!(!path.exists());
    }
}
