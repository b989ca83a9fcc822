//! The report for people: the machine, then one table for each scenario.

use std::fmt::Write as _;

use super::super::phase::{Curve, Figures, GroupFigures, QUANTILES};
use super::{Fact, Report, ScenarioReport, Target, VERSION};

/// What holds for every scenario; the rest stands with the scenario that it is of.
const SETTINGS: [&str; 5] = ["seconds", "connections", "payload_bytes", "rate_events_per_s", "server_config"];
const LABEL_CHARS: usize = 38;
const COLUMN_CHARS: usize = 16;
/// Phases beside each other; further ones stand below.
const COLUMNS_MAX: usize = 4;

impl Report {
    pub(in super::super) fn to_text(&self) -> String {
        let machine = &self.machine;
        let mut text = format!(
            "\nSignalpost {VERSION}\n{}, {} cores, {} MiB, Linux {}\ndata on {} ({}), synchronous=FULL, every signature \
             verified\nload average before: {:.2}\n",
            machine.cpu,
            machine.cores,
            machine.memory_mib,
            machine.kernel,
            machine.filesystem,
            machine.data_directory,
            machine.load_average
        );
        let given = SETTINGS.iter().filter(|name| !self.settings[**name].is_null());
        let settings: Vec<String> =
            given.map(|name| format!("{} {}", name.replace('_', " "), self.settings[*name])).collect();
        text.push_str(&format!("{}\n", settings.join(", ")));
        for warning in &self.warnings {
            text.push_str(&format!("Warning: {warning}\n"));
        }
        self.scenarios.iter().for_each(|scenario| push_scenario(&mut text, scenario));
        text
    }
}

fn push_scenario(text: &mut String, scenario: &ScenarioReport) {
    text.push_str(&format!("\n{}: {}\n\n", scenario.name, scenario.what));
    for fact in &scenario.facts {
        row(text, fact.name, [value(fact)]);
    }
    scenario.phases.chunks(COLUMNS_MAX).for_each(|phases| push_phases(text, phases));
    push_ledger(text, scenario);
}

fn push_phases(text: &mut String, phases: &[Figures]) {
    text.push('\n');
    row(text, "", phases.iter().map(|phase| phase.name.clone()));
    let mut line = |label: &str, cell: &dyn Fn(&Figures) -> String| {
        row(text, label, phases.iter().map(cell));
    };
    line("events/s", &|phase| number(phase.events_per_s));
    line("deliveries/s", &|phase| number(phase.deliveries_per_s));
    line("events, deliveries", &|phase| format!("{}, {}", phase.events, phase.deliveries));
    if phases.iter().any(|phase| phase.groups.is_some()) {
        let group = |group: Option<GroupFigures>| {
            group.map_or("-".to_owned(), |group| format!("{}, {}", group.events, group.deliveries))
        };
        line("  of those measured", &|phase| group(phase.groups.map(|groups| groups.measured)));
        line("  of neighbours", &|phase| group(phase.groups.map(|groups| groups.neighbours)));
    }
    line("calls refused, without answer", &|phase| format!("{}, {}", phase.refused, phase.unknown));
    line("server CPU per delivery", &|phase| us(phase.cpu.server_us));
    line("  user + system", &|phase| {
        format!("{:.1} + {:.1} us", phase.cpu.server_user_us, phase.cpu.server_system_us)
    });
    for thread in threads(phases) {
        line(&format!("  {thread}"), &|phase| {
            let found = phase.cpu.threads_us.iter().find(|(name, _)| *name == thread);
            us(found.map_or(0.0, |(_, us)| *us))
        });
    }
    if phases.iter().any(|phase| phase.database.is_some()) {
        let of = |phase: &Figures| phase.database.unwrap_or_default();
        line("database CPU per delivery", &|phase| us(of(phase).cpu_us));
        line("server and database", &|phase| us(phase.cpu.server_us + of(phase).cpu_us));
        line("log of the database per event", &|phase| {
            with_unit(&number(of(phase).wal_bytes_per_event), "bytes")
        });
        line("commits per event", &|phase| format!("{:.3}", of(phase).commits_per_event));
    }
    line("receiver CPU per delivery", &|phase| us(phase.cpu.receiver_us));
    line("generator CPU per delivery", &|phase| us(phase.cpu.generator_us));
    line("resident then, highest so far", &|phase| {
        format!("{:.1}, {:.1} MiB", phase.resident_mib, phase.peak_mib)
    });
    line("disk per event", &|phase| {
        phase.disk_bytes_per_event.map_or("-".to_owned(), |bytes| with_unit(&number(bytes), "bytes"))
    });
    push_latency(text, phases);
    for phase in phases.iter().filter(|phase| !phase.drained) {
        text.push_str(&format!("  `{}` did not drain: nothing ended for 30 s\n", phase.name));
    }
}

fn push_latency(text: &mut String, phases: &[Figures]) {
    if phases.iter().all(|phase| phase.latency.is_none()) {
        return;
    }
    text.push_str("\n  latency from the scheduled moment, ms\n");
    for quantile in QUANTILES {
        let label =
            if quantile == 1.0 { "max".to_owned() } else { format!("p{}", number_exact(quantile * 100.0)) };
        row(
            text,
            &format!("  {label}: to answer / to arrival"),
            phases.iter().map(|phase| {
                let curves = phase.latency.as_ref().map(|latency| (&latency.answer, &latency.arrival));
                let at = |curve: &Curve| format!("{:.2}", curve.at(quantile));
                curves.map_or("-".to_owned(), |(answer, arrival)| format!("{} / {}", at(answer), at(arrival)))
            }),
        );
    }
    row(
        text,
        "  p99: to sending (the generator's lag)",
        phases.iter().map(|phase| {
            phase.latency.as_ref().map_or("-".to_owned(), |latency| format!("{:.2}", latency.lag.at(0.99)))
        }),
    );
}

fn push_ledger(text: &mut String, scenario: &ScenarioReport) {
    let (published, told, received) = (&scenario.published, &scenario.told, &scenario.received);
    let verdict =
        if scenario.mismatches.is_empty() { "agrees" } else { "DOES NOT AGREE: this scenario is VOID" };
    writeln!(
        text,
        "\n  ledger: {verdict}\n    published  {} acknowledged, {} refused, {} without answer; {} deliveries expected\n    \
         server     {} created = {} delivered + {} pending + {} failed + {} dropped\n    receiver   {} distinct, {} \
         repeated, {} of what had no answer, {} strange, {} refuted, {} held, {} declined",
        published.acknowledged,
        published.refused,
        published.unknown,
        published.expected,
        told.created,
        told.delivered,
        told.pending,
        told.failed,
        told.dropped,
        received.distinct,
        received.duplicates,
        received.distinct_unknown,
        received.strangers,
        received.refuted,
        received.held,
        received.declined
    )
    .expect("writing to a string does not fail");
    for mismatch in &scenario.mismatches {
        text.push_str(&format!("    {mismatch}\n"));
    }
}

/// Names of all threads, in the order of the first phase that has them.
fn threads(phases: &[Figures]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in phases.iter().flat_map(|phase| &phase.cpu.threads_us) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names.sort();
    names
}

fn row(text: &mut String, label: &str, cells: impl IntoIterator<Item = String>) {
    let mut line = format!("  {label:<LABEL_CHARS$}");
    for cell in cells {
        line.push_str(&format!(" {cell:>COLUMN_CHARS$}"));
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

fn value(fact: &Fact) -> String {
    let (bound, than) = match fact.target {
        None => return with_unit(&number(fact.value), fact.unit),
        Some(Target::AtMost(most)) => (most, "at most"),
        Some(Target::AtLeast(least)) => (least, "at least"),
    };
    let verdict = if fact.is_met() == Some(true) { "met" } else { "MISSED" };
    format!("{:.2} {} ({than} {bound}: {verdict})", fact.value, fact.unit)
}

fn us(us: f64) -> String {
    format!("{us:.1} us")
}

fn with_unit(number: &str, unit: &str) -> String {
    format!("{number} {unit}").trim_end().to_owned()
}

/// Whole above 100, with one digit below.
fn number(number: f64) -> String {
    if number.abs() >= 100.0 || number == number.trunc() {
        format!("{number:.0}")
    } else {
        format!("{number:.1}")
    }
}

/// Without digits that say nothing: 99, 99.9, 99.99.
fn number_exact(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::canned;

    #[test]
    fn a_canned_run_reads_well() {
        let mut report = canned::report();
        let text = report.to_text();
        for part in [
            "Warning: the machine was busy",
            "seconds 10, connections 64\n",
            "server CPU per delivery                         57.9 us          57.9 us",
            "p99.9: to answer / to arrival                       -     7.50 / 15.00",
            "ledger: agrees",
            "2000 created = 2000 delivered + 0 pending + 0 failed + 0 dropped",
            "resident at the end                            31.2 MiB",
            "p99 beside one that hangs              1.06 x (at most 1.5: met)",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        report.scenarios[0].mismatches.push("one delivery is missing".to_owned());
        report.scenarios[0].facts[1].value = 1.51;
        let void = report.to_text();
        assert!(void.contains("1.51 x (at most 1.5: MISSED)"), "{void}");
        assert!(void.contains("VOID") && void.contains("    one delivery is missing\n"), "{void}");
    }
}
