//! Installs what the other steps need, where it is missing. A tool that cannot be installed is an error: a step
//! that is skipped in silence protects nobody.

use std::process::Command;

use super::command::{self, succeeds};
use crate::Outcome;

/// A call that succeeds when the tool is there, and how it is installed.
struct Tool {
    name: &'static str,
    probe: (&'static str, &'static [&'static str]),
    source: Source,
}

#[derive(Clone, Copy)]
enum Source {
    Apt(&'static str),
    Rustup(&'static str),
}

const TOOLS: &[Tool] = &[
    Tool { name: "git", probe: ("git", &["--version"]), source: Source::Apt("git") },
    Tool { name: "a C compiler", probe: ("cc", &["--version"]), source: Source::Apt("gcc") },
    Tool { name: "python3", probe: ("python3", &["--version"]), source: Source::Apt("python3") },
    Tool {
        name: "python3 venv",
        probe: ("python3", &["-c", "import venv, ensurepip"]),
        source: Source::Apt("python3-venv"),
    },
    Tool { name: "node", probe: ("node", &["--version"]), source: Source::Apt("nodejs") },
    Tool { name: "npm", probe: ("npm", &["--version"]), source: Source::Apt("npm") },
    Tool { name: "chromium", probe: ("chromium", &["--version"]), source: Source::Apt("chromium") },
    Tool { name: "php", probe: ("php", &["--version"]), source: Source::Apt("php-cli") },
    Tool { name: "go", probe: ("go", &["version"]), source: Source::Apt("golang-go") },
    Tool {
        name: "libfaketime",
        probe: (
            "sh",
            &[
                "-c",
                "ls /usr/lib*/*/faketime/libfaketime.so.1 /usr/lib*/faketime/libfaketime.so.1 | grep -q .",
            ],
        ),
        source: Source::Apt("libfaketime"),
    },
    Tool {
        name: "postgresql",
        probe: ("sh", &["-c", "ls /usr/lib/postgresql/*/bin/initdb | grep -q ."]),
        source: Source::Apt("postgresql"),
    },
    Tool { name: "mkfs.ext4", probe: ("mkfs.ext4", &["-V"]), source: Source::Apt("e2fsprogs") },
    Tool { name: "rustfmt", probe: ("cargo", &["fmt", "--version"]), source: Source::Rustup("rustfmt") },
    Tool { name: "clippy", probe: ("cargo", &["clippy", "--version"]), source: Source::Rustup("clippy") },
];

pub(super) fn run() -> Outcome {
    let mut apt_is_fresh = false;
    for tool in TOOLS {
        if is_there(tool) {
            println!("{:<14} is there", tool.name);
            continue;
        }
        println!("{:<14} is missing; installing it", tool.name);
        match tool.source {
            Source::Apt(package) => {
                if !apt_is_fresh {
                    command::run(Command::new("apt-get").args(["update", "--quiet"]))?;
                    apt_is_fresh = true;
                }
                let mut apt = Command::new("apt-get");
                apt.env("DEBIAN_FRONTEND", "noninteractive");
                command::run(apt.args(["install", "--yes", "--quiet", "--no-install-recommends", package]))?;
            }
            Source::Rustup(component) => {
                command::run(Command::new("rustup").args(["component", "add", component]))?
            }
        }
        if !is_there(tool) {
            return Err(format!("{} was installed and is still missing", tool.name));
        }
    }
    Ok(())
}

fn is_there(tool: &Tool) -> bool {
    succeeds(tool.probe.0, tool.probe.1)
}
