//! Why an event was sent to a webhook, or why not.
//!
//! Whether it was sent is on record: [`Event::targets`]. Why it was not is judged by what the webhook is now, and told as
//! the reason only where [`Webhook::settled_after`] says that it was the same when the event was accepted. Where it was
//! not, the answer says so instead of guessing.

mod because;

use crate::delivery::DeliveryState;
use crate::event::Event;
use crate::matching::{is_about, selects};
use crate::webhook::{DisableReason, Remembered, Webhook, WebhookState};

pub use because::because;

/// Why one webhook got an event, or did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was chosen, whatever became of the delivery.
    Sent(DeliveryState),
    /// It was not, for a reason that held when the event was accepted and holds now.
    NotSent(Judgement),
    /// It was made after the event had been accepted. As it is now it makes this of the event.
    CreatedLater(Judgement),
    /// It was there and not chosen, and has changed since: what it wanted then is not kept. As it is now it makes this of the
    /// event.
    ChangedLater(Judgement),
}

/// What a webhook, as it is, makes of an event. The first of these that holds, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    Deleted,
    Inactive(DisableReason),
    TypeNotSelected,
    SubjectDiffers,
    /// It has a filter, and retention has removed what the filter would look at.
    PayloadRemoved,
    /// The filter has no answer for this event, which counts as a refusal. The text says why.
    FilterFailed(String),
    FilteredOut,
    /// It gets such an event. One that was not sent to it was published for another webhook alone, as tests are.
    Wanted,
}

/// What a webhook's filter says of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterVerdict {
    /// Also where there is no filter.
    Admits,
    Refuses,
    /// It could not be evaluated; the text says why.
    Failed(String),
    /// There is a filter, and no payload any more that it could be asked about.
    PayloadRemoved,
}

impl Answer {
    /// Every name that [`Self::name`] may give, in the order in which answers are looked for.
    pub const NAMES: [&str; 11] = [
        "sent",
        "created_later",
        "changed_later",
        "deleted",
        "inactive",
        "type_not_selected",
        "subject_differs",
        "payload_removed",
        "filter_failed",
        "filtered_out",
        "meant_for_another",
    ];

    /// Stable, for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sent(_) => "sent",
            Self::CreatedLater(_) => "created_later",
            Self::ChangedLater(_) => "changed_later",
            Self::NotSent(Judgement::Wanted) => "meant_for_another",
            Self::NotSent(judgement) => judgement.name(),
        }
    }

    /// What the webhook would make of such an event now, where that may differ from the answer.
    pub const fn now(&self) -> Option<&Judgement> {
        match self {
            Self::CreatedLater(now) | Self::ChangedLater(now) => Some(now),
            Self::Sent(_) | Self::NotSent(_) => None,
        }
    }
}

impl Judgement {
    /// Every name that [`Self::name`] may give.
    pub const NAMES: [&str; 8] = [
        "deleted",
        "inactive",
        "type_not_selected",
        "subject_differs",
        "payload_removed",
        "filter_failed",
        "filtered_out",
        "sent",
    ];

    /// Of the answer that such an event would get.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Inactive(_) => "inactive",
            Self::TypeNotSelected => "type_not_selected",
            Self::SubjectDiffers => "subject_differs",
            Self::PayloadRemoved => "payload_removed",
            Self::FilterFailed(_) => "filter_failed",
            Self::FilteredOut => "filtered_out",
            Self::Wanted => "sent",
        }
    }
}

/// Answers for one event and one webhook of the same workspace. `delivery` is the state of the delivery, which there is if
/// and only if the event's targets name the webhook. `filter` is asked only where everything else is in favour.
///
/// The order is fixed: sent, made after the event, changed after the event, and then as [`judge`].
pub fn explain(
    event: &Event,
    webhook: &Remembered,
    delivery: Option<DeliveryState>,
    filter: impl FnOnce(&Webhook) -> FilterVerdict,
) -> Answer {
    if let Some(state) = delivery {
        return Answer::Sent(state);
    }
    let now = judge(event, webhook, filter);
    if event.sequence <= webhook.created_after() {
        Answer::CreatedLater(now)
    } else if event.sequence <= webhook.settled_after() {
        Answer::ChangedLater(now)
    } else {
        Answer::NotSent(now)
    }
}

/// What a webhook, as it is now, makes of an event: [`crate::matching::wants`] and the filter, with the reason.
pub fn judge(
    event: &Event,
    webhook: &Remembered,
    filter: impl FnOnce(&Webhook) -> FilterVerdict,
) -> Judgement {
    let Remembered::Living(webhook) = webhook else { return Judgement::Deleted };
    if let WebhookState::Disabled { reason, .. } = webhook.state {
        return Judgement::Inactive(reason);
    }
    if !selects(&webhook.events, &event.content.event_type) {
        return Judgement::TypeNotSelected;
    }
    if !is_about(webhook, event.content.subject.as_deref()) {
        return Judgement::SubjectDiffers;
    }
    match filter(webhook) {
        FilterVerdict::Admits => Judgement::Wanted,
        FilterVerdict::Refuses => Judgement::FilteredOut,
        FilterVerdict::Failed(why) => Judgement::FilterFailed(why),
        FilterVerdict::PayloadRemoved => Judgement::PayloadRemoved,
    }
}

#[cfg(test)]
mod tests;
