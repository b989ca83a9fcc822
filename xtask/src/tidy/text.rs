//! Small things that are wrong in any text: loose ends, stray white space, traces of somebody's machine.

use super::Finding;

/// Written in two halves, so that this file does not find itself.
const LOOSE_ENDS: &[(&str, &str)] = &[
    (concat!("todo", "!("), "finish it, or leave it out"),
    (concat!("unimplemented", "!("), "finish it, or leave it out"),
    (concat!("FIX", "ME"), "mend it; a known wart gets a comment that says why it stays"),
    (concat!("XX", "X:"), "mend it; a known wart gets a comment that says why it stays"),
    (concat!("dbg", "!("), "remove it"),
];

/// Roots of folders that exist on one machine only.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Use", "rs/")];

/// Hosts that packages come from; a build names packages, never where they lie.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("py", "pi.org"),
    concat!("registry.npm", "js.org"),
    concat!("static.cra", "tes.io"),
    concat!("index.cra", "tes.io"),
];

pub(super) fn check(file: &str, text: &str) -> Vec<Finding> {
    if file == "Cargo.lock" || file == "LICENSE" {
        return Vec::new();
    }
    let mut findings: Vec<Finding> = text
        .split_terminator('\n')
        .enumerate()
        .flat_map(|(index, line)| check_line(file, index + 1, line))
        .collect();
    let lines = text.lines().count();
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::new(file, lines, "the last line has no line break; add one"));
    }
    if text.ends_with("\n\n") {
        findings.push(Finding::new(file, lines, "empty lines at the end; remove them"));
    }
    findings
}

fn check_line(file: &str, number: usize, line: &str) -> Vec<Finding> {
    let mut messages = Vec::new();
    if line.ends_with([' ', '\t', '\r']) {
        messages.push("white space at the end of the line; remove it".to_owned());
    }
    if line.contains('\t') && !file.ends_with("Makefile") {
        messages.push("a tab; use spaces".to_owned());
    }
    for (word, advice) in LOOSE_ENDS.iter().filter(|(word, _)| line.contains(word)) {
        messages.push(format!("`{word}`: {advice}"));
    }
    for path in MACHINE_PATHS.iter().filter(|path| names_path(line, path)) {
        messages.push(format!("`{path}` is a path of somebody's machine; use a relative path or an option"));
    }
    for host in REGISTRY_HOSTS.iter().filter(|host| line.contains(*host)) {
        messages.push(format!("`{host}` is a registry's host; name the package only"));
    }
    messages.into_iter().map(|message| Finding::new(file, number, message)).collect()
}

/// Whether the path starts here rather than continuing a longer one or a URL.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '}' | '.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check("a.rs", text).len()
    }

    #[test]
    fn loose_ends_and_white_space_are_found() {
        assert_eq!(count("fn a() {}\n"), 0);
        for bad in ["a \n", "a\tb\n", "a\r\n", "a", "a\n\n"] {
            assert_eq!(count(bad), 1, "{bad:?}");
        }
        for word in [concat!("todo", "!()"), concat!("// FIX", "ME later"), concat!("dbg", "!(x)")] {
            assert_eq!(count(&format!("    {word}\n")), 1, "{word}");
        }
    }

    #[test]
    fn paths_of_a_machine_are_found_and_others_are_not() {
        for bad in [concat!("\"/wo", "rk/main\"\n"), concat!("cd /ro", "ot/x\n"), concat!("/ho", "me/you\n")]
        {
            assert_eq!(count(bad), 1, "{bad}");
        }
        for good in ["https://example.com/work/1\n", "src/work/a\n", "`/workspaces/{id}`\n", "./home/x\n"] {
            assert_eq!(count(good), 0, "{good}");
        }
        assert_eq!(count(concat!("fetch from py", "pi.org\n")), 1);
    }
}
