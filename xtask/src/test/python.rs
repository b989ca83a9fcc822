//! A virtual environment for programs of other people that judge us. It lies beside the build's other products.

use std::path::PathBuf;
use std::process::Command;

use super::command;
use crate::workspace;

/// A Python that can import `module`, which is installed as `requirement` (a name and a version) when it is missing.
pub(crate) fn with_library(module: &str, requirement: &str) -> Result<PathBuf, String> {
    let folder = workspace::target_directory()?.join("verifiers");
    let python = folder.join("bin").join("python");
    if !command::succeeds(&python.to_string_lossy(), &["-c", "pass"]) {
        command::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    }
    if !command::succeeds(&python.to_string_lossy(), &["-c", &format!("import {module}")]) {
        command::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", requirement]))?;
    }
    Ok(python)
}
