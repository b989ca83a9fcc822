//! Who receives an event.

use crate::webhook::{EventSelection, Webhook};

/// Whether a webhook wants an event of this type and subject: it is active, the type is selected, and its own
/// subject, if it has one, is the event's.
pub fn wants(webhook: &Webhook, event_type: &str, subject: Option<&str>) -> bool {
    webhook.state.is_active()
        && selects(&webhook.events, event_type)
        && webhook.subject.as_deref().is_none_or(|own| subject == Some(own))
}

fn selects(events: &EventSelection, event_type: &str) -> bool {
    match events {
        EventSelection::All => true,
        EventSelection::Only(types) => types.iter().any(|wanted| wanted == event_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{WebhookId, WorkspaceId};
    use crate::time::Timestamp;
    use crate::webhook::{DisableReason, WebhookState};

    fn webhook(events: EventSelection, subject: Option<&str>, state: WebhookState) -> Webhook {
        Webhook {
            id: WebhookId::from_raw(1),
            workspace: WorkspaceId::from_raw(1),
            public_id: "wh_1".to_owned(),
            name: None,
            url: "https://example.com".to_owned(),
            events,
            subject: subject.map(str::to_owned),
            state,
            secret: None,
            consecutive_failures: 0,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
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
}
