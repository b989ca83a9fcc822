//! Where a delivery's CPU goes: `signalpost bench` under a sampling profiler, every sample of the server charged to one
//! stage, so that the stages add up to the whole.

mod classify;
mod perf;

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use signalpost_testkit::TempDir;

use crate::args::Args;
use crate::{Outcome, Task, release};

pub(crate) const TASK: Task = Task {
    name: "stages",
    summary: "split the server's CPU per delivery by stage, with perf",
    help: "Usage: cargo xtask stages [options]

  --scenario NAME  a scenario of `signalpost bench` (default steady)
  --seconds N      time of publishing in each part (default 10)
  --stored N       events stored before (default 0)
  --dir DIR        where the data lies (default: as `signalpost bench` has it)
  --frequency N    samples per second and core (default 1999)
  --binary FILE    takes this binary instead of building one; it needs symbols and frame pointers
  --json           prints the result as JSON

Builds the release binary with symbols and frame pointers into a target folder of its own, which takes as long as
a first build. Each sample belongs to the stage of the innermost function of ours on its stack; shares are
multiplied with the CPU that the kernel counted. Needs perf, and permission to see the kernel's stacks.",
    run,
};

/// Fewer samples than this say nothing about a stage of some per cent.
const SAMPLES_MIN: usize = 200;
/// A prime, so that no timer of the server's runs in step with it.
const FREQUENCY: u32 = 1_999;

/// One measured part of the run and its samples.
struct Part {
    name: String,
    window_ns: [u64; 2],
    cpu_us: f64,
    deliveries_per_s: f64,
    counts: [usize; classify::STAGES.len()],
}

/// What is handed on to `signalpost bench`.
struct BenchOptions {
    scenario: String,
    seconds: u64,
    stored: u64,
    directory: Option<String>,
}

fn run(mut args: Args) -> Outcome {
    let options = BenchOptions {
        scenario: args.value_or("--scenario", "steady".to_owned())?,
        seconds: args.value_or("--seconds", 10)?,
        stored: args.value_or("--stored", 0)?,
        directory: args.value("--dir")?,
    };
    let frequency: u32 = args.value_or("--frequency", FREQUENCY)?;
    let as_json = args.switch("--json");
    let binary = args.value("--binary")?.map_or_else(release::binary_for_profiling, Ok)?;
    args.finish()?;
    let folder = TempDir::new().map_err(|error| format!("no temporary folder: {error}"))?;
    let (recording, report) = (folder.path().join("perf.data"), folder.path().join("report.json"));
    let words = options.command(&binary, &report);
    perf::record(&recording, frequency, &words)?;
    let text =
        std::fs::read_to_string(&report).map_err(|error| format!("the bench left no report: {error}"))?;
    let report: Value =
        serde_json::from_str(&text).map_err(|error| format!("the report is no JSON: {error}"))?;
    let mut parts = parts(&report).ok_or("the report is not of the form that this task knows")?;
    count(&recording, &report, &mut parts)?;
    if as_json {
        println!("{}", Value::Array(parts.iter().map(Part::to_json).collect()));
    } else {
        parts.iter().for_each(|part| println!("{}", part.to_text()));
    }
    Ok(())
}

impl BenchOptions {
    fn command(&self, binary: &Path, report: &Path) -> Vec<String> {
        let mut words = vec![binary.display().to_string(), "bench".to_owned()];
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        option("--scenario", self.scenario.clone());
        option("--seconds", self.seconds.to_string());
        option("--stored", self.stored.to_string());
        option("--json", report.display().to_string());
        if let Some(directory) = &self.directory {
            option("--dir", directory.clone());
        }
        words
    }
}

fn parts(report: &Value) -> Option<Vec<Part>> {
    let part = |phase: &Value| {
        let window = phase["window_monotonic_ns"].as_array()?;
        Some(Part {
            name: phase["name"].as_str()?.to_owned(),
            window_ns: [window.first()?.as_u64()?, window.get(1)?.as_u64()?],
            cpu_us: phase["cpu_us_per_delivery"]["server"].as_f64()?,
            deliveries_per_s: phase["deliveries_per_s"].as_f64()?,
            counts: [0; classify::STAGES.len()],
        })
    };
    report["scenarios"][0]["phases"].as_array()?.iter().map(part).collect()
}

fn count(recording: &Path, report: &Value, parts: &mut [Part]) -> Outcome {
    let server = report["scenarios"][0]["server_pid"].as_u64().ok_or("the report names no server")?;
    let mut kernel_seen = false;
    perf::samples(recording, |sample| {
        if u64::from(sample.pid) != server {
            return;
        }
        kernel_seen |= sample.in_kernel;
        let found =
            parts.iter_mut().find(|part| (part.window_ns[0]..part.window_ns[1]).contains(&sample.at_ns));
        if let Some(part) = found {
            part.counts[classify::stage(&sample.frames)] += 1;
        }
    })?;
    if !kernel_seen {
        return Err(
            "perf shows no stack of the kernel's: allow it, `sysctl kernel.perf_event_paranoid=1`".to_owned()
        );
    }
    match parts.iter().find(|part| part.samples() < SAMPLES_MIN) {
        Some(part) => Err(format!("only {} samples of `{}`; take more --seconds", part.samples(), part.name)),
        None => Ok(()),
    }
}

impl Part {
    fn samples(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Share of a stage, and its microseconds per delivery.
    fn split(&self, stage: usize) -> (f64, f64) {
        let share = self.counts[stage] as f64 / self.samples().max(1) as f64;
        (share, share * self.cpu_us)
    }

    fn to_text(&self) -> String {
        let Self { name, deliveries_per_s, .. } = self;
        let samples = self.samples();
        let mut text =
            format!("\n{name}: {deliveries_per_s:.0} deliveries/s, {samples} samples of the server\n\n");
        let mut line = |stage: &str, us: f64, share: f64, what: &str| {
            writeln!(text, "  {stage:<10} {us:>7.1} us {:>6.1} %  {what}", share * 100.0)
                .expect("writing to a string does not fail");
        };
        for (position, (stage, what)) in classify::STAGES.iter().enumerate() {
            let (share, us) = self.split(position);
            line(stage, us, share, what);
        }
        line("all", self.cpu_us, 1.0, "as the kernel counts it");
        text
    }

    fn to_json(&self) -> Value {
        let stages = classify::STAGES.iter().enumerate().map(|(position, (stage, _))| {
            let (share, us) = self.split(position);
            json!({"stage": stage, "us_per_delivery": us, "share": share})
        });
        json!({
            "name": self.name,
            "deliveries_per_s": self.deliveries_per_s,
            "cpu_us_per_delivery": self.cpu_us,
            "samples": self.samples(),
            "stages": stages.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part() -> Part {
        let mut counts = [0; classify::STAGES.len()];
        (counts[0], counts[2], counts[9]) = (50, 30, 20);
        let name = "saturation".to_owned();
        Part { name, window_ns: [1, 2], cpu_us: 60.0, deliveries_per_s: 1_000.0, counts }
    }

    #[test]
    fn stages_add_up_to_the_whole() {
        let part = part();
        let splits = || (0..classify::STAGES.len()).map(|stage| part.split(stage));
        assert_eq!(part.split(0), (0.5, 30.0));
        assert!((splits().map(|(share, _)| share).sum::<f64>() - 1.0).abs() < 1e-9);
        assert!((splits().map(|(_, us)| us).sum::<f64>() - part.cpu_us).abs() < 1e-9);
        assert!(part.to_text().contains("accept        30.0 us   50.0 %"), "{}", part.to_text());
    }

    #[test]
    fn parts_are_read_from_a_report() {
        let phase = json!({
            "name": "saturation",
            "window_monotonic_ns": [5, 9],
            "cpu_us_per_delivery": {"server": 57.5},
            "deliveries_per_s": 10.0,
        });
        let report = json!({"scenarios": [{"phases": [phase]}]});
        let parts = parts(&report).expect("the form is known");
        assert_eq!((parts.len(), parts[0].window_ns, parts[0].cpu_us), (1, [5, 9], 57.5));
        assert!(super::parts(&json!({"scenarios": [{"phases": [{}]}]})).is_none());
    }
}
