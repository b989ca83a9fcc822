//! What the kernel says of a process, by `/proc`: CPU of each thread, memory.

use std::path::PathBuf;

use super::clock::NS_PER_S;
use crate::cmd::Failure;

#[derive(Clone, Copy)]
pub(super) struct Process {
    pub(super) pid: u32,
}

/// CPU time of one thread since its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ThreadTime {
    thread: u32,
    name: String,
    ns: u64,
}

/// CPU time of a process since its start.
#[derive(Clone, Debug, Default)]
pub(super) struct CpuTimes {
    threads: Vec<ThreadTime>,
    user_ns: u64,
    system_ns: u64,
}

/// CPU time of a process between two readings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CpuSpent {
    /// All threads together, to the nanosecond where the kernel counts so.
    pub(super) total_ns: u64,
    /// To a clock tick, mostly 10 ms.
    pub(super) user_ns: u64,
    pub(super) system_ns: u64,
    /// By the thread's name, the largest first.
    pub(super) threads: Vec<(String, u64)>,
}

impl Process {
    pub(super) fn own() -> Self {
        Self { pid: std::process::id() }
    }

    pub(super) fn cpu(&self) -> Result<CpuTimes, Failure> {
        let Stat { user_ns, system_ns, .. } = parsed(&self.path("stat"), Stat::of)?;
        let tasks = self.path("task");
        let entries = std::fs::read_dir(&tasks).map_err(|error| Failure::io(tasks.display(), error))?;
        let mut threads = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| Failure::io(tasks.display(), error))?.file_name();
            // A thread that ends while we look has nothing more to tell.
            threads.extend(name.to_str().and_then(|name| self.thread(name.parse().ok()?)));
        }
        Ok(CpuTimes { threads, user_ns, system_ns })
    }

    fn thread(&self, thread: u32) -> Option<ThreadTime> {
        let folder = self.path("task").join(thread.to_string());
        let name = std::fs::read_to_string(folder.join("comm")).ok()?.trim_end().to_owned();
        let exact =
            std::fs::read_to_string(folder.join("schedstat")).ok().and_then(|text| first_number(&text));
        // A kernel without scheduler statistics still counts ticks.
        let ns = match exact {
            Some(ns) => ns,
            None => {
                let stat = Stat::of(&std::fs::read_to_string(folder.join("stat")).ok()?)?;
                stat.user_ns + stat.system_ns
            }
        };
        Some(ThreadTime { thread, name, ns })
    }

    /// Resident memory now, and at its highest so far.
    pub(super) fn memory_kib(&self) -> Result<(u64, u64), Failure> {
        parsed(&self.path("status"), |status| {
            Some((status_kib(status, "VmRSS")?, status_kib(status, "VmHWM")?))
        })
    }

    fn path(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.pid))
    }
}

/// CPU time of a process, of its children that have ended, and of those that live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ChildrenTimes {
    pub(super) own_ns: u64,
    pub(super) ended_ns: u64,
    pub(super) living_ns: u64,
}

/// To a clock tick of each process, mostly 10 ms.
pub(super) fn children_of(pid: u32) -> Result<ChildrenTimes, Failure> {
    let own = parsed(&Process { pid }.path("stat"), Stat::of)?;
    let mut times = ChildrenTimes {
        own_ns: own.user_ns + own.system_ns,
        ended_ns: own.ended_children_ns,
        ..ChildrenTimes::default()
    };
    let entries = std::fs::read_dir("/proc").map_err(|error| Failure::io("/proc", error))?;
    for entry in entries.flatten() {
        let Some(pid_here) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process that ends while we look is counted with those that have ended, the next time.
        let stat = std::fs::read_to_string(Process { pid: pid_here }.path("stat")).ok();
        if let Some(stat) = stat.as_deref().and_then(Stat::of).filter(|stat| stat.parent == pid) {
            times.living_ns += stat.user_ns + stat.system_ns + stat.ended_children_ns;
        }
    }
    Ok(times)
}

/// Of proc(5) `stat`.
struct Stat {
    parent: u32,
    user_ns: u64,
    system_ns: u64,
    ended_children_ns: u64,
}

impl Stat {
    /// Fields 4 and 14 to 17. The name in field 2 may hold anything, so counting starts behind it.
    fn of(stat: &str) -> Option<Self> {
        let tick_ns = NS_PER_S / rustix::param::clock_ticks_per_second();
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |field: usize| Some(fields.get(field)?.parse::<u64>().ok()? * tick_ns);
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            user_ns: ticks(11)?,
            system_ns: ticks(12)?,
            ended_children_ns: ticks(13)? + ticks(14)?,
        })
    }
}

fn parsed<T>(path: &std::path::Path, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path.display(), error))?;
    parse(&text).ok_or_else(|| Failure::new(format!("{} says nothing we understand: {text}", path.display())))
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

fn status_kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.split(':').next() == Some(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

impl CpuTimes {
    /// How many threads have a name that starts so.
    pub(super) fn threads_named(&self, start: &str) -> usize {
        self.threads.iter().filter(|thread| thread.name.starts_with(start)).count()
    }

    /// What was spent since `before`, a reading of the same process.
    /// Of this process and another.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.threads.extend(other.threads);
        self.user_ns += other.user_ns;
        self.system_ns += other.system_ns;
        self
    }

    pub(super) fn since(&self, before: &Self) -> CpuSpent {
        let mut spent = CpuSpent {
            user_ns: self.user_ns.saturating_sub(before.user_ns),
            system_ns: self.system_ns.saturating_sub(before.system_ns),
            ..CpuSpent::default()
        };
        for thread in &self.threads {
            let earlier = before.threads.iter().find(|earlier| earlier.thread == thread.thread);
            let ns = thread.ns.saturating_sub(earlier.map_or(0, |earlier| earlier.ns));
            spent.total_ns += ns;
            match spent.threads.iter_mut().find(|(name, _)| *name == thread.name) {
                Some((_, sum)) => *sum += ns,
                None => spent.threads.push((thread.name.clone(), ns)),
            }
        }
        spent.threads.sort_unstable_by_key(|(_, ns)| std::cmp::Reverse(*ns));
        spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let tick_ns = NS_PER_S / rustix::param::clock_ticks_per_second();
        let stat = "42 (a) b) S 1 2 3 4 5 6 7 8 9 10 700 30 11 12 20 0";
        let stat = Stat::of(stat).expect("whole");
        assert_eq!((stat.parent, stat.user_ns, stat.system_ns), (1, 700 * tick_ns, 30 * tick_ns));
        assert_eq!(stat.ended_children_ns, 23 * tick_ns);
        assert!(Stat::of("42 (a) S 1").is_none());
        let status = "VmRSSx:\t1 kB\nVmRSS:\t  20480 kB\n";
        assert_eq!(status_kib(status, "VmRSS"), Some(20_480));
        assert_eq!(status_kib(status, "VmHWM"), None);
        let (now_kib, highest_kib) = Process::own().memory_kib().expect("a process has memory");
        assert!(0 < now_kib && now_kib <= highest_kib);
    }

    #[test]
    fn what_was_spent_is_split_by_thread() {
        let thread = |thread, name: &str, ns| ThreadTime { thread, name: name.to_owned(), ns };
        let times = |threads| CpuTimes { threads, ..CpuTimes::default() };
        let before = times(vec![thread(1, "core-0", 100), thread(2, "store-write", 50)]);
        let after =
            times(vec![thread(1, "core-0", 130), thread(2, "store-write", 90), thread(3, "store-write", 5)]);
        assert_eq!((after.threads_named("store-"), after.threads_named("write")), (2, 0));
        let spent = after.since(&before);
        assert_eq!(spent.total_ns, 75);
        assert_eq!(spent.threads, [("store-write".to_owned(), 45), ("core-0".to_owned(), 30)]);
    }

    #[test]
    fn children_are_counted_with_their_parent() {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; read x"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("a shell");
        let counted = |times: ChildrenTimes| times.living_ns + times.ended_ns;
        let own = || children_of(std::process::id()).expect("we are there");
        while own().living_ns == 0 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let before = own();
        drop(child.stdin.take());
        child.wait().expect("it ends");
        assert!(counted(own()) >= counted(before), "what has ended is not forgotten");
    }

    #[test]
    fn our_own_threads_are_found() {
        let before = Process::own().cpu().expect("we run");
        assert!(!before.threads.is_empty());
        assert!(before.since(&CpuTimes::default()).total_ns > 0);
    }
}
