//! Secrets are compared in constant time: by `Secret::matches`, by a hash that is looked up, or by a library that says so.
//! `==` stops at the first difference, and a guesser who can measure that guesses byte by byte.

use super::{Finding, length};

const TYPES: &str = "crates/core/src/secret.rs";

pub(super) fn check(file: &str, text: &str) -> Vec<Finding> {
    if !file.ends_with(".rs") || !file.contains("/src/") || file.contains("/testing/") {
        return Vec::new();
    }
    let code: Vec<&str> = text.lines().take(length::code_lines(text)).collect();
    let compared = code.iter().enumerate().filter(|(_, line)| compares(line)).map(|(index, _)| {
        Finding::new(file, index + 1, "a secret is compared by `==`; use `Secret::matches`")
    });
    let mut findings: Vec<Finding> = compared.collect();
    if file == TYPES && !is_incomparable(&code) {
        findings.push(Finding::new(file, 1, "`Secret` can be compared by `==`; let it have no `PartialEq`"));
    }
    findings
}

/// Whether a line compares what a secret exposes, and not only how long it is.
fn compares(line: &str) -> bool {
    let line = line.trim_start();
    let is_comment = line.starts_with("//");
    let exposed = line.match_indices(".expose").filter_map(|(at, _)| line[at..].split_once("()"));
    let of_content = exposed
        .into_iter()
        .any(|(_, after)| !after.starts_with(".len()") && !after.starts_with(".is_empty()"));
    !is_comment && of_content && (line.contains(" == ") || line.contains(" != "))
}

fn is_incomparable(code: &[&str]) -> bool {
    let at = code.iter().position(|line| line.starts_with("pub struct Secret("));
    let derives = at.and_then(|at| code[..at].iter().rev().find(|line| line.starts_with("#[derive")));
    let is_written =
        code.iter().any(|line| line.starts_with("impl PartialEq") && line.contains(" for Secret "));
    derives.is_some_and(|line| !line.contains("PartialEq")) && !is_written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_of_what_is_exposed_are_found() {
        for bad in [
            "    if secret.expose() == given {\n",
            "let same = given != key.expose_text();\n",
            "a.expose().len() == 3 && a.expose() == b\n",
        ] {
            assert_eq!(check("crates/a/src/b.rs", bad).len(), 1, "{bad}");
        }
        for good in [
            "secret.matches(given.expose())\n",
            "key.expose().len() == 32\n",
            "// secret.expose() == given\n",
            "#[cfg(test)]\nmod tests {\n    secret.expose() == given\n}\n",
        ] {
            assert_eq!(check("crates/a/src/b.rs", good), [], "{good}");
        }
        assert_eq!(check("crates/a/tests/it/b.rs", "secret.expose() == given\n"), []);
    }

    #[test]
    fn a_secret_that_can_be_compared_is_found() {
        let derived = |traits: &str| format!("#[derive({traits})]\npub struct Secret(Vec<u8>);\n");
        assert_eq!(check(TYPES, &derived("Clone")), []);
        assert_eq!(check(TYPES, &derived("Clone, PartialEq, Eq")).len(), 1);
        assert_eq!(check(TYPES, &format!("{}impl PartialEq for Secret {{}}\n", derived("Clone"))).len(), 1);
        assert_eq!(check(TYPES, "pub struct Other;\n").len(), 1, "a rule that looks at nothing");
    }
}
