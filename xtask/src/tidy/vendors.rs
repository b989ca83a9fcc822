//! Where a vendor may be named: in its dialect's folder, in documents, and at the few places that list dialects.

use super::Finding;

/// Names of the vendors whose contracts are built in. Their header literals contain them, so the name is enough.
const VENDORS: &[&str] = &["sigmamind", "opentrain", "spaaza"];

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

fn check_vendor(vendor: &str, file: &str, text: &str) -> Vec<Finding> {
    let skipped = match licence(vendor, file) {
        Licence::Free => return Vec::new(),
        Licence::OneLine => 1,
        Licence::None => 0,
    };
    let naming = text.lines().enumerate().filter(|(_, line)| line.to_ascii_lowercase().contains(vendor));
    let message = format!(
        "`{vendor}` is a vendor's name; what belongs to a vendor stands in crates/api/src/dialect/{vendor}/ or \
         contracts/{vendor}/, as data"
    );
    naming.skip(skipped).map(|(index, _)| Finding::new(file, index + 1, message.clone())).collect()
}

fn licence(vendor: &str, file: &str) -> Licence {
    let own = [format!("crates/api/src/dialect/{vendor}"), format!("contracts/{vendor}")];
    // The demo plays a vendor's customer from outside, so it speaks that vendor's words.
    let free = ["docs/", "crates/api/tests/", "crates/app/tests/", "crates/app/src/cmd/demo/", "xtask/"];
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
    fn a_list_of_dialects_holds_one_line_each() {
        let text = "mod opentrain;\nmod SigmaMind;\nuse opentrain::ROUTES;\n";
        let found = check("crates/api/src/dialect/mod.rs", text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 3);
    }
}
