//! A filesystem of a few megabytes that can run full without hurting anybody else. Mounting it needs root.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::TempDir;

/// What takes room until room is made.
const BALLAST: &str = "ballast";

/// In memory, mounted until it is dropped.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Of so many bytes, of which `ballast` are taken until [`SmallDisk::make_room`].
    pub fn mount(bytes: u64, ballast: u64) -> io::Result<Self> {
        let disk = Self { folder: TempDir::new()? };
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={bytes},mode=0755"), "signalpost-small-disk"]);
        let output = mount.arg(disk.path()).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!(
                "a filesystem cannot be mounted, which needs root: {said}"
            )));
        }
        rustix::fs::fallocate(
            File::create(disk.ballast())?,
            rustix::fs::FallocateFlags::empty(),
            0,
            ballast,
        )?;
        Ok(disk)
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the room of the ballast away.
    pub fn make_room(&self) -> io::Result<()> {
        fs::remove_file(self.ballast())
    }

    fn ballast(&self) -> PathBuf {
        self.path().join(BALLAST)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file open keeps it until then.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).output();
    }
}
