//! Running `perf` and reading what it prints.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Outcome;

/// One moment at which a thread was found running.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) pid: u32,
    /// On `CLOCK_MONOTONIC`, to a microsecond.
    pub(super) at_ns: u64,
    /// Symbols, the innermost first.
    pub(super) frames: Vec<String>,
    /// Whether a part of the stack was in the kernel.
    pub(super) in_kernel: bool,
}

/// Runs a command with all its children under `perf record`. Software clock events work in any virtual machine.
pub(super) fn record(file: &Path, frequency: u32, command: &[String]) -> Outcome {
    let mut perf = Command::new("perf");
    perf.args([
        "record",
        "--quiet",
        "--event",
        "cpu-clock",
        "--call-graph",
        "fp",
        "--clockid",
        "CLOCK_MONOTONIC",
    ])
    .args(["--freq", &frequency.to_string(), "--output"])
    .arg(file)
    .arg("--")
    .args(command)
    .stdin(Stdio::null());
    let status = perf.status().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "perf is missing; on Debian: apt-get install linux-perf".to_owned(),
        _ => format!("perf cannot be started: {error}"),
    })?;
    if status.success() { Ok(()) } else { Err(format!("the run under perf ended with {status}")) }
}

/// Reads the samples of a recording one by one.
pub(super) fn samples(file: &Path, mut each: impl FnMut(Sample)) -> Outcome {
    let mut perf = Command::new("perf");
    perf.args(["script", "--no-inline", "--fields", "comm,pid,tid,time,ip,sym", "--input"]).arg(file);
    let child = perf.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("perf cannot be started: {error}"))?;
    let stdout = child.stdout.take().ok_or("perf script has no output")?;
    let mut reader = Reader::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.map_err(|error| format!("perf script cannot be read: {error}"))?;
        reader.line(&String::from_utf8_lossy(&line), &mut each)?;
    }
    reader.line("", &mut each)?;
    let status = child.wait().map_err(|error| format!("perf script cannot be waited for: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("perf script ended with {status}")) }
}

/// A sample is a line that names thread and time, its frames in lines that begin with white space, and an empty line.
#[derive(Default)]
struct Reader(Option<Sample>);

impl Reader {
    fn line(&mut self, line: &str, each: &mut impl FnMut(Sample)) -> Outcome {
        if line.trim().is_empty() {
            self.0.take().into_iter().for_each(each);
            return Ok(());
        }
        match &mut self.0 {
            None => self.0 = Some(head(line).ok_or_else(|| format!("perf script printed `{line}`"))?),
            Some(sample) => {
                let (address, symbol) = line.trim_start().split_once(' ').unwrap_or_default();
                sample.in_kernel |= address.len() == 16 && address.starts_with("ffff");
                sample.frames.push(symbol.to_owned());
            }
        }
        Ok(())
    }
}

/// `comm pid/tid seconds.micros:`; the name may hold anything.
fn head(line: &str) -> Option<Sample> {
    let mut words = line.trim_end().trim_end_matches(':').rsplit(' ').filter(|word| !word.is_empty());
    let (seconds, fraction) = words.next()?.split_once('.')?;
    let micros: u64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let (pid, _) = words.next()?.split_once('/')?;
    let at_ns = seconds.parse::<u64>().ok()? * 1_000_000_000 + micros * 1_000;
    Some(Sample { pid: pid.parse().ok()?, at_ns, ..Sample::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_as_perf_prints_them() {
        let text = "store-write 19/20 14024.105604: \n\tffffffff821f26e7 exc_page_fault\n\t  306ac0 a::b<C as D>::e\n\n\
                    core 0 19/21    3.000001: \n\t            3808 [unknown]\n";
        let (mut reader, mut found) = (Reader::default(), Vec::new());
        for line in text.split('\n').chain([""]) {
            reader.line(line, &mut |sample| found.push(sample)).expect("well formed");
        }
        let frames = |symbols: &[&str]| symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
        let first = Sample {
            pid: 19,
            at_ns: 14_024_105_604_000,
            frames: frames(&["exc_page_fault", "a::b<C as D>::e"]),
            in_kernel: true,
        };
        let second =
            Sample { pid: 19, at_ns: 3_000_001_000, frames: frames(&["[unknown]"]), in_kernel: false };
        assert_eq!(found, [first, second]);
        assert!(Reader::default().line("nonsense", &mut drop).is_err());
    }
}
