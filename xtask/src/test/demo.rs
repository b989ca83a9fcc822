//! The demo is what a newcomer sees first: it must come to its end and show verified deliveries.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::Duration;

use signalpost_testkit::{TempDir, wait_for_some};

use crate::{Outcome, release};

const TIMEOUT: Duration = Duration::from_secs(60);
/// Deliveries that the demo promises.
const DELIVERIES: usize = 3;

pub(super) fn run() -> Outcome {
    let folder = TempDir::new().map_err(|error| format!("no temporary folder: {error}"))?;
    let path = folder.path().join("output");
    let output = File::create(&path).map_err(|error| format!("no file for the output: {error}"))?;
    let mut demo = Command::new(release::binary()?);
    // In an empty folder of its own, so that it cannot lean on anything of the project's.
    demo.args(["demo", "--once"]).current_dir(folder.path()).stdin(Stdio::null()).stdout(output);
    let mut child = demo.spawn().map_err(|error| format!("the demo cannot be started: {error}"))?;
    let ended = wait_for_some("the demo to end", TIMEOUT, || child.try_wait().ok().flatten());
    if ended.is_err() {
        child.kill().map_err(|error| format!("the demo hangs and cannot be killed: {error}"))?;
    }
    let printed =
        std::fs::read_to_string(&path).map_err(|error| format!("the output cannot be read: {error}"))?;
    print!("{printed}");
    judge(ended?.success(), &printed)
}

fn judge(succeeded: bool, printed: &str) -> Outcome {
    let verified = printed.lines().filter(|line| line.trim_start().starts_with("verified ")).count();
    match (succeeded, verified) {
        (false, _) => Err("the demo failed".to_owned()),
        (true, DELIVERIES) => Ok(()),
        (true, _) => Err(format!("{verified} lines begin with \"verified\", expected {DELIVERIES}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_shows_what_it_promises() {
        let good = "  verified  a\n  verified  b\n  verified  c\nAll were verified.\n";
        assert!(judge(true, good).is_ok());
        assert!(judge(false, good).is_err());
        assert!(judge(true, "verified  a\nAll were verified.\n").is_err());
    }
}
