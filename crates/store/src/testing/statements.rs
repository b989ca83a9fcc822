//! The lists of statements that tests look through. They are written by hand, and one that is missing from them would never be
//! looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Panics unless the list `STATEMENTS` in the `mod.rs` of each of these folders names every statement of its files, each once.
pub fn assert_all_listed(source: &Path, folders: &[&str]) {
    for folder in folders {
        let path = source.join(folder);
        let mut written = BTreeSet::new();
        let mut listed = BTreeMap::new();
        for file in fs::read_dir(&path).expect("the sources").map(|file| file.expect("a file").path()) {
            let text = fs::read_to_string(&file).expect("a text");
            let module = file.file_stem().and_then(|stem| stem.to_str()).expect("a name");
            note_written(&mut written, module, &text);
            if module == "mod" {
                note_listed(&mut listed, &text);
            }
        }
        assert!(!written.is_empty(), "{} has no statements", path.display());
        let missing: Vec<_> = written.iter().filter(|name| !listed.contains_key(*name)).collect();
        assert!(missing.is_empty(), "not in the list of {folder}: {missing:?}");
        let twice: Vec<_> = listed.iter().filter(|(_, times)| **times > 1).map(|(name, _)| name).collect();
        assert!(twice.is_empty(), "more than once in the list of {folder}: {twice:?}");
        let unknown: Vec<_> = listed.keys().filter(|name| !written.contains(*name)).collect();
        assert!(unknown.is_empty(), "in the list of {folder}, and no statement of its files: {unknown:?}");
    }
}

/// Constants that are texts, by the names that the list has for them.
fn note_written(written: &mut BTreeSet<String>, module: &str, text: &str) {
    let constants = text.split("const ").skip(1).filter_map(|rest| rest.split_once(": &str ="));
    for (name, _) in constants.filter(|(name, _)| name.bytes().all(is_of_a_name)) {
        written.insert(if module == "mod" { name.to_owned() } else { format!("{module}::{name}") });
    }
}

fn note_listed(listed: &mut BTreeMap<String, usize>, text: &str) {
    let (_, list) = text.split_once("STATEMENTS: &[&str] = &[").expect("a list of statements");
    let (list, _) = list.split_once("];").expect("its end");
    let lines = list.lines().filter(|line| !line.trim_start().starts_with("//"));
    for name in lines.flat_map(|line| line.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
        *listed.entry(name.to_owned()).or_default() += 1;
    }
}

const fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_by_their_names() {
        let (mut written, mut listed) = (BTreeSet::new(), BTreeMap::new());
        let text = "pub(crate) const ONE: &str = \"\";\nconst fn two() {}\nconst THREE_4: &str =\n    \"\";\nconst N: i64 = 5;";
        note_written(&mut written, "file", text);
        note_written(&mut written, "mod", "const ONE: &str = \"\";");
        assert_eq!(written.iter().collect::<Vec<_>>(), ["ONE", "file::ONE", "file::THREE_4"]);
        note_listed(
            &mut listed,
            "pub(crate) const STATEMENTS: &[&str] = &[\n    // Why.\n    ONE,\n    a::B, a::B,\n];\n",
        );
        assert_eq!(listed.into_iter().collect::<Vec<_>>(), [("ONE".to_owned(), 1), ("a::B".to_owned(), 2)]);
    }
}
