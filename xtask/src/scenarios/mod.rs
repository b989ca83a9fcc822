//! Holds a running engine against the contracts: plays every scenario of `contracts/` over real HTTP.

mod format;
mod instant;
mod judge;
mod matcher;
mod receipts;
mod request;
mod run;
mod variables;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use format::Scenario;
use run::Target;
use signalpost_testkit::{Server, ServerOptions, TempDir};

use crate::args::Args;
use crate::{Outcome, Task, release, workspace};

pub(crate) const TASK: Task = Task {
    name: "scenarios",
    summary: "play the scenarios of contracts/ against a server",
    help: "Usage: cargo xtask scenarios [options] [DIALECT or FILE ...]

Without options it builds the release binary and starts it on free ports. Without names it plays
all of contracts/*/*.json; contracts/README.md tells how a scenario is written.

  --binary FILE          this binary instead of one that is built
  --public ADDR          play against a running server: its public address, such as 127.0.0.1:8080
  --operator ADDR        its operator address
  --operator-key KEY     its operator key
The server must have been started with `--egress-allow 127.0.0.0/8,::1/128`. Scenarios that need a
configuration of their own are left out then.",
    run,
};

/// Scenarios that are played at the same time.
const AT_ONCE: usize = 6;

/// A scenario and the file that it stands in.
struct Entry {
    file: String,
    scenario: Scenario,
}

pub(crate) fn run(mut args: Args) -> Outcome {
    let given: [Option<SocketAddr>; 2] = [args.value("--public")?, args.value("--operator")?];
    let key: Option<String> = args.value("--operator-key")?;
    let binary: Option<PathBuf> = args.value("--binary")?;
    let names = args.words();
    args.finish()?;
    let entries = read_all(&names)?;
    match (given, key, binary) {
        ([Some(public), Some(operator)], Some(operator_key), None) => {
            play_on(entries, &Target { public, operator, operator_key })
        }
        ([None, None], None, binary) => play_all_here(&entries, binary.map_or_else(release::binary, Ok)?),
        _ => Err("--public, --operator and --operator-key go together, without --binary".to_owned()),
    }
}

/// On a server that runs already: whatever does not need a configuration of its own.
fn play_on(mut entries: Vec<Entry>, target: &Target) -> Outcome {
    for Entry { file, scenario } in entries.extract_if(.., |entry| !entry.scenario.config.is_empty()) {
        println!("  left out  {file}: {}", scenario.about);
    }
    play_all(&entries, |entry| run::play(&entry.scenario, target))
}

/// On one server for all scenarios that need nothing particular, and one for each of the others.
fn play_all_here(entries: &[Entry], binary: PathBuf) -> Outcome {
    let options = ServerOptions::new(binary);
    let common = Server::start(options.clone(), release::START_TIMEOUT)?;
    play_all(entries, |entry| match &entry.scenario.config[..] {
        [] => run::play(&entry.scenario, &target(&common)),
        config => {
            let folder = TempDir::new().map_err(|error| format!("no temporary folder: {error}"))?;
            let file = folder.path().join("signalpost.toml");
            let written = std::fs::write(&file, config.join("\n"));
            written.map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
            let mut options = options.clone();
            options.arguments = vec!["--config".to_owned(), file.display().to_string()];
            run::play(&entry.scenario, &target(&Server::start(options, release::START_TIMEOUT)?))
        }
    })
}

fn target(server: &Server) -> Target {
    let operator_key = server.operator_key().to_owned();
    Target { public: server.public(), operator: server.operator_address(), operator_key }
}

/// Several at once, because a scenario mostly waits; no two share a workspace or a receiver.
fn play_all(entries: &[Entry], play: impl Fn(&Entry) -> Result<usize, String> + Sync) -> Outcome {
    let next = AtomicUsize::new(0);
    let counted = std::thread::scope(|scope| {
        let players: Vec<_> =
            (0..AT_ONCE).map(|_| scope.spawn(|| play_some(entries, &next, &play))).collect();
        let counts =
            players.into_iter().map(|player| player.join().map_err(|_| "a scenario's player panicked"));
        counts.collect::<Result<Vec<(usize, usize)>, _>>()
    })?;
    let (held, failed) = counted.into_iter().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    if failed > 0 {
        return Err(format!("{failed} of {} scenarios fail", entries.len()));
    }
    println!("{held} steps of {} scenarios hold", entries.len());
    Ok(())
}

/// Plays whatever nobody has begun yet. Returns how many steps hold, and how many scenarios fail.
fn play_some(
    entries: &[Entry],
    next: &AtomicUsize,
    play: impl Fn(&Entry) -> Result<usize, String>,
) -> (usize, usize) {
    let (mut held, mut failed) = (0, 0);
    while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
        let Entry { file, scenario } = entry;
        match play(entry) {
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
    (held, failed)
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
