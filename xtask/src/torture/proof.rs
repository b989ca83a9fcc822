//! A run's row in the table of docs/proof.md, and the machine that it names.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::report::Report;
use crate::workspace;

/// How the table begins.
const HEADER: &str = "| date |";

/// The commit that is checked out, and whether the product differs from it. To be asked before a run: a later one may be
/// there when it ends.
pub(super) fn commit() -> Result<String, String> {
    let git = |arguments: &[&str]| {
        workspace::stdout_of(Command::new("git").current_dir(workspace::root()).args(arguments))
    };
    let commit = git(&["rev-parse", "--short", "HEAD"])?;
    let dirty = !git(&["status", "--porcelain", "--untracked-files=no", "--", "crates"])?.trim().is_empty();
    Ok(format!("{}{}", commit.trim(), if dirty { " and changes" } else { "" }))
}

/// Adds the run below the table's last row.
pub(super) fn append(file: &Path, report: &Report, commit: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{} cannot be used: {error}", file.display());
    let text = fs::read_to_string(file).map_err(failed)?;
    let text = with_row(&text, &row(report, commit)?)
        .ok_or_else(|| format!("{} has no table that begins with `{HEADER}`", file.display()))?;
    fs::write(file, text).map_err(failed)
}

/// Processors, memory, kernel, and where the data lie: on which filesystem, or in what database.
pub(super) fn machine(data: &str) -> String {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let memory = read("/proc/meminfo");
    let memory_kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let memory_kib: u64 =
        memory_kib.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel: String =
        kernel.trim().chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect();
    format!(
        "{processors} cores, {} GiB, Linux {}, {data}",
        memory_kib.div_ceil(1024 * 1024),
        kernel.trim_end_matches('.')
    )
}

fn row(report: &Report, commit: &str) -> Result<String, String> {
    let date = workspace::stdout_of(Command::new("date").args(["-u", "+%F"]))?;
    let judgement = &report.judgement;
    let cells = [
        date.trim().to_owned(),
        commit.to_owned(),
        report.seed.to_string(),
        report.machine.clone(),
        format!("{:.1}", report.minutes),
        report.counts.kills.to_string(),
        report.counts.stops.to_string(),
        report.acknowledged.to_string(),
        judgement.delivered.to_string(),
        judgement.failed.to_string(),
        judgement.dropped.to_string(),
        judgement.pending.to_string(),
        judgement.lost.to_string(),
        format!(
            "{} / {} / {}",
            judgement.duplicated,
            judgement.duplicated - report.unexplained(),
            report.duplicates_max()
        ),
        format!("{} of {}", judgement.taken - report.duplicates_max(), judgement.taken),
    ];
    Ok(format!("| {} |", cells.join(" | ")))
}

/// The text with a row more; `None` when there is no table.
fn with_row(text: &str, row: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let header = lines.iter().position(|line| line.starts_with(HEADER))?;
    let rows = lines[header..].iter().take_while(|line| line.starts_with('|')).count();
    lines.insert(header + rows, row);
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_gets_the_last_row_of_its_table() {
        let text = "# Proof\n\n| date | a |\n|---|---|\n| 1 | 2 |\n\nMore.\n";
        let expected = "# Proof\n\n| date | a |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nMore.\n";
        assert_eq!(with_row(text, "| 3 | 4 |").as_deref(), Some(expected));
        assert_eq!(with_row("# Proof\n", "| 3 | 4 |"), None);
    }

    #[test]
    fn a_machine_is_named_by_what_matters() {
        let machine = machine("ext4 on a loop device");
        assert!(machine.contains(" cores, ") && machine.ends_with(", ext4 on a loop device"), "{machine}");
    }
}
