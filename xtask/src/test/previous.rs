//! The program of the commit before, for the test of a rolling upgrade: it must work beside this tree's.
//!
//! It is built in a folder of its own. Cargo tells packages apart by their place in the workspace, so two trees that share a
//! target folder take each other's crates for their own. What neither tree has written is copied from this one's.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use super::command;
use crate::{Outcome, workspace};

/// What cargo keeps of a build, by package.
const KEPT: [&str; 3] = ["deps", "build", ".fingerprint"];
/// Paths in one call of a program.
const PATHS_A_CALL: usize = 500;

/// Where the program lies once it is built; nowhere when there is no commit before. To be called after this tree was built.
pub(super) fn program() -> Result<Option<PathBuf>, String> {
    let Some(commit) = commit_before() else {
        println!(
            "\nThere is no commit before this one here (a source archive, a shallow clone, the first commit): this tree's own \
             program stands for it in the test of a rolling upgrade."
        );
        return Ok(None);
    };
    let started = Instant::now();
    let place = workspace::target_directory()?;
    let (source, target) = (place.join("previous/source"), place.join("previous/target"));
    check_out(&commit, &source)?;
    if !target.exists() {
        copy_foreign(&place.join("debug"), &target.join("debug"))?;
    }
    let mut cargo = workspace::cargo();
    cargo.current_dir(&source).env("CARGO_TARGET_DIR", &target);
    // As the whole workspace is built, so that what others have written is built alike.
    command::run(cargo.args(["build", "--quiet", "--workspace", "--bin", "signalpost"]))?;
    println!("the program of {commit} was built in {:.1} s", started.elapsed().as_secs_f64());
    Ok(Some(target.join("debug/signalpost")))
}

/// `None` too where the tree lies in somebody else's repository.
fn commit_before() -> Option<String> {
    let say = |arguments: &[&str]| {
        let output = Command::new("git").current_dir(workspace::root()).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    say(&["rev-parse", "--show-prefix"]).filter(String::is_empty)?;
    say(&["rev-parse", "--verify", "--quiet", "HEAD^^{commit}"])
}

/// Files that have not changed keep their times, so that a build goes on where the one before has ended.
fn check_out(commit: &str, source: &Path) -> Outcome {
    let git = || {
        let mut git = Command::new("git");
        git.current_dir(workspace::root());
        git
    };
    command::run(git().args(["worktree", "prune"]))?;
    if source.join(".git").exists() {
        return command::run(
            git().arg("-C").arg(source).args(["checkout", "--quiet", "--force", "--detach", commit]),
        );
    }
    command::run(git().args(["worktree", "add", "--quiet", "--force", "--detach"]).arg(source).arg(commit))
}

/// Copies what was built of packages that are not the workspace's, with its times: by these cargo knows what is up to date.
fn copy_foreign(from: &Path, to: &Path) -> Outcome {
    let ours = names_of_targets(&workspace::metadata()?);
    for folder in KEPT {
        let (from, to) = (from.join(folder), to.join(folder));
        std::fs::create_dir_all(&to).map_err(|error| format!("{} cannot be made: {error}", to.display()))?;
        let entries = std::fs::read_dir(&from)
            .map_err(|error| format!("{} cannot be read: {error}", from.display()))?;
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let foreign: Vec<PathBuf> =
            names.filter(|name| !ours.contains(&crate_of(name))).map(|name| from.join(name)).collect();
        for paths in foreign.chunks(PATHS_A_CALL) {
            let mut copy = Command::new("cp");
            command::run(
                copy.args(["--archive", "--reflink=auto", "--target-directory"]).arg(&to).args(paths),
            )?;
        }
    }
    Ok(())
}

/// Packages of the workspace, and their libraries, programs, tests and examples, as crates are called.
fn names_of_targets(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let targets = packages.iter().flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let names = packages.iter().chain(targets).filter_map(|named| named["name"].as_str());
    names.map(|name| name.replace('-', "_")).collect()
}

/// What a file or folder was built of, whose name is that and a hash.
fn crate_of(name: &str) -> String {
    let (crate_name, _) = name.rsplit_once('-').unwrap_or((name, ""));
    crate_name.strip_prefix("lib").unwrap_or(crate_name).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_ours_is_told_from_what_is_not() {
        let targets = json!([{"name": "signalpost_core"}, {"name": "it"}]);
        let ours = names_of_targets(&json!({"packages": [{"name": "signalpost-core", "targets": targets}]}));
        let is_ours = |name: &str| ours.contains(&crate_of(name));
        for name in [
            "libsignalpost_core-0123456789abcdef.rlib",
            "signalpost-core-0123456789abcdef",
            "it-0123456789abcdef",
            "it-0123456789abcdef.1abc.rcgu.o",
        ] {
            assert!(is_ours(name), "{name}");
        }
        for name in
            ["libserde-0123456789abcdef.rmeta", "libc-0123456789abcdef", "aws-lc-sys-0123456789abcdef"]
        {
            assert!(!is_ours(name), "{name}");
        }
    }
}
