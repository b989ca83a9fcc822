//! The binary as it is shipped, built when it is needed.

use std::path::PathBuf;
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
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--release", "--quiet", "--package", "signalpost-app"]);
    let status = cargo.status().map_err(|error| format!("cargo cannot be started: {error}"))?;
    if !status.success() {
        return Err("the release build failed".to_owned());
    }
    let metadata = workspace::metadata()?;
    let target = metadata["target_directory"].as_str().ok_or("cargo metadata names no target directory")?;
    let binary = PathBuf::from(target).join("release").join("signalpost");
    if binary.is_file() { Ok(binary) } else { Err(format!("there is no {}", binary.display())) }
}
