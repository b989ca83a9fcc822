//! Writes the committed OpenAPI documents anew, from what is served, and lets somebody else's validator judge them.

use std::process::Command;

use crate::args::Args;
use crate::test::{command, python};
use crate::{Outcome, Task, workspace};

pub(crate) const TASK: Task = Task {
    name: "openapi",
    summary: "write docs/openapi/ anew from what is served",
    help: "Usage: cargo xtask openapi

Run this after a change of an operation, a request or an answer, and look at the difference before
you commit it. `cargo test -p signalpost-api` fails while the committed copies are behind.",
    run,
};

/// Name and version of the validator.
const VALIDATOR: &str = "openapi-spec-validator==0.9.0";
/// Fails at the first thing that is wrong.
const PROGRAM: &str = include_str!("test/openapi.py");
const DOCUMENTS: [&str; 5] = [
    "docs/openapi/native.json",
    "docs/openapi/sigmamind.json",
    "docs/openapi/opentrain.json",
    "docs/openapi/opentrain-partner.json",
    "docs/openapi/spaaza.json",
];

fn run(args: Args) -> Outcome {
    args.finish()?;
    let mut test = workspace::cargo();
    test.args(["test", "--quiet", "--package", "signalpost-api", "--test", "it", "documents::committed"]);
    command::run(test.env("SIGNALPOST_WRITE_DOCUMENTS", "1"))?;
    validate()
}

/// Also a step of `cargo xtask test`.
pub(crate) fn validate() -> Outcome {
    let python = python::with_library("openapi_spec_validator", VALIDATOR)?;
    let files = DOCUMENTS.map(|document| workspace::root().join(document));
    command::run(Command::new(python).args(["-c", PROGRAM]).args(files))
}
