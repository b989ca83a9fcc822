//! Rules of the house that a machine can check, so that nobody has to remember them.
//!
//! Each rule is a pure function over texts in a file of its own; this file gives them the texts and prints what
//! they find as `file:line: what is wrong, and what to do`.

mod arrows;
mod crate_docs;
mod dialects;
mod imports;
mod length;
mod lockfile;
mod markdown;
mod secrets;
mod text;
mod vendors;

use std::fmt;

use crate::args::Args;
use crate::{Outcome, Task, workspace};

pub(crate) const TASK: Task = Task {
    name: "tidy",
    summary: "check the rules of the house that a machine can check",
    help: "Checks which crate may depend on which, where a vendor may be named, that vendors' folders are alike, how long files are, that
files begin by saying what they are for, that secrets are not compared by `==`, and small things such as trailing white space.
Prints one line per finding and fails when there is any. Takes no options.",
    run,
};

/// One broken rule at one place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    file: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Inputs of the fuzz targets: data, whatever it looks like.
const CORPUS: &str = "crates/fuzz/corpus/";

/// A rule that looks at one file's path and text.
type FileRule = fn(&str, &str) -> Vec<Finding>;

const FILE_RULES: &[FileRule] = &[
    text::check,
    vendors::check,
    crate_docs::check,
    imports::check,
    lockfile::check,
    markdown::check,
    secrets::check,
];

pub(crate) fn run(args: Args) -> Outcome {
    args.finish()?;
    let findings = findings()?;
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy");
            Ok(())
        }
        count => Err(format!("{count} finding(s)")),
    }
}

fn findings() -> Result<Vec<Finding>, String> {
    let mut findings = arrows::check(&workspace::metadata()?);
    let mut lengths = Vec::new();
    let files = workspace::files()?;
    findings.extend(dialects::check(&files));
    for file in files {
        let path = workspace::root().join(&file);
        let bytes = std::fs::read(&path).map_err(|error| format!("{file} cannot be read: {error}"))?;
        if file.starts_with(CORPUS) {
            continue;
        }
        // A file that is not UTF-8 is a picture or a fixture; no rule here is about it.
        let Ok(text) = String::from_utf8(bytes) else { continue };
        findings.extend(FILE_RULES.iter().flat_map(|rule| rule(&file, &text)));
        lengths.extend(length::measure(&file, &text));
    }
    findings.extend(length::check(&lengths, length::EXCEPTIONS));
    Ok(findings)
}
