//! Where a vendor may be named, or its literals may stand: in its dialect's folder, in documents, and (the name) at
//! the few places that list dialects.

use super::Finding;

/// A vendor whose contract is built in.
struct Vendor {
    /// Its header literals contain it.
    name: &'static str,
    /// Other words of its contract that mean nothing to anybody else, in lower case.
    words: &'static [&'static str],
}

const VENDORS: &[Vendor] = &[
    Vendor {
        name: "sigmamind",
        words: &["sgm_", "conversation_started", "conversation_ended", "conversation_analysed", "agentid"],
    },
    Vendor {
        name: "opentrain",
        words: &[
            "ot_pat_",
            "ot_ptk_",
            "/api/public/v1",
            "/api/partner/v1",
            "public_api_webhooks",
            "annotation_platform",
            "webhooks:manage",
            "webhook-endpoints",
            "webhookendpoint",
            "webhook_limit_reached",
            "job-drafts",
            "proposal.received",
            "proposal.status_changed",
            "message.received",
            "milestone.status_changed",
            "approval.confirmed",
            "contract.budget_state_changed",
            "contract.started",
            "project_link.",
            "install.revoked",
        ],
    },
    Vendor {
        name: "spaaza",
        words: &[
            "-hmac-sha256",
            "session-user-id",
            "add-webhook",
            "alter-webhook",
            "get-webhook",
            "delete-webhook",
            "auth/login",
            "chain_id",
            "shopper.",
            "identifier_key",
            "identifier_secret",
            "webhook_signature",
            "applies_legacy_hmac",
            "event_trigger",
            "exclude_inactive",
            "http_vars_missing",
            "no_valid_session",
            "request_method_non",
            "password_error",
            "permission_denied_or",
            "entity_mismatch",
            "webhook_not_found",
        ],
    },
];

/// Places that list dialects: they may hold one line for each vendor, such as its `mod` or its router.
const LISTING: &[&str] = &["crates/api/src/dialect/mod.rs", "crates/api/src/router.rs", "crates/app/src/"];

/// How much of a vendor a file may know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Licence {
    Free,
    OneLine,
    None,
}

pub(super) fn check(file: &str, text: &str) -> Vec<Finding> {
    VENDORS.iter().flat_map(|vendor| check_vendor(vendor, file, text)).collect()
}

fn check_vendor(vendor: &Vendor, file: &str, text: &str) -> Vec<Finding> {
    let skipped = match licence(vendor.name, file) {
        Licence::Free => return Vec::new(),
        Licence::OneLine => 1,
        Licence::None => 0,
    };
    let lines = || text.lines().map(str::to_ascii_lowercase).enumerate();
    let naming = lines().filter(|(_, line)| line.contains(vendor.name)).skip(skipped);
    let naming = naming.map(|(index, _)| finding(vendor, file, index, vendor.name, "is a vendor's name"));
    let literals = lines().filter_map(|(index, line)| {
        let word = vendor.words.iter().find(|word| line.contains(**word))?;
        Some(finding(vendor, file, index, word, "is a word of a vendor's"))
    });
    naming.chain(literals).collect()
}

fn finding(vendor: &Vendor, file: &str, index: usize, word: &str, what: &str) -> Finding {
    let name = vendor.name;
    let message = format!(
        "`{word}` {what}; what belongs to a vendor stands in crates/api/src/dialect/{name}/ or contracts/{name}/, \
         as data"
    );
    Finding::new(file, index + 1, message)
}

fn licence(vendor: &str, file: &str) -> Licence {
    let own = [format!("crates/api/src/dialect/{vendor}"), format!("contracts/{vendor}")];
    // The demo plays a vendor's customer from outside, so it speaks that vendor's words; a platform that brands
    // several shapes speaks of each.
    let free = [
        "docs/",
        "contracts/branded/",
        "crates/api/tests/",
        "crates/app/tests/",
        "crates/app/src/cmd/demo/",
        "xtask/",
        "crates/fuzz/setup/",
    ];
    if file.ends_with(".md")
        || own.iter().any(|folder| file.starts_with(folder.as_str()))
        || free.iter().any(|folder| file.starts_with(folder))
    {
        return Licence::Free;
    }
    if LISTING.iter().any(|place| file.starts_with(place)) { Licence::OneLine } else { Licence::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_is_named_at_home_only() {
        let text = "const HEADER: &str = \"x-spaaza-signature\";\n";
        assert_eq!(check("crates/api/src/dialect/spaaza/mod.rs", text), []);
        assert_eq!(check("crates/api/src/dialect/spaaza.rs", text), []);
        assert_eq!(check("contracts/spaaza/login.json", text), []);
        assert_eq!(check("docs/adr/0001-x.md", text), []);
        for elsewhere in ["crates/core/src/sign.rs", "crates/api/src/dialect/sigmamind/mod.rs", "Cargo.toml"]
        {
            let found = check(elsewhere, text);
            assert_eq!(found.len(), 1, "{elsewhere}");
            assert_eq!(found[0].line, 1);
        }
    }

    #[test]
    fn so_do_its_literals() {
        let text = "const TOKEN_PREFIX: &str = \"ot_pat_\";\n";
        assert_eq!(check("crates/api/src/dialect/opentrain/profile.rs", text), []);
        assert_eq!(check("contracts/branded/both.json", text), []);
        for elsewhere in
            ["crates/core/src/credential.rs", "crates/api/src/router.rs", "crates/app/src/main.rs"]
        {
            assert_eq!(check(elsewhere, text).len(), 1, "{elsewhere}");
        }
        assert_eq!(check("crates/engine/src/webhooks.rs", "let agentId = 1;").len(), 1);
        for Vendor { words, .. } in VENDORS {
            assert!(words.iter().all(|word| *word == word.to_ascii_lowercase()), "{words:?}");
        }
    }

    #[test]
    fn an_rpc_vendors_words_are_its_own_too() {
        for literal in
            ["\"shopper.opted-in\"", "\"X-Acme-Hmac-SHA256\"", "code: 405, name: \"entity_mismatch\""]
        {
            assert_eq!(check("crates/api/src/dialect/spaaza/profile.rs", literal), []);
            assert_eq!(check("contracts/branded/three.json", literal), []);
            for elsewhere in [
                "crates/engine/src/login.rs",
                "crates/api/src/kit/params.rs",
                "contracts/native/explain.json",
            ] {
                assert_eq!(check(elsewhere, literal).len(), 1, "{elsewhere}: {literal}");
            }
        }
    }

    #[test]
    fn a_list_of_dialects_holds_one_line_each() {
        let text = "mod opentrain;\nmod SigmaMind;\nuse opentrain::ROUTES;\n";
        let found = check("crates/api/src/dialect/mod.rs", text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 3);
    }
}
