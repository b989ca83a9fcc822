//! Every kept input is tried by its target: what a fuzzer found once stays found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use signalpost_fuzz::{Target, targets};

#[test]
fn kept_inputs_keep_their_promises() {
    let broken: Vec<PathBuf> = targets().iter().flat_map(replay).collect();
    assert!(broken.is_empty(), "a promise is broken by {broken:#?}");
}

/// The inputs that make a target panic.
fn replay(target: &Target) -> Vec<PathBuf> {
    let folder = target.corpus();
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{}: no input is kept", target.name);
    paths.retain(|path| {
        let input = std::fs::read(path).expect("a file that can be read");
        assert!(input.len() <= target.bytes_max, "{} is longer than a fuzzer makes it", path.display());
        catch_unwind(AssertUnwindSafe(|| target.run(&input))).is_err()
    });
    paths
}
