//! The kept inputs of a target: the fewest and shortest that reach what all known ones reach. Findings stay.

use std::path::Path;

use super::build::{Fuzzer, Known, kept, made};
use crate::Outcome;
use crate::test::command;

/// Names of inputs that were found to break something, and of those written by hand, begin otherwise than libFuzzer's,
/// which are 40 hexadecimal digits.
const NAME_CHARS: usize = 40;

/// Replaces the kept inputs of a target that have no name of their own.
pub(super) fn keep(fuzzer: &Fuzzer, target: &Known) -> Outcome {
    let (kept, grown) = (kept(target)?, fuzzer.place("corpus", target)?);
    let fewest = fuzzer.folder.join("fewest").join(&target.name);
    if fewest.exists() {
        std::fs::remove_dir_all(&fewest).map_err(|error| format!("{}: {error}", fewest.display()))?;
    }
    made(&fewest)?;
    command::run(fuzzer.command(target).args(["-merge=1", "-verbosity=0"]).args([&fewest, &kept, &grown]))?;
    for file in files(&kept)?.iter().filter(|file| is_unnamed(file)) {
        let path = kept.join(file);
        std::fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let fewest_files = files(&fewest)?;
    for file in &fewest_files {
        let copied = std::fs::copy(fewest.join(file), kept.join(file));
        copied.map_err(|error| format!("{file} cannot be copied: {error}"))?;
    }
    println!("{}: {} inputs", target.name, fewest_files.len());
    Ok(())
}

fn is_unnamed(file: &str) -> bool {
    file.len() == NAME_CHARS && file.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn files(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect::<std::io::Result<_>>().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_with_a_name_are_told_apart() {
        assert!(is_unnamed(&"0a".repeat(20)));
        assert!(!is_unnamed("a-negative-successor") && !is_unnamed(&"x".repeat(40)));
    }
}
