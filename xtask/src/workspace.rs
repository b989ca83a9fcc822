//! Where things are: the project's root, cargo's view of its packages, and the files git knows.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().map_or_else(|| xtask.to_owned(), Path::to_owned)
}

/// `cargo metadata` of the workspace's own packages.
pub(crate) fn metadata() -> Result<Value, String> {
    let text = stdout_of(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    serde_json::from_str(&text).map_err(|error| format!("cargo metadata did not print JSON: {error}"))
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> Result<PathBuf, String> {
    let metadata = metadata()?;
    let target = metadata["target_directory"].as_str().ok_or("cargo metadata names no target directory")?;
    Ok(PathBuf::from(target))
}

/// Cargo as it was called for this task, in the project's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Every file that is tracked, or would be if it were added, as a path from the root.
pub(crate) fn files() -> Result<Vec<String>, String> {
    let mut git = Command::new("git");
    git.current_dir(root()).args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    let names = stdout_of(&mut git)?;
    let mut files: Vec<String> = names.split_terminator('\0').map(str::to_owned).collect();
    files.retain(|file| root().join(file).is_file());
    files.sort_unstable();
    files.dedup();
    Ok(files)
}

/// Runs a command to its end and returns what it printed; its error output goes to ours.
pub(crate) fn stdout_of(command: &mut Command) -> Result<String, String> {
    let what = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("`{what}` cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{what}` ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{what}` printed something that is not UTF-8"))
}
