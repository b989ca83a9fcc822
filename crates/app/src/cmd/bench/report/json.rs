//! The report for programs. What changes in meaning gets a new schema number; what is added does not.

use serde_json::{Map, Value, json};

use super::super::phase::{Curve, Figures, GroupFigures};
use super::{Fact, Report, ScenarioReport, Target, VERSION};

const SCHEMA: u32 = 1;

impl Report {
    pub(in super::super) fn to_json(&self) -> Value {
        json!({
            "schema": SCHEMA,
            "version": VERSION,
            "valid": self.void().next().is_none(),
            "machine": self.machine.to_json(),
            "settings": self.settings,
            "warnings": self.warnings,
            "scenarios": self.scenarios.iter().map(scenario).collect::<Vec<_>>(),
        })
    }
}

fn scenario(scenario: &ScenarioReport) -> Value {
    let facts = scenario.facts.iter().map(fact);
    json!({
        "name": scenario.name,
        "what": scenario.what,
        "server_pid": scenario.server_pid,
        "facts": facts.collect::<Vec<_>>(),
        "phases": scenario.phases.iter().map(phase).collect::<Vec<_>>(),
        "ledger": ledger(scenario),
    })
}

fn fact(fact: &Fact) -> Value {
    let mut json = json!({"name": fact.name, "value": fact.value, "unit": fact.unit});
    if let (Some(target), Some(met)) = (fact.target, fact.is_met()) {
        json["target"] = match target {
            Target::AtMost(most) => json!({"at_most": most, "met": met}),
            Target::AtLeast(least) => json!({"at_least": least, "met": met}),
        };
    }
    json
}

fn ledger(scenario: &ScenarioReport) -> Value {
    let (published, told, received) = (&scenario.published, &scenario.told, &scenario.received);
    json!({
        "valid": scenario.mismatches.is_empty(),
        "mismatches": scenario.mismatches,
        "published": {
            "acknowledged": published.acknowledged,
            "refused": published.refused,
            "unknown": published.unknown,
            "deliveries_expected": published.expected,
            "deliveries_expected_measured": published.expected_measured,
            "deliveries_promised": published.promised,
            "deliveries_unknown_max": published.unknown_deliveries,
        },
        "server": {
            "accepted": told.accepted,
            "created": told.created,
            "delivered": told.delivered,
            "failed": told.failed,
            "pending": told.pending,
            "dropped": told.dropped,
            "retries": told.retried,
        },
        "receiver": {
            "distinct": received.distinct,
            "distinct_measured": received.distinct_measured,
            "distinct_of_unknown": received.distinct_unknown,
            "duplicates": received.duplicates,
            "strangers": received.strangers,
            "refuted": received.refuted,
            "held": received.held,
            "declined": received.declined,
        },
    })
}

fn phase(figures: &Figures) -> Value {
    let threads: Map<String, Value> =
        figures.cpu.threads_us.iter().map(|(name, us)| (name.clone(), json!(us))).collect();
    let latency = figures.latency.as_ref().map(|latency| {
        json!({
            "scheduled_to_answer": curve(&latency.answer),
            "scheduled_to_arrival": curve(&latency.arrival),
            "scheduled_to_sent": curve(&latency.lag),
        })
    });
    json!({
        "name": figures.name,
        "window_monotonic_ns": figures.window_ns,
        "events": figures.events,
        "refused": figures.refused,
        "unknown": figures.unknown,
        "deliveries": figures.deliveries,
        "events_per_s": figures.events_per_s,
        "deliveries_per_s": figures.deliveries_per_s,
        "drained": figures.drained,
        "groups": figures.groups.map(|groups| json!({
            "measured": group(groups.measured),
            "neighbours": group(groups.neighbours),
        })),
        "cpu_us_per_delivery": {
            "server": figures.cpu.server_us,
            "server_user": figures.cpu.server_user_us,
            "server_system": figures.cpu.server_system_us,
            "server_threads": threads,
            "receiver": figures.cpu.receiver_us,
            "generator": figures.cpu.generator_us,
        },
        "database": figures.database.map(|database| json!({
            "cpu_us_per_delivery": database.cpu_us,
            "wal_bytes_per_event": database.wal_bytes_per_event,
            "commits_per_event": database.commits_per_event,
        })),
        "latency_ms": latency,
        "resident_mib": figures.resident_mib,
        "resident_peak_mib": figures.peak_mib,
        "disk_bytes_per_event": figures.disk_bytes_per_event,
        "timeline": {"step_s": figures.timeline_step_s, "deliveries_per_s": figures.timeline},
    })
}

fn group(group: GroupFigures) -> Value {
    json!({"events": group.events, "deliveries": group.deliveries})
}

fn curve(curve: &Curve) -> Value {
    json!({
        "count": curve.count,
        "mean": curve.mean_ms,
        "max": curve.max_ms,
        "quantiles": curve.points,
    })
}

#[cfg(test)]
mod tests {
    use super::super::canned;
    use super::*;

    #[test]
    fn a_canned_run_has_everything_that_is_printed() {
        let mut report = canned::report();
        let json = report.to_json();
        assert_eq!((&json["schema"], &json["valid"]), (&1.into(), &true.into()));
        let steady = &json["scenarios"][0];
        assert_eq!(steady["phases"][0]["cpu_us_per_delivery"]["server_threads"]["core-1"], 20.0);
        assert!(steady["phases"][0]["latency_ms"].is_null());
        assert_eq!(steady["phases"][1]["latency_ms"]["scheduled_to_arrival"]["quantiles"][1][1], 1.2);
        assert!(steady["facts"][0].get("target").is_none());
        assert_eq!(steady["facts"][1]["target"], json!({"at_most": 1.5, "met": true}));
        assert_eq!(
            (&steady["ledger"]["valid"], &steady["ledger"]["server"]["delivered"]),
            (&true.into(), &2_000.into())
        );
        report.scenarios[0].mismatches.push("one is missing".to_owned());
        let void = report.to_json();
        assert_eq!(
            (&void["valid"], &void["scenarios"][0]["ledger"]["valid"]),
            (&false.into(), &false.into())
        );
    }
}
