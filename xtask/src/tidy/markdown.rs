//! A document has one title.

use super::Finding;

pub(super) fn check(file: &str, text: &str) -> Vec<Finding> {
    if !file.ends_with(".md") {
        return Vec::new();
    }
    let titles = titles(text);
    match titles.as_slice() {
        [_] => Vec::new(),
        [] => vec![Finding::new(file, 1, "no title; begin with one line `# ...`")],
        [_, more @ ..] => {
            let message = "a second title; a document has one `# ...`, its parts have `## ...`";
            more.iter().map(|line| Finding::new(file, *line, message)).collect()
        }
    }
}

/// Numbers of the lines that are titles, those in code blocks left out.
fn titles(text: &str) -> Vec<usize> {
    let mut in_code = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code && line.starts_with("# ") {
            found.push(index + 1);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_one_title() {
        assert_eq!(check("a.md", "# A\n\n```sh\n# a comment\n```\n## B\n"), []);
        assert_eq!(check("a.md", "text\n").len(), 1);
        assert_eq!(check("a.md", "# A\n# B\n# C\n").len(), 2);
        assert_eq!(check("a.rs", "fn a() {}\n"), []);
    }
}
