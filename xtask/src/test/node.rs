//! Folders of packages for programs of other people that run on Node.js. They lie beside the build's other products.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::command;
use crate::workspace;

/// A package and the version that is wanted.
pub(crate) type Library = (&'static str, &'static str);

/// A folder in which Node.js finds these packages, which are installed when one is missing or of another version. Nothing that
/// comes with a package is run while it is installed. Each set has a folder of its own, for npm removes what it was not told of.
pub(crate) fn with_libraries(libraries: &[Library]) -> Result<PathBuf, String> {
    let names: Vec<&str> = libraries.iter().map(|(module, _)| *module).collect();
    let folder = workspace::target_directory()?.join("node").join(names.join("+"));
    let made = std::fs::create_dir_all(&folder);
    made.map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    if !libraries.iter().all(|library| is_there(&folder, *library)) {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
        npm.arg(&folder).args(libraries.iter().map(|(module, version)| format!("{module}@{version}")));
        command::run(&mut npm)?;
    }
    Ok(folder)
}

fn is_there(folder: &Path, (module, version): Library) -> bool {
    let manifest = folder.join("node_modules").join(module).join("package.json");
    let installed = std::fs::read_to_string(manifest).ok();
    let manifest = installed.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    manifest.is_some_and(|manifest| manifest["version"] == version)
}
