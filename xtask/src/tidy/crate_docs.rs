//! Every Rust file begins by saying what it is for.

use super::Finding;

pub(super) fn check(file: &str, text: &str) -> Vec<Finding> {
    let is_code = file.ends_with(".rs") && !file.ends_with("build.rs");
    if !is_code || text.starts_with("//! ") {
        return Vec::new();
    }
    vec![Finding::new(file, 1, "begin with `//! ...`: what this file is for, in a sentence")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_it_is_for() {
        assert_eq!(check("a.rs", "//! Words.\n\nfn a() {}\n"), []);
        assert_eq!(check("a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(check("a.rs", "").len(), 1);
        assert_eq!(check("a.md", ""), []);
    }
}
