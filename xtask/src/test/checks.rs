//! Steps that only read the source: formatting, lints, documentation.

use super::command;
use crate::{Outcome, workspace};

pub(super) fn format() -> Outcome {
    command::cargo(&["fmt", "--all", "--check"])
}

pub(super) fn clippy() -> Outcome {
    command::cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

pub(super) fn docs() -> Outcome {
    let mut cargo = workspace::cargo();
    cargo.args(["doc", "--workspace", "--no-deps", "--document-private-items"]);
    command::run(cargo.env("RUSTDOCFLAGS", "-D warnings"))
}
