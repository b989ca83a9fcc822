//! What was done, as a table for people and documents.

use super::session::Report;

/// One target, when it is done.
pub(super) fn line(report: &Report) -> String {
    let found = report.finding.as_ref().map_or("nothing found", |_| "FOUND SOMETHING");
    format!(
        "{}: {} executions in {} of the processor's time, coverage {}: {found}",
        report.target,
        report.executions,
        minutes(report),
        report.coverage
    )
}

/// All of them, in Markdown.
pub(super) fn of(reports: &[Report]) -> String {
    let mut lines = vec![
        "| target | executions | executions/s | CPU minutes | coverage | new findings |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(reports.iter().map(|report| {
        format!(
            "| {} | {} | {} | {} | {} | {} |",
            report.target,
            report.executions,
            per_second(report),
            minutes(report).trim_end_matches(" min"),
            report.coverage,
            u8::from(report.finding.is_some())
        )
    }));
    lines.join("\n")
}

fn minutes(report: &Report) -> String {
    format!("{:.1} min", report.cpu.as_secs_f64() / 60.0)
}

/// Of the processor's time.
fn per_second(report: &Report) -> u64 {
    let ms = u64::try_from(report.cpu.as_millis()).unwrap_or(u64::MAX).max(1);
    report.executions.saturating_mul(1_000) / ms
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn rates_are_of_the_processors_time() {
        let cpu = Duration::from_secs(90);
        let report =
            Report { target: "a".to_owned(), executions: 900, cpu, coverage: 7, finding: Some("f".into()) };
        assert!(of(std::slice::from_ref(&report)).ends_with("| a | 900 | 10 | 1.5 | 7 | 1 |"));
        assert!(line(&report).contains("FOUND"));
        assert_eq!(per_second(&Report::default()), 0);
    }
}
