//! A wall clock that lies to one process: libfaketime, loaded before the process's own libraries, reads what to say from a
//! file that changes while the process runs. Timers go by the monotonic clock, which stays true.

use std::fs;
use std::path::{Path, PathBuf};

const PLACES: [&str; 4] = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib"];
const LIBRARY: &str = "faketime/libfaketime.so.1";

pub(super) struct StrangeClock {
    library: PathBuf,
    file: PathBuf,
}

impl StrangeClock {
    /// `None` where the library is not installed.
    pub(super) fn find(file: PathBuf) -> Option<Self> {
        Some(Self { library: library()?, file })
    }

    /// What a process needs in its environment to be lied to.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        [
            ("LD_PRELOAD", text(&self.library)),
            ("FAKETIME_TIMESTAMP_FILE", text(&self.file)),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            // What is shared with other processes stays behind when a process is killed.
            ("FAKETIME_DISABLE_SHM", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Ahead by so many seconds, or behind.
    pub(super) fn step(&self, seconds: i64) -> Result<(), String> {
        self.say(&format!("{seconds:+}\n"))
    }

    /// So many times as fast, from the true time on.
    pub(super) fn run_fast(&self, times: u32) -> Result<(), String> {
        self.say(&format!("+0 x{times}\n"))
    }

    /// Written beside and renamed, so that nobody reads half of it.
    fn say(&self, text: &str) -> Result<(), String> {
        let draft = self.file.with_extension("draft");
        let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, &self.file));
        written.map_err(|error| format!("{} cannot be written: {error}", self.file.display()))
    }
}

/// Debian puts it below a folder named after the processor's architecture.
fn library() -> Option<PathBuf> {
    let below = |place: &Path| {
        let entries = fs::read_dir(place).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().join(LIBRARY)).find(|path| path.is_file())
    };
    PLACES.iter().map(Path::new).find_map(|place| {
        let here = place.join(LIBRARY);
        if here.is_file() { Some(here) } else { below(place) }
    })
}
