//! What the kernel says about a process, by `/proc`.

use std::process::Command;

use crate::workspace;

pub(super) struct Process {
    pid: u32,
    /// Length of a clock tick in microseconds.
    tick_us: u64,
}

impl Process {
    pub(super) fn new(pid: u32) -> Result<Self, String> {
        let ticks = workspace::stdout_of(Command::new("getconf").arg("CLK_TCK"))?;
        let ticks: u64 = ticks.trim().parse().map_err(|_| format!("`{ticks}` is no number of ticks"))?;
        Ok(Self { pid, tick_us: 1_000_000 / ticks.max(1) })
    }

    /// User and system time of all threads since the start, in microseconds.
    pub(super) fn cpu_us(&self) -> Result<u64, String> {
        let stat = self.read("stat")?;
        cpu_ticks(&stat).map(|ticks| ticks * self.tick_us).ok_or_else(|| format!("cannot read `{stat}`"))
    }

    /// A line of `/proc/<pid>/status` in KiB, such as `VmRSS`.
    pub(super) fn memory_kib(&self, name: &str) -> Result<u64, String> {
        let status = self.read("status")?;
        status_kib(&status, name).ok_or_else(|| format!("the kernel tells no {name}"))
    }

    fn read(&self, file: &str) -> Result<String, String> {
        let path = format!("/proc/{}/{file}", self.pid);
        std::fs::read_to_string(&path).map_err(|error| format!("{path} cannot be read: {error}"))
    }
}

/// Fields 14 and 15 of proc(5) `stat`. The name in field 2 may hold anything, so counting starts behind it.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn status_kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.split(':').next() == Some(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let stat = "42 (a) b) S 1 2 3 4 5 6 7 8 9 10 700 30 11 12 20 0";
        assert_eq!(cpu_ticks(stat), Some(730));
        assert_eq!(cpu_ticks("42 (a) S 1"), None);
        let status = "VmRSSx:\t1 kB\nVmRSS:\t  20480 kB\n";
        assert_eq!(status_kib(status, "VmRSS"), Some(20_480));
        assert_eq!(status_kib(status, "VmHWM"), None);
        let own = Process::new(std::process::id()).expect("getconf is there");
        assert!(own.memory_kib("VmRSS").expect("a process has memory") > 0);
        assert!(own.cpu_us().is_ok());
    }
}
