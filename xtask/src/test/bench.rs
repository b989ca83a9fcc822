//! The bench judges itself: a quick run must end with a ledger that agrees. No time is asserted, since a busy machine
//! must not fail a change.

use std::process::Command;

use serde_json::Value;
use signalpost_testkit::TempDir;

use super::command;
use crate::{Outcome, release, workspace};

const SCENARIOS: [&str; 11] = [
    "steady",
    "fan-out",
    "webhooks",
    "pending",
    "noisy",
    "burst",
    "overload",
    "storm",
    "half-failing",
    "one-core",
    "outage",
];

pub(super) fn run() -> Outcome {
    let folder = TempDir::new().map_err(|error| format!("no temporary folder: {error}"))?;
    let report = folder.path().join("report.json");
    let mut bench = Command::new(release::binary()?);
    // The build's own folder lies on a disk, which a temporary one may not.
    bench.args(["bench", "--quick", "--dir"]).arg(workspace::target_directory()?).arg("--json").arg(&report);
    bench.args(SCENARIOS.iter().flat_map(|name| ["--scenario", name]));
    command::run(&mut bench)?;
    let text = std::fs::read_to_string(&report).map_err(|error| format!("there is no report: {error}"))?;
    judge(&serde_json::from_str(&text).map_err(|error| format!("the report is no JSON: {error}"))?)
}

fn judge(report: &Value) -> Outcome {
    let scenarios = report["scenarios"].as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = scenarios.iter().filter_map(|scenario| scenario["name"].as_str()).collect();
    if names != SCENARIOS || report["schema"] != 1 {
        return Err(format!("a report of {names:?} with schema {}", report["schema"]));
    }
    for (name, scenario) in names.iter().zip(scenarios) {
        let ledger = &scenario["ledger"];
        let [expected, delivered, distinct] = [
            &ledger["published"]["deliveries_expected"],
            &ledger["server"]["delivered"],
            &ledger["receiver"]["distinct"],
        ]
        .map(|number| number.as_u64().unwrap_or(0));
        let agrees = expected > 0 && expected == delivered && expected == distinct;
        if ledger["valid"] != true || !agrees {
            return Err(format!("the ledger of `{name}` does not agree: {ledger}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report(valid: bool, distinct: u64) -> Value {
        let ledger = json!({
            "valid": valid,
            "published": {"deliveries_expected": 5},
            "server": {"delivered": 5},
            "receiver": {"distinct": distinct},
        });
        let scenarios: Vec<Value> =
            SCENARIOS.iter().map(|name| json!({"name": name, "ledger": ledger})).collect();
        json!({"schema": 1, "scenarios": scenarios})
    }

    #[test]
    fn a_report_must_agree_with_itself() {
        assert!(judge(&report(true, 5)).is_ok());
        assert!(judge(&report(false, 5)).is_err());
        assert!(judge(&report(true, 4)).is_err());
        assert!(judge(&json!({"schema": 1, "scenarios": []})).is_err(), "nothing was run");
    }
}
