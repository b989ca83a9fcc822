//! Files stay short. Longer ones are listed with their length, and the list may only shrink.

use super::Finding;

/// Lines of code, without tests, that a file may have.
const LINES_MAX: usize = 400;

/// `<lines> <file>` for each file that is longer today.
pub(super) const EXCEPTIONS: &str = include_str!("long_files.txt");

const LIST: &str = "xtask/src/tidy/long_files.txt";

/// A file and the lines of its code.
pub(super) struct Length {
    file: String,
    lines: usize,
}

/// Counts a Rust file up to its test module; test files and the like do not count.
pub(super) fn measure(file: &str, text: &str) -> Option<Length> {
    let for_tests = ["/tests/", "/conformance/", "/examples/", "/benches/"];
    if !file.ends_with(".rs")
        || file.ends_with("/tests.rs")
        || for_tests.iter().any(|part| file.contains(part))
    {
        return None;
    }
    Some(Length { file: file.to_owned(), lines: code_lines(text) })
}

/// Lines before `#[cfg(test)]` with a module under it; other attributes may stand between them.
pub(super) fn code_lines(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let starts_tests = |at: &usize| {
        let mut below = lines[at + 1..].iter().skip_while(|line| line.starts_with("#["));
        lines[*at] == "#[cfg(test)]" && below.next().is_some_and(|line| line.contains("mod "))
    };
    (0..lines.len()).find(starts_tests).unwrap_or(lines.len())
}

pub(super) fn check(lengths: &[Length], exceptions: &str) -> Vec<Finding> {
    let mut findings: Vec<Finding> = lengths.iter().filter_map(|length| judge(length, exceptions)).collect();
    for (index, (_, file)) in entries(exceptions) {
        if !lengths.iter().any(|length| length.file == file) {
            findings.push(Finding::new(LIST, index, format!("`{file}` is gone; remove its line")));
        }
    }
    findings
}

fn judge(length: &Length, exceptions: &str) -> Option<Finding> {
    let Length { file, lines } = length;
    let entry = entries(exceptions).find(|(_, (_, listed))| listed == file);
    match entry {
        None if *lines > LINES_MAX => {
            let message =
                format!("{lines} lines of code, at most {LINES_MAX}; look for the second idea in this file");
            Some(Finding::new(file, LINES_MAX + 1, message))
        }
        Some((_, (limit, _))) if *lines > limit => {
            let message = format!("grew to {lines} lines of code from {limit}; split it instead");
            Some(Finding::new(file, limit + 1, message))
        }
        Some((index, _)) if *lines <= LINES_MAX => {
            Some(Finding::new(LIST, index, format!("`{file}` is short enough now; remove its line")))
        }
        Some((index, (limit, _))) if *lines < limit => {
            Some(Finding::new(LIST, index, format!("`{file}` shrank; set its line to {lines}")))
        }
        _ => None,
    }
}

/// Line number, permitted lines and file of each entry; a line that cannot be read permits nothing.
fn entries(exceptions: &str) -> impl Iterator<Item = (usize, (usize, &str))> {
    let numbered = exceptions.lines().enumerate();
    numbered.filter_map(|(index, line)| {
        let (lines, file) = line.split_once(' ')?;
        Some((index + 1, (lines.parse().ok()?, file)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: usize, exceptions: &str) -> usize {
        check(&[Length { file: "a.rs".to_owned(), lines }], exceptions).len()
    }

    #[test]
    fn long_files_are_found_and_exceptions_only_shrink() {
        assert_eq!(found(400, ""), 0);
        assert_eq!(found(401, ""), 1);
        assert_eq!(found(450, "450 a.rs\n"), 0);
        assert_eq!(found(451, "450 a.rs\n"), 1, "grew");
        assert_eq!(found(449, "450 a.rs\n"), 1, "shrank, so the entry must follow");
        assert_eq!(found(400, "450 a.rs\n"), 1, "needs no entry any more");
        assert_eq!(found(1, "450 gone.rs\n"), 1);
    }

    #[test]
    fn tests_do_not_count() {
        let text = "fn a() {}\n#[cfg(test)]\nuse b;\n\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(code_lines(text), 4);
        assert_eq!(code_lines("fn a() {}\n#[cfg(test)]\n#[expect(x)]\nmod tests {\n}\n"), 1);
        assert_eq!(code_lines("fn a() {}\n#[cfg(test)]\n"), 2);
        assert!(measure("crates/a/tests/it/main.rs", "").is_none());
        assert!(measure("crates/a/src/b.md", "").is_none());
        assert_eq!(measure("crates/a/src/b.rs", text).map(|length| length.lines), Some(4));
    }
}
