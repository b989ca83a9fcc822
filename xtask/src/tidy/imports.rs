//! Wildcards hide where a name comes from and which version is meant.

use super::{Finding, length};

pub(super) fn check(file: &str, text: &str) -> Vec<Finding> {
    if file.ends_with("Cargo.toml") {
        return find(file, text.lines(), |line| line.contains("= \"*\""), "say which version; `*` takes any");
    }
    if !file.ends_with(".rs") || file.contains("/tests/") || file.ends_with("/tests.rs") {
        return Vec::new();
    }
    let code = text.lines().take(length::code_lines(text));
    find(file, code, imports_all, "name what you import; `*` is for `prelude` and for tests")
}

/// A module inside a file may take all of the file's names, but no file takes all of another's.
fn imports_all(line: &str) -> bool {
    if line.starts_with(' ') && line.trim_start() == "use super::*;" {
        return false;
    }
    let line = line.trim_start();
    let imports =
        line.starts_with("use ") || line.starts_with("pub use ") || line.starts_with("pub(crate) use ");
    imports && line.ends_with("::*;") && !line.contains("prelude::")
}

fn find<'a>(
    file: &str,
    lines: impl Iterator<Item = &'a str>,
    broken: fn(&str) -> bool,
    message: &str,
) -> Vec<Finding> {
    let broken_lines = lines.enumerate().filter(|(_, line)| broken(line));
    broken_lines.map(|(index, _)| Finding::new(file, index + 1, message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_for_preludes_and_tests() {
        assert_eq!(check("a.rs", "use std::io::*;\n").len(), 1);
        assert_eq!(check("a.rs", "    pub use a::*;\n").len(), 1);
        assert_eq!(check("a.rs", "use super::*;\n").len(), 1);
        assert_eq!(check("a.rs", "mod inner {\n    use super::*;\n}\n"), []);
        assert_eq!(check("a.rs", "use proptest::prelude::*;\n"), []);
        assert_eq!(check("a.rs", "#[cfg(test)]\nmod tests {\n    use super::*;\n}\n"), []);
        assert_eq!(check("crates/a/tests/it/main.rs", "use a::*;\n"), []);
        assert_eq!(check("Cargo.toml", "a = \"*\"\n").len(), 1);
        assert_eq!(check("Cargo.toml", "members = [\"crates/*\"]\n"), []);
    }
}
