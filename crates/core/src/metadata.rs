//! Small texts that an owner, or a dialect, keeps with a webhook. Nothing here reads a meaning into them.

use thiserror::Error;

use crate::limits::{
    WEBHOOK_METADATA_ENTRIES_MAX, WEBHOOK_METADATA_NAME_CHARS_MAX, WEBHOOK_METADATA_VALUE_CHARS_MAX,
};

/// A change of a webhook's metadata, as RFC 7396 merges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataChange {
    /// Removes all of it.
    Clear,
    /// Sets each of these, or removes it for `None`. The others stay.
    Merge(Vec<(String, Option<String>)>),
}

/// Together the entries would be more than one webhook may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("may have at most 16 entries")]
pub struct TooMuchMetadata;

const _: () = assert!(WEBHOOK_METADATA_ENTRIES_MAX == 16);

/// 1 to [`WEBHOOK_METADATA_NAME_CHARS_MAX`] characters, none of them a control character. The error is a sentence for the
/// customer.
pub fn check_metadata_name(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    if length == 0 || length > WEBHOOK_METADATA_NAME_CHARS_MAX {
        return Err(format!("must have a name of 1 to {WEBHOOK_METADATA_NAME_CHARS_MAX} characters"));
    }
    if name.chars().any(char::is_control) {
        return Err("must have a name without control characters".to_owned());
    }
    Ok(())
}

/// Up to [`WEBHOOK_METADATA_VALUE_CHARS_MAX`] characters, no NUL among them.
pub fn check_metadata_value(value: &str) -> Result<(), String> {
    if value.chars().count() > WEBHOOK_METADATA_VALUE_CHARS_MAX {
        return Err(format!("must be at most {WEBHOOK_METADATA_VALUE_CHARS_MAX} characters long"));
    }
    if value.contains('\0') { Err("must not contain the NUL character".to_owned()) } else { Ok(()) }
}

/// The entries after a change, in the order of their names. Of two changes of one name the last holds.
pub fn merged(
    present: &[(String, String)],
    change: &MetadataChange,
) -> Result<Vec<(String, String)>, TooMuchMetadata> {
    let MetadataChange::Merge(wanted) = change else { return Ok(Vec::new()) };
    let mut entries = present.to_vec();
    for (name, value) in wanted {
        entries.retain(|(known, _)| known != name);
        entries.extend(value.clone().map(|value| (name.clone(), value)));
    }
    entries.sort();
    if entries.len() > WEBHOOK_METADATA_ENTRIES_MAX { Err(TooMuchMetadata) } else { Ok(entries) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merge(entries: &[(&str, Option<&str>)]) -> MetadataChange {
        let one = |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
        MetadataChange::Merge(entries.iter().map(one).collect())
    }

    fn shown(entries: &[(String, String)]) -> String {
        entries.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn texts_are_counted_in_characters() {
        for good in ["a", "a b", &"🧀".repeat(40)] {
            assert_eq!(check_metadata_name(good), Ok(()), "{good}");
        }
        for bad in ["", "a\nb", "\u{85}", &"🧀".repeat(41)] {
            assert!(check_metadata_name(bad).is_err(), "{bad:?}");
        }
        for good in ["", "a\nb", &"🧀".repeat(500)] {
            assert_eq!(check_metadata_value(good), Ok(()), "{good}");
        }
        for bad in ["a\0", &"🧀".repeat(501)] {
            assert!(check_metadata_value(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_merge_sets_removes_and_leaves() {
        let first = merged(&[], &merge(&[("b", Some("1")), ("a", Some("2")), ("z", None)])).expect("few");
        assert_eq!(shown(&first), "a=2 b=1");
        let second = merge(&[("a", None), ("c", Some("3")), ("b", Some("4")), ("b", Some("9"))]);
        let second = merged(&first, &second).expect("few");
        assert_eq!(shown(&second), "b=9 c=3", "of two the last");
        assert_eq!(merged(&second, &merge(&[])), Ok(second.clone()));
        assert_eq!(merged(&second, &MetadataChange::Clear), Ok(Vec::new()));
    }

    #[test]
    fn the_bound_holds_for_the_whole_of_it() {
        let names: Vec<String> = (0..17).map(|n| format!("n{n:02}")).collect();
        let change =
            |count: usize| merge(&names[..count].iter().map(|n| (n.as_str(), Some("x"))).collect::<Vec<_>>());
        let full = merged(&[], &change(16)).expect("as many as may be");
        assert_eq!(merged(&[], &change(17)), Err(TooMuchMetadata));
        assert_eq!(merged(&full, &merge(&[("y", Some("1"))])), Err(TooMuchMetadata));
        assert!(merged(&full, &merge(&[("y", Some("1")), ("n00", None)])).is_ok());
    }
}
