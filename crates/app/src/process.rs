//! What tells this process from every other one, and whether another one on this machine has ended.

use std::fs::{read_link, read_to_string};
use std::path::PathBuf;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use signalpost_store_postgres::Process;

/// The fields of a process's `stat` that stand before its name ends: the number and the name itself.
const FIELDS_BEFORE_STATE: usize = 2;
/// When it began, in ticks since the machine did: field 22 of `stat` (proc(5)).
const START_FIELD: usize = 22;

/// This process. Where the system has no `/proc` its name is not to be recognised, and others wait for its lease.
pub(crate) fn this() -> Process {
    let place = place();
    let name = match (place, started_at("self")) {
        (Some(place), Some(start)) => format!("{place}/{}/{start}", std::process::id()),
        _ => String::new(),
    };
    Process { name, is_gone }
}

/// Where process numbers mean what they mean here: this start of this machine, and the namespace.
fn place() -> Option<String> {
    let boot = read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), namespace.to_str()?))
}

fn is_gone(name: &str) -> bool {
    let Some((rest, start)) = name.rsplit_once('/') else { return false };
    let Some((there, number)) = rest.rsplit_once('/') else { return false };
    if number.parse::<u32>().is_err() || place().as_deref() != Some(there) {
        return false;
    }
    match started_at(number) {
        // Another process may have the number by now, but none has begun when that one did.
        Some(found) => found != start,
        // One that has ended, or of another user, whose processes may be hidden (`hidepid` of proc(5)).
        None => !exists(number),
    }
}

/// Whether there is a process with this number, whoever may see it. One that only waits to be reaped is there as well.
fn exists(number: &str) -> bool {
    let number = number.parse().ok().and_then(Pid::from_raw);
    number.is_some_and(|number| test_kill_process(number) != Err(Errno::SRCH))
}

/// `None` when there is no such process, or it cannot be seen; nothing when it has ended and only waits to be reaped.
fn started_at(number: &str) -> Option<String> {
    let stat = read_to_string(PathBuf::from("/proc").join(number).join("stat")).ok()?;
    // The name stands in brackets and may hold any of them.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?;
    let start = fields.nth(START_FIELD - FIELDS_BEFORE_STATE - 2)?;
    // What it was is over, though its number is still taken.
    Some(if matches!(state, "Z" | "X") { String::new() } else { start.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use signalpost_testkit::wait_for;

    #[test]
    fn a_process_is_gone_when_it_has_ended_and_not_before() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("it starts");
        let number = child.id().to_string();
        let start = started_at(&number).expect("it lives");
        let name = format!("{}/{number}/{start}", place().expect("there is /proc"));
        assert!(!is_gone(&name) && !is_gone(&this().name));
        child.kill().expect("it lives");
        wait_for("it to end", Duration::from_secs(20), || is_gone(&name))
            .expect("it does, before it is reaped");
        child.wait().expect("it ends");
        assert!(is_gone(&name));
    }

    /// Whether its `stat` can be read or not.
    #[test]
    fn whoever_is_only_hidden_exists() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("it starts");
        let number = child.id().to_string();
        assert!(exists(&number) && exists("1"));
        child.kill().expect("it lives");
        child.wait().expect("it ends");
        assert!(!exists(&number));
    }

    #[test]
    fn one_that_has_the_number_of_another_is_not_it() {
        let name = this().name;
        let (before, _) = name.rsplit_once('/').expect("it has parts");
        assert!(is_gone(&format!("{before}/1")));
    }

    #[test]
    fn nobody_is_thought_gone_who_cannot_be_seen_from_here() {
        for name in ["", "x", "other-boot/pid:[1]/4194303/1", "a/b/c/d", "a/b/-1/1"] {
            assert!(!is_gone(name), "{name}");
        }
    }
}
