//! The binary as it is shipped, built when it is needed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::args::Args;
use crate::workspace;

/// Time that a fresh or restarted server has until it is ready; far above what it may need.
pub(crate) const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The binary that `--binary` names, or else the one that [`binary`] builds.
pub(crate) fn chosen(args: &mut Args) -> Result<PathBuf, String> {
    args.value("--binary")?.map_or_else(binary, Ok)
}

/// Builds `signalpost` with the release profile and returns where it lies.
pub(crate) fn binary() -> Result<PathBuf, String> {
    build(workspace::cargo(), &workspace::target_directory()?)
}

/// What a profiler needs to read stacks, in Rust and in C, beside the release profile.
const PROFILING: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_STRIP", "none"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "1"),
    ("RUSTFLAGS", "-C force-frame-pointers=yes"),
    ("CFLAGS", "-fno-omit-frame-pointer"),
];

/// The same with symbols and frame pointers, in a target folder of its own, so that neither build spoils the other.
pub(crate) fn binary_for_profiling() -> Result<PathBuf, String> {
    let target = workspace::target_directory()?.join("stages");
    let mut cargo = workspace::cargo();
    cargo.envs(PROFILING).env("CARGO_TARGET_DIR", &target);
    build(cargo, &target)
}

fn build(mut cargo: Command, target: &Path) -> Result<PathBuf, String> {
    cargo.args(["build", "--release", "--quiet", "--package", "signalpost-app"]);
    let status = cargo.status().map_err(|error| format!("cargo cannot be started: {error}"))?;
    if !status.success() {
        return Err("the release build failed".to_owned());
    }
    let binary = target.join("release").join("signalpost");
    if binary.is_file() { Ok(binary) } else { Err(format!("there is no {}", binary.display())) }
}
