//! What `backup` and `restore` share: the manifest, the key files, and a line of progress.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use signalpost_core::ports::Clock;
use signalpost_store_sqlite::copy::CopyError;

use crate::cmd::Failure;
use crate::key_files::{MASTER_KEY_FILE, OPERATOR_KEY_FILE};
use crate::ports::SystemClock;

pub(crate) const MANIFEST_FILE: &str = "manifest.json";
/// Of the manifest; another one was written by a later version.
const FORMAT: u64 = 1;
const SHOW_EVERY: Duration = Duration::from_millis(500);

/// What a restore needs of a manifest.
pub(super) struct Manifest {
    pub(super) sha256: [u8; 32],
    pub(super) created_at: String,
}

/// A key file that was copied.
pub(super) struct KeyCopy {
    pub(super) file: &'static str,
}

pub(super) fn created_at() -> String {
    SystemClock::new().now().to_rfc3339_ms()
}

/// The last thing a backup writes: a folder without it is not complete.
pub(super) fn write_manifest(folder: &Path, manifest: &Value) -> Result<(), Failure> {
    let path = folder.join(MANIFEST_FILE);
    let written = create_private(&path).and_then(|mut file| {
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
    Ok(Manifest { sha256, created_at: manifest["created_at"].as_str().unwrap_or("unknown").to_owned() })
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0u8; 32];
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Copies the key files that exist in `from`; those that came from the environment are in no file.
pub(super) fn copy_keys(from: &Path, to: &Path) -> Result<Vec<KeyCopy>, Failure> {
    let mut copied = Vec::new();
    for file in [OPERATOR_KEY_FILE, MASTER_KEY_FILE] {
        let source = from.join(file);
        if !source.exists() {
            continue;
        }
        let target = to.join(file);
        let copy = std::fs::read(&source).and_then(|bytes| {
            let mut target = create_private(&target)?;
            target.write_all(&bytes)?;
            target.sync_all()
        });
        copy.map_err(|error| Failure::io(format!("cannot copy {}", source.display()), error))?;
        copied.push(KeyCopy { file });
    }
    Ok(copied)
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

fn create_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
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
        if !self.is_terminal || self.shown_at.is_some_and(|at| at.elapsed() < SHOW_EVERY) {
            return;
        }
        self.shown_at = Some(Instant::now());
        let text = format!("\r{} {} of {}   ", self.verb, mib(done_bytes), mib(total_bytes));
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
        let good = format!(r#"{{"format":1,"sha256":"{}","created_at":"now"}}"#, "0a".repeat(32));
        assert_eq!(parse_manifest(&good).expect("a good manifest").sha256, [10u8; 32]);
        for bad in ["", "[]", "{}", r#"{"format":2}"#, r#"{"format":1,"sha256":"0a"}"#, r#"{"format":1}"#] {
            assert!(parse_manifest(bad).is_err(), "{bad}");
        }
        assert!(parse_manifest(&good.replacen("0a", "+a", 1)).is_err());
    }
}
