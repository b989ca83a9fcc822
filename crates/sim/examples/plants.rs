//! Prints by which finding the auditor names each planted fault, and after how many worlds: `[--only NAME]`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use std::process::ExitCode;

use signalpost_sim::{Plant, SEEDS_MAX, hunt};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chosen: Vec<Plant> = match arguments.as_slice() {
        [] => Plant::ALL.to_vec(),
        [option, name] if option == "--only" => {
            Plant::ALL.into_iter().filter(|plant| format!("{plant:?}") == *name).collect()
        }
        _ => Vec::new(),
    };
    if chosen.is_empty() {
        eprintln!("usage: plants [--only NAME], one of {:?}", Plant::ALL);
        return ExitCode::from(2);
    }
    println!("| planted fault | finding of the auditor | worlds until it |");
    println!("|---|---|---|");
    let mut missed = 0;
    for plant in chosen {
        match hunt(plant, SEEDS_MAX) {
            Some(found) => println!("{found}"),
            None => {
                missed += 1;
                println!("| `{plant:?}` | **not caught** | {SEEDS_MAX} |");
            }
        }
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
