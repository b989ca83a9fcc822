//! The proof by hand: `powerloss [--cuts N] [--seed N]` prints each course, the controls, and as its last line what was
//! cut, looked for and lost.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use std::process::ExitCode;

use signalpost_powercut::proof::{Plan, run};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)?.parse::<u64>().ok()
    };
    let cuts = usize::try_from(value("--cuts").unwrap_or(2_000)).unwrap_or(usize::MAX);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let plan = Plan { seed: value("--seed").unwrap_or(1), cuts, control_cuts: cuts.div_ceil(5), threads };
    match run(plan) {
        Ok(report) => {
            println!("{report}");
            if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
