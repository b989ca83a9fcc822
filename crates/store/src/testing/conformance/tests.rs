//! The suite holds for the model, and its list is complete.

use crate::testing::memory::MemoryStore;

crate::conformance_suite!(MemoryStore::new());

/// The list in the macro is written by hand; a case that is missing from it would never run.
#[test]
fn every_case_is_in_the_suite() {
    let groups = [
        ("accept", include_str!("accept.rs")),
        ("acts", include_str!("acts.rs")),
        ("closing", include_str!("closing.rs")),
        ("credentials", include_str!("credentials.rs")),
        ("dedupe", include_str!("dedupe.rs")),
        ("due", include_str!("due.rs")),
        ("durability", include_str!("durability.rs")),
        ("feed", include_str!("feed.rs")),
        ("finish", include_str!("finish.rs")),
        ("isolation", include_str!("isolation.rs")),
        ("listener", include_str!("listener.rs")),
        ("names", include_str!("names.rs")),
        ("once", include_str!("once.rs")),
        ("operator_accounts", include_str!("operator_accounts.rs")),
        ("operator_keys", include_str!("operator_keys.rs")),
        ("operator_sessions", include_str!("operator_sessions.rs")),
        ("pause", include_str!("pause.rs")),
        ("portal_sessions", include_str!("portal_sessions.rs")),
        ("reads", include_str!("reads.rs")),
        ("remembered", include_str!("remembered.rs")),
        ("replay_steps", include_str!("replay_steps.rs")),
        ("replays", include_str!("replays.rs")),
        ("requeue", include_str!("requeue.rs")),
        ("retention", include_str!("retention.rs")),
        ("retention_bytes", include_str!("retention_bytes.rs")),
        ("rollups", include_str!("rollups.rs")),
        ("secrets", include_str!("secrets.rs")),
        ("signing_keys", include_str!("signing_keys.rs")),
        ("users", include_str!("users.rs")),
        ("vault", include_str!("vault.rs")),
        ("webhooks", include_str!("webhooks.rs")),
        ("workspaces", include_str!("workspaces.rs")),
    ];
    let listed: Vec<&str> = include_str!("mod.rs").lines().map(str::trim).collect();
    for (group, text) in groups {
        let start =
            listed.iter().position(|line| *line == format!("{group} [")).expect("the group is listed");
        let in_group: Vec<_> = listed[start + 1..].iter().take_while(|line| **line != "]").copied().collect();
        let written = text.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        assert_eq!(in_group, written.collect::<Vec<_>>(), "group {group}");
    }
}
