//! Who receives an event.

use crate::event::check_event_type;
use crate::webhook::{EventSelection, Webhook};

/// Whether a webhook wants an event of this type and subject: it is active, the type is selected, and its own
/// subject, if it has one, is the event's.
pub fn wants(webhook: &Webhook, event_type: &str, subject: Option<&str>) -> bool {
    webhook.state.is_active() && selects(&webhook.events, event_type) && is_about(webhook, subject)
}

/// Whether an event with this subject is about what the webhook is bound to, if it is bound to anything.
pub fn is_about(webhook: &Webhook, subject: Option<&str>) -> bool {
    webhook.subject.as_deref().is_none_or(|own| subject == Some(own))
}

/// Whether a selection holds a type, by its name or by a pattern.
pub fn selects(events: &EventSelection, event_type: &str) -> bool {
    match events {
        EventSelection::All => true,
        EventSelection::Only(entries) => entries.iter().any(|entry| covers(entry, event_type)),
    }
}

/// Whether one entry of a selection covers a type: it is the type, or a pattern above it. `order.*` covers
/// `order.paid` and `order.item.added`, and not `order`.
pub fn covers(entry: &str, event_type: &str) -> bool {
    match pattern_prefix(entry) {
        Some(prefix) => event_type.starts_with(prefix),
        None => entry == event_type,
    }
}

/// What every type begins with that a pattern covers, such as `order.` for `order.*`; `None` for an exact type.
pub fn pattern_prefix(entry: &str) -> Option<&str> {
    entry.strip_suffix('*').filter(|prefix| prefix.ends_with('.'))
}

/// Every prefix by which a pattern may cover this type, the shortest first: a lookup for each finds them all.
pub fn prefixes_of(event_type: &str) -> impl Iterator<Item = &str> {
    event_type.match_indices('.').map(|(place, _)| &event_type[..=place])
}

/// Whether this text can be a pattern. The error is a sentence for the customer.
pub fn check_pattern(entry: &str) -> Result<(), String> {
    match pattern_prefix(entry).and_then(|prefix| prefix.strip_suffix('.')) {
        Some(word) if !word.contains('*') => check_event_type(word),
        _ => Err("may hold `*` only at its end and after a full stop, as in `order.*`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use crate::webhook::{DisableReason, WebhookState, tests};
    use proptest::prelude::*;

    fn webhook(events: EventSelection, subject: Option<&str>, state: WebhookState) -> Webhook {
        Webhook { events, subject: subject.map(str::to_owned), state, ..tests::webhook() }
    }

    /// Every combination of state, selection and subjects against the rule written out as a truth table.
    #[test]
    fn wants_exactly_the_active_type_and_subject() {
        let disabled = WebhookState::Disabled { at: Timestamp::default(), reason: DisableReason::ByOwner };
        let selections = [
            (EventSelection::All, true),
            (EventSelection::Only(vec!["b".to_owned(), "a".to_owned()]), true),
            (EventSelection::Only(vec!["A".to_owned(), "aa".to_owned(), String::new()]), false),
        ];
        let subjects = [
            (None, None, true),
            (None, Some("x"), true),
            (Some("x"), Some("x"), true),
            (Some("x"), Some("X"), false),
            (Some("x"), None, false),
        ];
        for (state, active) in [(WebhookState::Active, true), (disabled, false)] {
            for (events, selected) in &selections {
                for (own, of_event, same) in subjects {
                    let webhook = webhook(events.clone(), own, state);
                    assert_eq!(
                        wants(&webhook, "a", of_event),
                        active && *selected && same,
                        "{webhook:?} {of_event:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_pattern_covers_what_is_below_its_word_at_any_depth() {
        let table = [
            ("order.*", "order.paid", true),
            ("order.*", "order.item.added", true),
            ("order.item.*", "order.item.added", true),
            ("order.item.*", "order.items.added", false),
            ("order.*", "order", false),
            ("order.*", "orders.paid", false),
            ("order.*", "Order.paid", false),
            ("order.*", "my.order.paid", false),
            ("order", "order.paid", false),
            ("order.paid", "order.paid", true),
        ];
        for (entry, event_type, expected) in table {
            assert_eq!(covers(entry, event_type), expected, "{entry} {event_type}");
        }
    }

    #[test]
    fn a_star_stands_at_the_end_and_after_a_full_stop() {
        for good in ["order.*", "a.b.c.*", "a/b.*", &format!("{}.*", "x".repeat(256))] {
            assert_eq!(check_pattern(good), Ok(()), "{good}");
        }
        let long = format!("{}.*", "x".repeat(257));
        for bad in ["*", ".*", "order*", "*.paid", "order.*.paid", "a.*.*", "order.**", "o rder.*", &long] {
            assert!(check_pattern(bad).is_err(), "{bad}");
        }
    }

    /// The rule once more, segment by segment.
    fn covers_naively(entry: &str, event_type: &str) -> bool {
        let (wanted, given): (Vec<&str>, Vec<&str>) =
            (entry.split('.').collect(), event_type.split('.').collect());
        match wanted.split_last() {
            Some((&"*", above)) => given.len() > above.len() && given[..above.len()] == *above,
            _ => wanted == given,
        }
    }

    proptest! {
        #[test]
        fn patterns_and_prefixes_agree_with_the_rule(
            entry in "[ab]{1,2}(\\.[ab]{1,2}){0,3}(\\.\\*)?",
            event_type in "[ab]{0,2}(\\.[ab]{0,2}){0,4}",
        ) {
            let expected = covers_naively(&entry, &event_type);
            prop_assert_eq!(covers(&entry, &event_type), expected);
            let found = match pattern_prefix(&entry) {
                Some(prefix) => prefixes_of(&event_type).any(|known| known == prefix),
                None => entry == event_type,
            };
            prop_assert_eq!(found, expected, "by lookups");
        }
    }
}
