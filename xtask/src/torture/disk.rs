//! A filesystem of its own for the data: it can run full and be made read-only without hurting anybody else. A file with a
//! filesystem in it, mounted by the loop device, so that syncing goes through a real filesystem's journal; that needs root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Sparse: it takes what the data take. A run of an hour at the usual rate has room.
const SIZE: &str = "8G";
/// What stays free on a disk that is nearly full: below the reserve that the product keeps for outcomes, and enough for
/// the outcomes of some minutes.
const NEARLY_FULL_FREE_BYTES: u64 = 40 * 1024 * 1024;
/// Sizes in which the last room is taken.
const CRUMBS_BYTES: [u64; 5] = [1 << 26, 1 << 22, 1 << 18, 1 << 14, 1 << 12];

/// Mounted until it is dropped.
pub(super) struct Disk {
    path: PathBuf,
    image: PathBuf,
}

/// How much room is to be left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Little,
    None,
}

impl Disk {
    /// Mounts at `path`, which is made; the file with the filesystem is `image`.
    pub(super) fn mount(path: &Path, image: &Path) -> Result<Self, String> {
        fs::create_dir_all(path).map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
        tool("truncate", &["-s", SIZE], image)?;
        tool("mkfs.ext4", &["-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1"], image)?;
        let mut mount = Command::new("mount");
        run(mount.args(["-o", "loop,noatime"]).arg(image).arg(path))?;
        Ok(Self { path: path.to_owned(), image: image.to_owned() })
    }

    /// Takes all room but a little, or all of it.
    pub(super) fn fill(&self, left: Room) -> Result<(), String> {
        let keep = if left == Room::Little { NEARLY_FULL_FREE_BYTES } else { 0 };
        let most = self.free_bytes()?.saturating_sub(keep.max(CRUMBS_BYTES[0]));
        self.take(most, 0)?;
        if left == Room::None {
            for (number, size) in CRUMBS_BYTES.into_iter().enumerate() {
                // The one that does not fit any more ends its size.
                (0..)
                    .take_while(|piece| self.take(size, (number + 1) * 1_000 + piece).is_ok())
                    .for_each(drop);
            }
        }
        Ok(())
    }

    pub(super) fn make_room(&self) -> Result<(), String> {
        let fillers = self.path.join(FILLERS);
        match fs::remove_dir_all(&fillers) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(format!("{} cannot be removed: {error}", fillers.display()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn set_read_only(&self) -> Result<(), String> {
        tool("mount", &["-o", "remount,ro"], &self.path)
    }

    pub(super) fn set_writable(&self) -> Result<(), String> {
        tool("mount", &["-o", "remount,rw"], &self.path)
    }

    fn take(&self, bytes: u64, number: usize) -> Result<(), String> {
        let fillers = self.path.join(FILLERS);
        // A folder that is there already is fine; whatever else is wrong shows in the next line.
        drop(fs::create_dir(&fillers));
        tool("fallocate", &["-l", &bytes.max(1).to_string()], &fillers.join(number.to_string()))
    }

    fn free_bytes(&self) -> Result<u64, String> {
        let mut df = Command::new("df");
        let text = run(df.args(["--block-size=1", "--output=avail"]).arg(&self.path))?;
        let last = text.lines().last().map(str::trim).unwrap_or_default();
        last.parse().map_err(|_| format!("df says `{text}`"))
    }
}

const FILLERS: &str = "fillers";

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file open keeps it until then.
        if let Err(error) = tool("umount", &["--lazy"], &self.path) {
            println!("{error}");
        }
        if let Err(error) = fs::remove_file(&self.image) {
            println!("{} stays: {error}", self.image.display());
        }
    }
}

/// The filesystem's kind at a path, as the report names it.
pub(super) fn filesystem_at(path: &Path) -> String {
    let mut df = Command::new("df");
    let kind = run(df.arg("--output=fstype").arg(path));
    let kind = kind.ok().and_then(|text| text.lines().last().map(str::to_owned));
    kind.unwrap_or_else(|| "unknown filesystem".to_owned())
}

fn tool(name: &str, arguments: &[&str], path: &Path) -> Result<(), String> {
    run(Command::new(name).args(arguments).arg(path)).map(drop)
}

fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("`{name}` cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("`{name}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
