//! What a run found, for people, for programs, and as a picture.

mod json;
mod svg;
mod text;

use serde_json::Value;

use super::calls::Published;
use super::ledger::{Received, Told};
use super::machine::Machine;
use super::phase::Figures;

#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) machine: Machine,
    pub(super) settings: Value,
    pub(super) warnings: Vec<String>,
    pub(super) scenarios: Vec<ScenarioReport>,
}

#[derive(Clone, Debug)]
pub(super) struct ScenarioReport {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) server_pid: u32,
    pub(super) facts: Vec<Fact>,
    pub(super) phases: Vec<Figures>,
    pub(super) published: Published,
    pub(super) told: Told,
    pub(super) received: Received,
    pub(super) mismatches: Vec<String>,
}

/// One figure with its name and unit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    /// What we hold ourselves to, where we do. Missing it does not void a run.
    pub(super) target: Option<Target>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Fact {
    pub(super) const fn new(name: &'static str, value: f64, unit: &'static str) -> Self {
        Self { name, value, unit, target: None }
    }

    pub(super) fn against(self, target: Target) -> Self {
        Self { target: Some(target), ..self }
    }

    /// Whether the target was met; `None` where there is none.
    pub(super) fn is_met(&self) -> Option<bool> {
        self.target.map(|target| match target {
            Target::AtMost(most) => self.value <= most,
            Target::AtLeast(least) => self.value >= least,
        })
    }
}

impl Report {
    /// Names of the scenarios whose figures mean nothing.
    pub(super) fn void(&self) -> impl Iterator<Item = &str> {
        self.scenarios.iter().filter(|scenario| !scenario.mismatches.is_empty()).map(|scenario| scenario.name)
    }
}

/// A run that never was, the same at every time.
#[cfg(test)]
pub(super) mod canned {
    use super::super::phase::{CpuFigures, Curve, LatencyFigures};
    use super::*;

    pub(in super::super) fn report() -> Report {
        let machine = Machine {
            cpu: "Test <CPU> & Co".to_owned(),
            cores: 2,
            memory_mib: 24_000,
            kernel: "6.1.0".to_owned(),
            filesystem: "ext4 on /dev/vda".to_owned(),
            data_directory: "/tmp".to_owned(),
            load_average: 0.25,
        };
        let scenario = ScenarioReport {
            name: "steady",
            what: "one webhook gets every event",
            server_pid: 77,
            facts: vec![
                Fact::new("resident at the end", 31.25, "MiB"),
                Fact::new("p99 beside one that hangs", 1.062, "x").against(Target::AtMost(1.5)),
            ],
            phases: vec![phase("saturation", None), phase("half of it", Some(latency()))],
            published: Published {
                acknowledged: 2_000,
                expected: 2_000,
                promised: 2_000,
                ..Published::default()
            },
            told: Told { accepted: 2_000, created: 2_000, delivered: 2_000, ..Told::default() },
            received: Received { distinct: 2_000, ..Received::default() },
            mismatches: Vec::new(),
        };
        let warnings = vec!["the machine was busy".to_owned()];
        Report {
            machine,
            settings: serde_json::json!({"seconds": 10, "connections": 64, "pending_deliveries": 5}),
            warnings,
            scenarios: vec![scenario],
        }
    }

    pub(in super::super) fn phases_with_latency() -> [Figures; 2] {
        ["alone", "beside one"].map(|name| phase(name, Some(latency())))
    }

    fn phase(name: &str, latency: Option<LatencyFigures>) -> Figures {
        Figures {
            name: name.to_owned(),
            window_ns: [1_000, 2_000],
            events: 1_000,
            refused: 3,
            unknown: 0,
            deliveries: 1_000,
            events_per_s: 12_345.6,
            deliveries_per_s: 12_000.4,
            drained: true,
            groups: None,
            cpu: CpuFigures {
                server_us: 57.91,
                server_user_us: 30.0,
                server_system_us: 28.0,
                threads_us: vec![
                    ("core-0".to_owned(), 25.0),
                    ("core-1".to_owned(), 20.0),
                    ("store-write".to_owned(), 12.91),
                ],
                receiver_us: 8.0,
                generator_us: 11.0,
            },
            database: None,
            latency,
            resident_mib: 31.0,
            peak_mib: 40.5,
            disk_bytes_per_event: Some(901.4),
            timeline: vec![0.0, 12_000.0, 13_000.0, 11_000.0],
            timeline_step_s: 0.25,
        }
    }

    fn latency() -> LatencyFigures {
        let curve = |factor: f64| Curve {
            count: 1_000,
            mean_ms: 1.5 * factor,
            max_ms: 20.0 * factor,
            points: [
                (0.0, 0.4),
                (0.5, 1.2),
                (0.9, 2.0),
                (0.99, 8.0),
                (0.999, 15.0),
                (0.9999, 19.0),
                (1.0, 20.0),
            ]
            .map(|(quantile, ms)| (quantile, ms * factor))
            .to_vec(),
        };
        LatencyFigures { answer: curve(0.5), arrival: curve(1.0), lag: curve(0.05) }
    }
}
