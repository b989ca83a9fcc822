//! The machine that a run was made on: a figure without it says nothing.

use std::path::Path;

use serde_json::{Value, json};

use crate::cmd::Failure;

/// Load average per core above which a run is not to be trusted.
const BUSY: f64 = 0.5;

#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) cpu: String,
    pub(super) cores: usize,
    pub(super) memory_mib: u64,
    pub(super) kernel: String,
    /// Type and source of the filesystem that holds the data.
    pub(super) filesystem: String,
    pub(super) data_directory: String,
    /// Over one minute, before the run.
    pub(super) load_average: f64,
}

impl Machine {
    /// `directory` exists and will hold the data.
    pub(super) fn look(directory: &Path) -> Result<Self, Failure> {
        let directory = directory
            .canonicalize()
            .map_err(|error| Failure::io(format!("cannot use {}", directory.display()), error))?;
        let cpu = read("/proc/cpuinfo")?;
        let cpu = value_of(&cpu, "model name").unwrap_or("unknown").to_owned();
        let memory = read("/proc/meminfo")?;
        let memory_kib = value_of(&memory, "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok());
        let load = read("/proc/loadavg")?;
        let load_average = load.split(' ').next().and_then(|text| text.parse().ok());
        Ok(Self {
            cpu,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory_mib: memory_kib.unwrap_or(0_u64) / 1_024,
            kernel: read("/proc/sys/kernel/osrelease")?.trim_end().to_owned(),
            filesystem: filesystem_of(&read("/proc/self/mountinfo")?, &directory).unwrap_or_default(),
            data_directory: directory.display().to_string(),
            load_average: load_average.unwrap_or(0.0),
        })
    }

    /// Whether a sync to this filesystem costs nothing, so that figures of commits would be a fairy tale.
    pub(super) fn is_in_memory(&self) -> bool {
        matches!(self.filesystem.split(' ').next(), Some("tmpfs" | "ramfs"))
    }

    /// Reasons to mistrust the figures.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.load_average > BUSY * self.cores as f64 {
            warnings.push(format!(
                "the machine was busy: load average {:.2} on {} cores before the run",
                self.load_average, self.cores
            ));
        }
        if self.is_in_memory() {
            warnings.push("the data lies in memory: what is synced costs nothing here".to_owned());
        }
        if cfg!(debug_assertions) {
            warnings.push("this program was built without optimisation".to_owned());
        }
        warnings
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "cpu": self.cpu,
            "cores": self.cores,
            "memory_mib": self.memory_mib,
            "kernel": self.kernel,
            "filesystem": self.filesystem,
            "data_directory": self.data_directory,
            "load_average_1min_before": self.load_average,
        })
    }
}

fn read(path: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::io(path, error))
}

/// The first value of a file of `name: value` lines.
fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(known, _)| known.trim() == name).map(|(_, value)| value.trim())
}

/// Type and source of the mount that a path lies on: the longest mount point that contains it, and of equals the last
/// one, which covers the others (proc(5) `mountinfo`).
fn filesystem_of(mounts: &str, path: &Path) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    for line in mounts.lines() {
        let (left, right) = line.split_once(" - ")?;
        let point = left.split(' ').nth(4)?;
        let mut right = right.split(' ');
        let (kind, source) = (right.next()?, right.next()?);
        if path.starts_with(point) && best.as_ref().is_none_or(|(length, _)| point.len() >= *length) {
            best = Some((point.len(), format!("{kind} on {source}")));
        }
    }
    best.map(|(_, filesystem)| filesystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filesystem_is_that_of_the_longest_mount_point() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda rw\n\
                      30 22 0:5 / /tmp rw shared:1 - tmpfs tmp rw\n\
                      31 22 8:2 / /tmp/disk rw - xfs /dev/sdb rw\n\
                      32 22 8:3 / /tmp/disk rw - btrfs /dev/sdc rw\n";
        let of = |path: &str| filesystem_of(mounts, Path::new(path)).expect("there is a root");
        assert_eq!(of("/var/lib"), "ext4 on /dev/sda");
        assert_eq!(of("/tmp/x"), "tmpfs on tmp");
        assert_eq!(of("/tmpfile"), "ext4 on /dev/sda");
        assert_eq!(of("/tmp/disk/x"), "btrfs on /dev/sdc");
    }

    #[test]
    fn a_busy_machine_and_a_disk_in_memory_are_warned_of() {
        let mut machine = Machine::look(&std::env::temp_dir()).expect("a machine");
        let warnings = |machine: &Machine| machine.warnings().join("\n");
        (machine.cores, machine.load_average, machine.filesystem) = (2, 1.0, "ext4 on x".to_owned());
        assert!(!warnings(&machine).contains("busy") && !warnings(&machine).contains("memory"));
        machine.load_average = 1.1;
        machine.filesystem = "tmpfs on x".to_owned();
        assert!(warnings(&machine).contains("busy") && warnings(&machine).contains("memory"));
    }
}
