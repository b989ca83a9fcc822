//! One target, run until it has had its time: what libFuzzer says while it runs, and what it leaves behind.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::build::{Fuzzer, Known, kept};

/// How long a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// Of the processor's time.
    Seconds(u64),
    Runs(u64),
}

/// Where chance leads a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    New,
    /// That of every run with the same targets and inputs, as far as it gets.
    Same,
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) target: String,
    pub(super) executions: u64,
    /// Of the processor.
    pub(super) cpu: Duration,
    /// Edges that were reached.
    pub(super) coverage: u64,
    /// The input that broke a promise.
    pub(super) finding: Option<PathBuf>,
}

pub(super) struct Session<'a> {
    fuzzer: &'a Fuzzer,
    target: &'a Known,
    /// Inputs that were found to reach something new, by this run and earlier ones.
    grown: PathBuf,
    kept: PathBuf,
    findings: PathBuf,
}

const SAME_SEED: &str = "-seed=1";
/// Lines of what libFuzzer says that are shown when it ends badly.
const LAST_LINES: usize = 60;
/// Between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(20);
/// Ticks of the processor's clock in a second, as Linux counts them for programs on every architecture.
const TICKS_PER_S: u64 = 100;

impl<'a> Session<'a> {
    pub(super) fn new(fuzzer: &'a Fuzzer, target: &'a Known) -> Result<Self, String> {
        let (grown, findings) = (fuzzer.place("corpus", target)?, fuzzer.place("findings", target)?);
        Ok(Self { fuzzer, target, grown, kept: kept(target)?, findings })
    }

    /// Runs until the bound is reached or something is found. On a busy machine the processor's time is less than
    /// that of the clock, so there are several rounds.
    pub(super) fn run(&self, bound: Bound, way: Way) -> Result<Report, String> {
        let mut report = Report { target: self.target.name.clone(), ..Report::default() };
        loop {
            let argument = match bound {
                Bound::Runs(runs) if report.executions < runs => {
                    format!("-runs={}", runs - report.executions)
                }
                Bound::Seconds(seconds) if report.cpu < Duration::from_secs(seconds) => {
                    let left = Duration::from_secs(seconds) - report.cpu;
                    format!("-max_total_time={}", left.as_secs().max(1))
                }
                _ => return Ok(report),
            };
            let before = report.executions;
            self.round(&argument, way, &mut report)?;
            if report.finding.is_some() {
                return Ok(report);
            }
            if report.executions == before {
                return Err(format!("`{}` executed nothing", self.target.name));
            }
        }
    }

    fn round(&self, bound: &str, way: Way, report: &mut Report) -> Result<(), String> {
        let started = children_cpu();
        let mut command = self.fuzzer.command(self.target);
        command.args([bound, "-print_final_stats=1", "-reload=0"]);
        if way == Way::Same {
            command.arg(SAME_SEED);
        }
        command.arg(format!("-artifact_prefix={}/", self.findings.display()));
        command.args([&self.grown, &self.kept]).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("the fuzzer cannot be started: {error}"))?;
        let mut said = Said::default();
        let heard = self.listen(&mut child, report, &mut said);
        let status: ExitStatus = child.wait().map_err(|error| format!("the fuzzer is lost: {error}"))?;
        heard?;
        report.cpu += children_cpu().saturating_sub(started);
        report.executions += said.executions;
        report.coverage = report.coverage.max(said.coverage);
        if status.success() {
            return Ok(());
        }
        println!("{}", said.last_lines.join("\n"));
        report.finding.clone_from(&said.finding);
        match said.finding {
            Some(_) => Ok(()),
            None => Err(format!("`{}` ended with {status} and left no input", self.target.name)),
        }
    }

    fn listen(&self, child: &mut Child, report: &Report, said: &mut Said) -> Result<(), String> {
        let Some(stderr) = child.stderr.take() else { return Ok(()) };
        let mut shown = Instant::now();
        for line in BufReader::new(stderr).split(b'\n') {
            let line = line.map_err(|error| format!("the fuzzer cannot be heard: {error}"))?;
            said.take(&String::from_utf8_lossy(&line));
            if shown.elapsed() >= PROGRESS {
                shown = Instant::now();
                let executions = report.executions + said.executions;
                println!("  {}: {executions} executions, coverage {}", self.target.name, said.coverage);
                std::io::stdout().flush().map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }
}

/// What one round said.
#[derive(Debug, Default)]
struct Said {
    executions: u64,
    coverage: u64,
    finding: Option<PathBuf>,
    last_lines: Vec<String>,
}

impl Said {
    fn take(&mut self, line: &str) {
        if let Some(number) = line.strip_prefix('#').and_then(|rest| rest.split_ascii_whitespace().next()) {
            self.executions = number.parse().unwrap_or(self.executions);
        }
        if let Some(number) = line.strip_prefix("stat::number_of_executed_units:") {
            self.executions = number.trim().parse().unwrap_or(self.executions);
        }
        if let Some((_, rest)) = line.split_once(" cov: ") {
            let number = rest.split(' ').next().unwrap_or_default();
            self.coverage = number.parse().unwrap_or(self.coverage);
        }
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.finding = Some(PathBuf::from(path));
        }
        if self.last_lines.len() == LAST_LINES {
            self.last_lines.remove(0);
        }
        self.last_lines.push(line.to_owned());
    }
}

/// Time of the processor that went into commands that have ended; nothing where the system does not tell.
fn children_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program stands in parentheses and may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1_000 / TICKS_PER_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzzer_says_is_understood() {
        let mut said = Said::default();
        for line in [
            "INFO: Seed: 1",
            "#32768\tpulse  cov: 1200 ft: 3400 corp: 5/1Kb lim: 8 exec/s: 100 rss: 60Mb",
            "artifact_prefix='x/'; Test unit written to x/crash-1",
            "stat::number_of_executed_units: 40000",
        ] {
            said.take(line);
        }
        assert_eq!((said.executions, said.coverage), (40_000, 1_200));
        assert_eq!(said.finding, Some(PathBuf::from("x/crash-1")));
        (0..LAST_LINES).for_each(|_| said.take("more"));
        assert_eq!(said.last_lines.len(), LAST_LINES);
    }
}
