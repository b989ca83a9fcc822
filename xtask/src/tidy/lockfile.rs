//! What may not be linked at all, checked where nobody can hide it: in the lock file.

use super::Finding;

/// Crates that must not be in the graph, with the reason. `deny.toml` says the same to cargo-deny.
const BANNED: &[(&str, &str)] = &[
    ("openssl", "TLS is rustls with aws-lc-rs"),
    ("openssl-sys", "TLS is rustls with aws-lc-rs"),
    ("native-tls", "TLS is rustls with aws-lc-rs"),
    ("reqwest", "the guarded client of signalpost-outbound is the only one"),
    ("sqlx", "rusqlite on one writer thread; a hand-off per statement costs more than the statement"),
];

const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(file: &str, text: &str) -> Vec<Finding> {
    if file != "Cargo.lock" {
        return Vec::new();
    }
    let numbered = text.lines().enumerate();
    numbered.filter_map(|(index, line)| Some(Finding::new(file, index + 1, judge(line)?))).collect()
}

fn judge(line: &str) -> Option<String> {
    let (key, value) = line.split_once(" = ")?;
    let value = value.trim_matches('"');
    match key {
        "name" => {
            let (name, reason) = BANNED.iter().find(|(name, _)| *name == value)?;
            Some(format!("`{name}` is banned: {reason}; find who pulls it in with `cargo tree -i {name}`"))
        }
        "source" if value != SOURCE => {
            Some(format!("`{value}` is not the crates registry; depend on a released crate"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banned_crates_and_strange_sources_are_found() {
        let good = format!("[[package]]\nname = \"serde\"\nsource = \"{SOURCE}\"\n");
        assert_eq!(check("Cargo.lock", &good), []);
        assert_eq!(check("Cargo.lock", "name = \"openssl-sys\"\n")[0].line, 1);
        assert_eq!(check("Cargo.lock", "source = \"git+https://example.com/x\"\n").len(), 1);
        assert_eq!(check("other.lock", "name = \"openssl-sys\"\n"), []);
    }
}
