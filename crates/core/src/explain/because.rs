//! The answers as sentences for whoever is asked by a customer.

use super::{Answer, Judgement};
use crate::delivery::{CutReason, DeliveryState};
use crate::event::Event;
use crate::health::Hold;
use crate::limits::EXPLAINED_TYPES_MAX;
use crate::webhook::{DisableReason, EventSelection, Remembered, Webhook, WebhookState};

/// One or two plain sentences, which hold what the event and the webhook say of themselves. Bounded by their bounds.
pub fn because(event: &Event, webhook: &Remembered, answer: &Answer) -> String {
    match answer {
        Answer::Sent(state) => format!("The webhook was chosen for the event. {}", sent(*state, webhook)),
        Answer::NotSent(Judgement::Wanted) => {
            "The event was published for another webhook alone, as tests are. Otherwise this one would have got it."
                .to_owned()
        }
        Answer::NotSent(Judgement::Deleted) => format!("The webhook had been deleted before: {}.", deletion(webhook)),
        Answer::NotSent(judgement) => reason(event, webhook, judgement),
        Answer::CreatedLater(now) => {
            format!("The webhook was made after the event had been accepted. {}", as_it_is(event, webhook, now))
        }
        Answer::ChangedLater(now) => format!(
            "The webhook was not chosen for the event, and it has changed since: what it wanted then is not kept. {}",
            as_it_is(event, webhook, now)
        ),
    }
}

fn sent(state: DeliveryState, webhook: &Remembered) -> String {
    match state {
        DeliveryState::Pending { .. } if is_off(webhook) => {
            "The delivery is pending; it waits until the webhook is switched on.".to_owned()
        }
        DeliveryState::Pending { .. } if let Some(hold) = hold(webhook) => {
            let (since, probe_at) = (hold.since.to_rfc3339_ms(), hold.probe_at.to_rfc3339_ms());
            format!(
                "The delivery is held: its webhook is paused since {since}, for its receiver only fails; it is asked again \
                 at {probe_at}."
            )
        }
        DeliveryState::Pending { next_at } => {
            format!("The delivery is pending; its next attempt is due at {}.", next_at.to_rfc3339_ms())
        }
        DeliveryState::Delivered { at } => format!("It was delivered at {}.", at.to_rfc3339_ms()),
        DeliveryState::Failed { at } => {
            format!("The delivery failed: its last attempt was made at {}.", at.to_rfc3339_ms())
        }
        DeliveryState::Dropped { at, reason: CutReason::Disabled } => {
            format!(
                "The delivery was dropped, because the webhook was switched off at {}.",
                at.to_rfc3339_ms()
            )
        }
        DeliveryState::Dropped { at, reason: CutReason::Skipped } => {
            let at = at.to_rfc3339_ms();
            format!(
                "The delivery was dropped: it was held while the webhook was paused, and skipped at {at}."
            )
        }
        DeliveryState::Dropped { reason: CutReason::Deleted, .. } => {
            format!("The delivery was dropped, because the webhook was deleted: {}.", deletion(webhook))
        }
    }
}

/// The pause by the engine.
fn hold(webhook: &Remembered) -> Option<Hold> {
    let Remembered::Living(webhook) = webhook else { return None };
    webhook.health.hold
}

fn is_off(webhook: &Remembered) -> bool {
    matches!(webhook, Remembered::Living(webhook) if !webhook.state.is_active())
}

fn as_it_is(event: &Event, webhook: &Remembered, now: &Judgement) -> String {
    match now {
        Judgement::Wanted => "As it is now, it would get such an event.".to_owned(),
        Judgement::Deleted => format!("It was deleted: {}.", deletion(webhook)),
        now => format!("As it is now, it would not get it either: {}", reason(event, webhook, now)),
    }
}

/// When and by whom.
fn deletion(webhook: &Remembered) -> String {
    let Remembered::Deleted(tombstone) = webhook else { return "it is not known when".to_owned() };
    let at = tombstone.deleted_at.to_rfc3339_ms();
    match &tombstone.deleted_by {
        Some(by) => format!("at {at}, by {}", by.to_text()),
        None => format!("at {at}, by whom is not known"),
    }
}

/// Why a living webhook does not want the event.
fn reason(event: &Event, webhook: &Remembered, judgement: &Judgement) -> String {
    let Remembered::Living(webhook) = webhook else {
        return format!("The webhook was deleted: {}.", deletion(webhook));
    };
    match judgement {
        Judgement::Inactive(reason) => inactive(webhook, *reason),
        Judgement::TypeNotSelected => {
            let (event_type, selected) = (&event.content.event_type, selected(&webhook.events));
            format!("The webhook does not select the type `{event_type}`; it selects {selected}.")
        }
        Judgement::SubjectDiffers => {
            let own = webhook.subject.as_deref().unwrap_or_default();
            let of_event = match &event.content.subject {
                Some(subject) => format!("is about `{subject}`"),
                None => "has no subject".to_owned(),
            };
            format!("The webhook wants only what is about `{own}`, and the event {of_event}.")
        }
        Judgement::PayloadRemoved => {
            "The webhook has a filter, and the event's payload was removed since, as its retention \
             asks: what the filter said cannot be found out any more."
                .to_owned()
        }
        Judgement::FilterFailed(why) => {
            format!("The webhook's filter has no answer for this event, which counts as a refusal: {why}")
        }
        Judgement::FilteredOut => "The webhook's filter refuses the event.".to_owned(),
        Judgement::Deleted | Judgement::Wanted => "The webhook wants such events.".to_owned(),
    }
}

fn inactive(webhook: &Webhook, reason: DisableReason) -> String {
    let why = match reason {
        DisableReason::ByOwner => "switched off by its owner",
        DisableReason::Paused => "paused by its owner",
        DisableReason::Gone => "switched off because its receiver answered 410 Gone",
        DisableReason::Failing => "switched off because too many attempts in a row had failed",
    };
    match webhook.state {
        WebhookState::Disabled { at, .. } => format!("The webhook was {why}, at {}.", at.to_rfc3339_ms()),
        WebhookState::Active => format!("The webhook was {why}."),
    }
}

/// The first few, and how many more there are.
fn selected(events: &EventSelection) -> String {
    let EventSelection::Only(entries) = events else { return "every type".to_owned() };
    let shown: Vec<String> =
        entries.iter().take(EXPLAINED_TYPES_MAX).map(|entry| format!("`{entry}`")).collect();
    match entries.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
