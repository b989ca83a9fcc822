//! A folder of packages for programs of other people that run on Node.js. It lies beside the build's other products.

use std::path::PathBuf;
use std::process::Command;

use super::command;
use crate::workspace;

/// A folder in which Node.js finds `module`, which is installed in this version when it is missing. Nothing that
/// comes with a package is run while it is installed.
pub(crate) fn with_library(module: &str, version: &str) -> Result<PathBuf, String> {
    let folder = workspace::target_directory()?.join("verifiers-node");
    let made = std::fs::create_dir_all(&folder);
    made.map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    let manifest = folder.join("node_modules").join(module).join("package.json");
    let installed = std::fs::read_to_string(manifest).ok();
    let is_there = installed
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .is_some_and(|manifest| manifest["version"] == version);
    if !is_there {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
        command::run(npm.arg(&folder).arg(format!("{module}@{version}")))?;
    }
    Ok(folder)
}
