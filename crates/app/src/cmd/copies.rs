//! What `backup`, `restore` and `migrate` share: the manifest, the key files, and a line of progress.

use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use signalpost_core::hex;
use signalpost_core::ports::Clock;
use signalpost_core::time::Timestamp;
use signalpost_store_sqlite::copy::CopyError;
use signalpost_store_sqlite::{Existing, create_private};

use crate::clock::SystemClock;
use crate::cmd::Failure;

pub(crate) const MANIFEST_FILE: &str = "manifest.json";
/// Of the manifest; another one was written by a later version.
const FORMAT: u64 = 1;
const SHOW_EVERY: Duration = Duration::from_millis(500);

/// What a restore needs of a manifest.
pub(super) struct Manifest {
    pub(super) sha256: [u8; 32],
    /// When the backup was begun.
    pub(super) created_at: Timestamp,
}

/// A key file of the source, and whether the target has it already.
pub(super) struct KeyCopy {
    pub(super) file: &'static str,
    target: Target,
}

#[derive(PartialEq, Eq)]
enum Target {
    Missing,
    /// Byte for byte.
    Equal,
}

impl KeyCopy {
    pub(super) fn lies_ready(&self) -> bool {
        self.target == Target::Equal
    }
}

pub(super) fn now() -> Timestamp {
    SystemClock::new().now()
}

/// The last thing a backup writes: a folder without it is not complete.
pub(super) fn write_manifest(folder: &Path, manifest: &Value) -> Result<(), Failure> {
    let path = folder.join(MANIFEST_FILE);
    let written = create_private(&path, Existing::Refused).and_then(|mut file| {
        writeln!(file, "{manifest:#}")?;
        file.sync_all()?;
        File::open(folder)?.sync_all()
    });
    written.map_err(|error| Failure::io(format!("cannot write {}", path.display()), error))
}

pub(super) fn read_manifest(folder: &Path) -> Result<Manifest, Failure> {
    let path = folder.join(MANIFEST_FILE);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::io(format!("cannot read {}", path.display()), error)
            .hint("A backup is the folder that `signalpost backup --to` has written, with its manifest.")
    })?;
    parse_manifest(&text).map_err(|problem| Failure::new(format!("{}: {problem}", path.display())))
}

fn parse_manifest(text: &str) -> Result<Manifest, String> {
    let manifest: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    match manifest["format"].as_u64() {
        Some(FORMAT) => {}
        Some(other) => return Err(format!("format {other} is of another version; this one reads {FORMAT}")),
        None => return Err("no manifest of a backup".to_owned()),
    }
    let sha256 = manifest["sha256"].as_str().and_then(digest).ok_or("sha256 is not 64 hexadecimal digits")?;
    let created_at = manifest["created_at"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let created_at = created_at.ok_or("created_at is not an instant")?;
    Ok(Manifest { sha256, created_at: Timestamp::from_ms(created_at.as_millisecond()) })
}

fn digest(text: &str) -> Option<[u8; 32]> {
    hex::decode(text)?.try_into().ok()
}

/// Which of these key files exist in `from`; those that came from the environment are in no file. Refused when `to` has
/// another one by the name of one of them. To be asked before anything is copied.
pub(super) fn keys_to_copy(from: &Path, to: &Path, files: &[&'static str]) -> Result<Vec<KeyCopy>, Failure> {
    let read = |path: &Path| match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io(format!("cannot read {}", path.display()), error)),
    };
    let mut copies = Vec::new();
    for file in files.iter().copied() {
        let Some(key) = read(&from.join(file))? else { continue };
        let target = match read(&to.join(file))? {
            None => Target::Missing,
            Some(other) if other == key => Target::Equal,
            Some(_) => {
                let (from, to) = (from.display(), to.display());
                return Err(Failure::new(format!("{file} in {to} is not the one in {from}"))
                    .hint("Take one of them away: nobody but you can say which one is meant."));
            }
        };
        copies.push(KeyCopy { file, target });
    }
    Ok(copies)
}

/// Copies those that the target does not have.
pub(super) fn copy_keys(from: &Path, to: &Path, keys: &[KeyCopy]) -> Result<(), Failure> {
    for KeyCopy { file, .. } in keys.iter().filter(|key| !key.lies_ready()) {
        let (source, target) = (from.join(file), to.join(file));
        let copied = std::fs::read(&source).and_then(|bytes| {
            let mut target = create_private(&target, Existing::Refused)?;
            target.write_all(&bytes)?;
            target.sync_all()
        });
        copied.map_err(|error| Failure::io(format!("cannot copy {}", source.display()), error))?;
    }
    Ok(())
}

pub(super) fn copy_failure(error: CopyError) -> Failure {
    let hint = match &error {
        CopyError::NoDatabase(_) => Some("Name the data directory that `signalpost serve` was started with."),
        CopyError::Damaged { .. } => {
            Some("Take an older backup; `signalpost db check` tells more about a data directory.")
        }
        _ => None,
    };
    let failure = Failure::new(error.to_string());
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

pub(super) fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// Says on a terminal how far a long copy is; silent elsewhere.
pub(super) struct ProgressLine {
    verb: &'static str,
    shown_at: Option<Instant>,
    is_terminal: bool,
}

impl ProgressLine {
    pub(super) fn new(verb: &'static str) -> Self {
        Self { verb, shown_at: None, is_terminal: std::io::stderr().is_terminal() }
    }

    pub(super) fn show(&mut self, done_bytes: u64, total_bytes: u64) {
        self.tell(|| format!("{} of {}", mib(done_bytes), mib(total_bytes)));
    }

    pub(super) fn show_rows(&mut self, done: u64, total: Option<u64>) {
        self.tell(|| match total {
            Some(total) => format!("{done} of {total} rows"),
            None => format!("{done} rows"),
        });
    }

    fn tell(&mut self, how_far: impl FnOnce() -> String) {
        if !self.is_terminal || self.shown_at.is_some_and(|at| at.elapsed() < SHOW_EVERY) {
            return;
        }
        self.shown_at = Some(Instant::now());
        let text = format!("\r{} {}   ", self.verb, how_far());
        // Progress is a courtesy; a closed terminal is no reason to stop.
        std::io::stderr().write_all(text.as_bytes()).unwrap_or_default();
    }

    pub(super) fn end(&self) {
        if self.shown_at.is_some() {
            std::io::stderr().write_all(b"\n").unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_read_strictly() {
        let sha256 = "0a".repeat(32);
        let good = format!(r#"{{"format":1,"sha256":"{sha256}","created_at":"2026-05-05T10:06:46.150Z"}}"#);
        let manifest = parse_manifest(&good).expect("a good manifest");
        assert_eq!((manifest.sha256, manifest.created_at.as_ms()), ([10u8; 32], 1_777_975_606_150));
        for bad in ["", "[]", "{}", r#"{"format":2}"#, r#"{"format":1,"sha256":"0a"}"#, r#"{"format":1}"#] {
            assert!(parse_manifest(bad).is_err(), "{bad}");
        }
        for (part, other) in [("0a", "+a"), ("2026-05", "2026-5"), ("created_at", "made_at")] {
            assert!(parse_manifest(&good.replacen(part, other, 1)).is_err(), "{other}");
        }
    }
}
