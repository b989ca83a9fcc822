//! Which crate may depend on which. Arrows run downward only; a new edge is a decision (docs/adr) and a line here.

use serde_json::Value;

use super::Finding;

const PREFIX: &str = "signalpost-";

/// A crate of the workspace and the crates of the workspace that it may name in `[dependencies]`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("store", &["core"]),
    ("store-sqlite", &["store", "core"]),
    ("store-postgres", &["store", "core"]),
    ("outbound", &["core"]),
    ("filter", &["core"]),
    ("engine", &["filter", "store", "core"]),
    ("api", &["engine", "core"]),
    ("dash", &["engine", "core"]),
    ("app", &["api", "dash", "outbound", "store-sqlite", "store-postgres", "engine", "store", "core"]),
    ("testkit", &["core"]),
    ("powercut", &["store", "store-sqlite", "core", "testkit"]),
    ("sim", &["engine", "store", "store-sqlite", "core", "powercut", "testkit"]),
    ("fuzz", &["app", "api", "outbound", "filter", "engine", "store-sqlite", "store", "core"]),
    ("xtask", &["testkit"]),
];

/// Crates for development only: no shipping crate may name them in `[dependencies]`.
const DEVELOPMENT: &[&str] = &["testkit", "powercut", "sim", "fuzz", "xtask"];

/// What any crate may add to its row in `[dev-dependencies]`: the model store, its suite and the test kit.
const FOR_TESTS: &[&str] = &["core", "store", "testkit"];

/// What one crate alone may add there: the keys of a first start lie on the same disk as its database, and what moves into
/// PostgreSQL comes out of SQLite.
const FOR_TESTS_OF: &[(&str, &str)] = &[("app", "powercut"), ("store-postgres", "store-sqlite")];

/// Foreign crates that may not enter a crate of ours, whatever the reason.
const QUARANTINE: &[(&str, &[&str], &str)] = &[
    (
        "core",
        &["tokio", "serde", "serde_json", "hyper", "axum", "rusqlite", "rustls", "getrandom", "jiff"],
        "core decides and does no I/O; let the fact arrive as an argument",
    ),
    (
        "store",
        &["tokio", "serde", "serde_json", "hyper", "axum", "rusqlite", "rustls"],
        "the contract knows no backend and no wire; put it into the backend's crate",
    ),
    (
        "engine",
        &["tokio", "serde", "serde_json", "hyper", "axum", "rusqlite", "rustls", "getrandom"],
        "the engine reaches the world through core's ports; put it behind one",
    ),
    (
        "filter",
        &["tokio", "hyper", "axum", "rusqlite", "rustls", "getrandom"],
        "a filter is a pure function of an event; let the fact arrive as an argument",
    ),
    ("api", &["rusqlite", "rustls", "hyper-util"], "api speaks inbound HTTP and nothing else"),
];

/// Checks `cargo metadata --no-deps`.
pub(super) fn check(metadata: &Value) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Value) -> Vec<Finding> {
    let name = short(package["name"].as_str().unwrap_or_default());
    let manifest =
        if name == "xtask" { "xtask/Cargo.toml".to_owned() } else { format!("crates/{name}/Cargo.toml") };
    let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
        let message =
            format!("`{name}` has no row in xtask/src/tidy/arrows.rs; decide what it may depend on");
        return vec![Finding::new(&manifest, 1, message)];
    };
    let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
    let messages = dependencies.iter().filter_map(|dependency| judge(name, allowed, dependency));
    messages.map(|message| Finding::new(&manifest, 1, message)).collect()
}

/// The sentence against one dependency, if there is one.
fn judge(name: &str, allowed: &[&str], dependency: &Value) -> Option<String> {
    let full = dependency["name"].as_str().unwrap_or_default();
    let target = short(full);
    let for_tests = dependency["kind"].as_str() == Some("dev");
    let ours = ALLOWED.iter().any(|(known, _)| *known == target) && (full != target || target == "xtask");
    if !ours {
        return quarantined(name, full).filter(|_| !for_tests);
    }
    if target == name || allowed.contains(&target) || (for_tests && is_for_tests(name, target)) {
        return None;
    }
    if DEVELOPMENT.contains(&target) {
        return Some(format!(
            "`{name}` depends on `{target}`, which is for development only; make it a dev-dependency"
        ));
    }
    Some(format!(
        "`{name}` may not depend on `{target}`: arrows run downward only; move the code, or argue the edge in docs/adr \
         and add it to xtask/src/tidy/arrows.rs"
    ))
}

fn is_for_tests(name: &str, target: &str) -> bool {
    FOR_TESTS.contains(&target) || FOR_TESTS_OF.contains(&(name, target))
}

fn quarantined(name: &str, foreign: &str) -> Option<String> {
    let (_, _, advice) =
        QUARANTINE.iter().find(|(ours, banned, _)| *ours == name && banned.contains(&foreign))?;
    Some(format!("`{name}` may not depend on `{foreign}`: {advice}"))
}

fn short(package: &str) -> &str {
    package.strip_prefix(PREFIX).unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn count(package: &str, dependency: &str, kind: Value) -> usize {
        let dependencies = json!([{"name": dependency, "kind": kind}]);
        check(&json!({"packages": [{"name": package, "dependencies": dependencies}]})).len()
    }

    #[test]
    fn downward_edges_pass_and_others_are_found() {
        assert_eq!(count("signalpost-engine", "signalpost-store", Value::Null), 0);
        assert_eq!(count("signalpost-store", "signalpost-engine", Value::Null), 1);
        assert_eq!(count("signalpost-api", "signalpost-store", Value::Null), 1);
        assert_eq!(count("signalpost-engine", "signalpost-outbound", json!("dev")), 1);
        assert_eq!(count("signalpost-new", "serde", Value::Null), 1, "a crate without a row");
    }

    #[test]
    fn the_model_store_may_serve_tests_and_only_tests() {
        assert_eq!(count("signalpost-api", "signalpost-store", json!("dev")), 0);
        assert_eq!(count("signalpost-engine", "signalpost-testkit", json!("dev")), 0);
        assert_eq!(count("signalpost-engine", "signalpost-testkit", Value::Null), 1);
        assert_eq!(count("signalpost-app", "xtask", Value::Null), 1);
        assert_eq!(count("signalpost-app", "signalpost-powercut", json!("dev")), 0);
        assert_eq!(count("signalpost-app", "signalpost-powercut", Value::Null), 1);
        assert_eq!(count("signalpost-engine", "signalpost-powercut", json!("dev")), 1);
    }

    #[test]
    fn foreign_crates_stay_in_their_quarantine() {
        assert_eq!(count("signalpost-core", "tokio", Value::Null), 1);
        assert_eq!(count("signalpost-core", "tokio", json!("dev")), 0);
        assert_eq!(count("signalpost-outbound", "tokio", Value::Null), 0);
        assert_eq!(
            count("signalpost-core", "core", Value::Null),
            0,
            "a foreign crate that shares a short name"
        );
    }
}
