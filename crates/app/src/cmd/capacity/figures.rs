//! What an event and a delivery cost, as the bench has found it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cmd::Failure;

/// Webhooks of the bench's scenarios.
const FEW: f64 = 1.0;
const MANY: f64 = 10.0;
const SATURATION: &str = "saturation";

#[derive(Clone, Debug)]
pub(super) struct Figures {
    /// CPU of the nodes.
    pub(super) node: Cost,
    pub(super) database: Cost,
    /// Tables and indexes.
    pub(super) disk_bytes: Line,
    /// The database's.
    pub(super) log_bytes: Line,
}

/// CPU in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) work: Line,
    /// On top, for an event that one node takes and another sends.
    pub(super) crossing_us: f64,
}

/// What grows with an event's webhooks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) per_event: f64,
    pub(super) per_delivery: f64,
}

impl Line {
    pub(super) fn of(self, webhooks: f64) -> f64 {
        self.per_event + self.per_delivery * webhooks
    }

    /// Through what an event costs with one webhook and with ten.
    fn through(few: f64, many: f64) -> Self {
        let per_delivery = (many - few) / (MANY - FEW);
        Self { per_event: (few - per_delivery * FEW).max(0.0), per_delivery }
    }
}

/// Of two cores that generator, receiver and database shared, which docs/capacity.md names with the commands.
pub(super) const REFERENCE: Figures = Figures {
    node: Cost { work: Line { per_event: 20.8, per_delivery: 21.5 }, crossing_us: 15.2 },
    database: Cost { work: Line { per_event: 16.8, per_delivery: 16.2 }, crossing_us: 10.0 },
    disk_bytes: Line { per_event: 612.7, per_delivery: 568.7 },
    log_bytes: Line { per_event: 732.9, per_delivery: 890.9 },
};

impl Figures {
    /// `one` is the report of one node with both scenarios; `several` of more nodes, without which what crosses is as dear as it
    /// was found for [`REFERENCE`].
    pub(super) fn of_reports(one: &Path, several: Option<&Path>) -> Result<Self, Failure> {
        let report = read(one)?;
        let phase = |scenario| phase(&report, scenario).ok_or_else(|| incomplete(one, scenario));
        let (few, many) = (Costs::of(phase("steady")?, FEW), Costs::of(phase("fan-out")?, MANY));
        let (Some(few), Some(many)) = (few, many) else { return Err(incomplete(one, "steady")) };
        let crossing = match several {
            None => (REFERENCE.node.crossing_us, REFERENCE.database.crossing_us),
            Some(path) => crossing(path, few)?,
        };
        let cost = |of: fn(&Costs) -> f64, crossing_us| Cost {
            work: Line::through(of(&few), of(&many)),
            crossing_us,
        };
        Ok(Self {
            node: cost(|costs| costs.node_us, crossing.0),
            database: cost(|costs| costs.database_us, crossing.1),
            disk_bytes: Line::through(few.disk_bytes, many.disk_bytes),
            log_bytes: Line::through(few.log_bytes, many.log_bytes),
        })
    }
}

/// Of one event.
#[derive(Clone, Copy)]
struct Costs {
    node_us: f64,
    database_us: f64,
    disk_bytes: f64,
    log_bytes: f64,
}

impl Costs {
    fn of(phase: &Value, webhooks: f64) -> Option<Self> {
        Some(Self {
            node_us: phase["cpu_us_per_delivery"]["server"].as_f64()? * webhooks,
            database_us: phase["database"]["cpu_us_per_delivery"].as_f64()? * webhooks,
            disk_bytes: phase["disk_bytes_per_event"].as_f64()?,
            log_bytes: phase["database"]["wal_bytes_per_event"].as_f64()?,
        })
    }
}

/// What an event that crosses costs more, by nodes and database.
fn crossing(path: &Path, alone: Costs) -> Result<(f64, f64), Failure> {
    let report = read(path)?;
    let nodes = report["settings"]["nodes"].as_f64().filter(|nodes| *nodes > 1.0);
    let nodes = nodes.ok_or_else(|| Failure::new(format!("{} is of one node", path.display())))?;
    let costs = phase(&report, "steady").and_then(|phase| Costs::of(phase, FEW));
    let costs = costs.ok_or_else(|| incomplete(path, "steady"))?;
    let of_those_that_cross = |with: f64, without: f64| ((with - without) * nodes / (nodes - 1.0)).max(0.0);
    Ok((
        of_those_that_cross(costs.node_us, alone.node_us),
        of_those_that_cross(costs.database_us, alone.database_us),
    ))
}

fn read(path: &Path) -> Result<Value, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::io(path.display(), error))?;
    serde_json::from_str(&text).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

/// The part of a scenario in which the server did as much as it could.
fn phase<'r>(report: &'r Value, scenario: &str) -> Option<&'r Value> {
    let found = report["scenarios"].as_array()?.iter().find(|one| one["name"] == scenario)?;
    found["phases"].as_array()?.iter().find(|phase| phase["name"] == SATURATION)
}

fn incomplete(path: &Path, scenario: &str) -> Failure {
    Failure::new(format!("{} has no saturation of `{scenario}` on PostgreSQL", path.display())).hint(
        "Make it with: signalpost bench --store postgres --scenario steady --scenario fan-out --json FILE",
    )
}
