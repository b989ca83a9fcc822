//! Holds a running engine against the contracts: plays every scenario of `contracts/` over real HTTP.

mod format;
mod matcher;
mod run;
mod variables;

use std::net::SocketAddr;

use format::Scenario;
use run::Target;
use signalpost_testkit::{Server, ServerOptions};

use crate::args::Args;
use crate::{Outcome, Task, release, workspace};

pub(crate) const TASK: Task = Task {
    name: "scenarios",
    summary: "play the scenarios of contracts/ against a server",
    help: "Usage: cargo xtask scenarios [options] [DIALECT or FILE ...]

Without options it builds the release binary and starts it on free ports. Without names it plays
all of contracts/*/*.json; contracts/README.md tells how a scenario is written.

  --public ADDR          play against a running server: its public address, such as 127.0.0.1:8080
  --operator ADDR        its operator address
  --operator-key KEY     its operator key
The server must have been started with `--egress-allow 127.0.0.0/8,::1/128`.",
    run,
};

/// A scenario and the file that it stands in.
struct Entry {
    file: String,
    scenario: Scenario,
}

pub(crate) fn run(mut args: Args) -> Outcome {
    let given: [Option<SocketAddr>; 2] = [args.value("--public")?, args.value("--operator")?];
    let key: Option<String> = args.value("--operator-key")?;
    let names = args.words();
    args.finish()?;
    let entries = read_all(&names)?;
    let (_server, target) = match (given, key) {
        ([Some(public), Some(operator)], Some(operator_key)) => {
            (None, Target { public, operator, operator_key })
        }
        ([None, None], None) => start()?,
        _ => return Err("--public, --operator and --operator-key go together".to_owned()),
    };
    play_all(&entries, &target)
}

fn start() -> Result<(Option<Server>, Target), String> {
    let server = Server::start(ServerOptions::new(release::binary()?), release::START_TIMEOUT)?;
    let operator_key = server.operator_key().to_owned();
    let target = Target { public: server.public(), operator: server.operator_address(), operator_key };
    Ok((Some(server), target))
}

fn play_all(entries: &[Entry], target: &Target) -> Outcome {
    let (mut held, mut failed) = (0, 0);
    for Entry { file, scenario } in entries {
        match run::play(scenario, target) {
            Ok(steps) => {
                held += steps;
                println!("  holds  {file}: {} ({steps} steps)", scenario.about);
            }
            Err(error) => {
                failed += 1;
                println!("  FAILS  {file}: {}\n    {error}", scenario.about);
            }
        }
    }
    if failed > 0 {
        return Err(format!("{failed} of {} scenarios fail", entries.len()));
    }
    println!("{held} steps of {} scenarios hold", entries.len());
    Ok(())
}

/// The scenarios of `contracts/`, all or those whose path contains one of the names.
fn read_all(names: &[String]) -> Result<Vec<Entry>, String> {
    let files = workspace::files()?.into_iter().filter(|file| {
        let wanted = names.is_empty() || names.iter().any(|name| file.contains(name.as_str()));
        wanted && file.starts_with("contracts/") && file.ends_with(".json")
    });
    let entries: Vec<Entry> = files.map(read).collect::<Result<_, _>>()?;
    if entries.is_empty() {
        return Err("no scenario has such a name".to_owned());
    }
    Ok(entries)
}

fn read(file: String) -> Result<Entry, String> {
    let text = std::fs::read_to_string(workspace::root().join(&file));
    let text = text.map_err(|error| format!("{file} cannot be read: {error}"))?;
    let scenario = Scenario::parse(&text).map_err(|error| format!("{file} {error}"))?;
    Ok(Entry { file, scenario })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_scenarios_of_the_project_can_be_read() {
        let entries = read_all(&[]).expect("each file is a scenario");
        assert!(!entries.is_empty());
    }
}
