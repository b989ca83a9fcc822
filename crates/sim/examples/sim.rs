//! Runs worlds by hand: `--seed N` prints the whole history of one, `--seeds N [--from M]` a summary of many.

#![expect(clippy::disallowed_methods, reason = "it measures how much virtual time a real second holds")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use std::process::ExitCode;
use std::time::Instant;

use signalpost_sim::{Plant, run};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)?.parse::<u64>().ok()
    };
    match (value("--seed"), value("--seeds")) {
        (Some(seed), _) => one(seed),
        (None, Some(seeds)) => many(value("--from").unwrap_or(1), seeds),
        (None, None) => {
            eprintln!("usage: sim --seed N | --seeds N [--from M]");
            ExitCode::from(2)
        }
    }
}

fn one(seed: u64) -> ExitCode {
    let report = run(seed, Plant::Nothing);
    report.history.iter().for_each(|line| println!("{line}"));
    println!("{report}");
    exit(report.findings.len())
}

fn many(from: u64, seeds: u64) -> ExitCode {
    let began = Instant::now();
    let (mut simulated_us, mut events, mut requests, mut failed) = (0, 0, 0, 0);
    for seed in from..from + seeds {
        let at = Instant::now();
        let report = run(seed, Plant::Nothing);
        simulated_us += report.simulated_us;
        events += report.events;
        requests += report.requests;
        if !report.findings.is_empty() {
            failed += 1;
            println!("{report}");
        }
        if at.elapsed().as_secs() >= 3 {
            println!("seed {seed} took {:?} for {} requests", at.elapsed(), report.requests);
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let hours = f64::from(u32::try_from(simulated_us / 3_600_000_000).unwrap_or(u32::MAX));
    println!(
        "{seeds} seeds, {failed} with findings; {events} events, {requests} requests; {hours} hours in {seconds:.1} s: \
         {:.2} simulated hours a second",
        hours / seconds
    );
    exit(failed)
}

fn exit(findings: usize) -> ExitCode {
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
