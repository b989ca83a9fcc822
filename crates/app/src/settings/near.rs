//! Which known name somebody may have meant.

/// Beyond this many slips of the finger it is another word.
const SLIPS_MAX: usize = 2;

/// The known name that is nearest, if one is near: a few characters swapped, missing, added or wrong.
pub(crate) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let slips = |candidate: &str| strsim::osa_distance(name, candidate);
    let permitted = SLIPS_MAX.min(name.chars().count() / 3);
    let nearest = known.map(|candidate| (slips(candidate), candidate)).min()?;
    (nearest.0 <= permitted).then_some(nearest.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["public", "operator", "data"];
        for (name, expected) in [
            ("pubilc", Some("public")),
            ("publi", Some("public")),
            ("Operator", Some("operator")),
            ("dat", Some("data")),
            ("date", Some("data")),
            ("pbl", None),
            ("x", None),
            ("", None),
            ("retention", None),
        ] {
            assert_eq!(near(name, known.into_iter()), expected, "{name}");
        }
        assert_eq!(near("data", std::iter::empty()), None);
    }
}
