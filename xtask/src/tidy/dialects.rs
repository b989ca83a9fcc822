//! The folders of the vendors' dialects have the same shape: whoever knows one finds its way in the others.

use std::collections::BTreeMap;

use super::Finding;

const FOLDER: &str = "crates/api/src/dialect/";
/// Serves the operator, with more calls and no vendor.
const OPERATORS: &str = "native";
/// What every vendor's folder has; more is its own business.
const COMMON: [&str; 18] = [
    "README.md",
    "auth.rs",
    "catalogue.rs",
    "convert.rs",
    "create.rs",
    "delete.rs",
    "document.rs",
    "error.rs",
    "get.rs",
    "instance_check.rs",
    "list.rs",
    "mod.rs",
    "operations.rs",
    "profile.rs",
    "read.rs",
    "schemas.rs",
    "update.rs",
    "wire.rs",
];

pub(super) fn check(files: &[String]) -> Vec<Finding> {
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files.iter().filter_map(|file| file.strip_prefix(FOLDER)) {
        if let Some((dialect, name)) = file.split_once('/').filter(|(dialect, _)| *dialect != OPERATORS) {
            folders.entry(dialect).or_default().push(name);
        }
    }
    let missing = folders.iter().flat_map(|(dialect, names)| {
        let absent = COMMON.iter().filter(|name| !names.contains(name));
        absent.map(move |name| Finding::new(&format!("{FOLDER}{dialect}/{name}"), 1, MESSAGE))
    });
    missing.collect()
}

const MESSAGE: &str = "is missing; every vendor's dialect has the same files for the same things";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendors_folder_has_what_the_others_have() {
        let whole = |dialect: &str| COMMON.map(|name| format!("{FOLDER}{dialect}/{name}")).to_vec();
        let mut files =
            [whole("a"), whole("b"), vec![format!("{FOLDER}native/mod.rs"), format!("{FOLDER}mod.rs")]];
        assert_eq!(check(&files.concat()), []);
        files[1].retain(|file| !file.ends_with("b/read.rs"));
        files[1].push(format!("{FOLDER}b/more.rs"));
        let found = check(&files.concat());
        assert_eq!(found, [Finding::new("crates/api/src/dialect/b/read.rs", 1, MESSAGE)]);
    }
}
