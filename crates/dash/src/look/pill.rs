//! States as a word with a shape and a colour: never a colour alone.

use maud::{Markup, html};
use signalpost_core::attempt::Outcome;
use signalpost_core::delivery::{CutReason, DeliveryState};
use signalpost_core::health::{Health, Standing};
use signalpost_core::webhook::{DisableReason, WebhookState};

/// What a state is to whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Ok,
    Info,
    Warn,
    Bad,
    Muted,
}

impl Tone {
    /// The class in the style, and the shape.
    const fn marks(self) -> (&'static str, &'static str) {
        match self {
            Self::Ok => ("ok", "●"),
            Self::Info => ("info", "◷"),
            Self::Warn => ("warn", "▲"),
            Self::Bad => ("bad", "✕"),
            Self::Muted => ("muted", "‖"),
        }
    }
}

pub(crate) fn pill(tone: Tone, word: &str) -> Markup {
    let (class, shape) = tone.marks();
    html! { span class={ "pill " (class) } { span aria-hidden="true" { (shape) } " " (word) } }
}

pub(crate) fn of_delivery(state: &DeliveryState, attempts: u32) -> Markup {
    let (tone, word) = match state {
        DeliveryState::Delivered { .. } => (Tone::Ok, "delivered"),
        DeliveryState::Pending { .. } if attempts > 0 => (Tone::Info, "retrying"),
        DeliveryState::Pending { .. } => (Tone::Info, "pending"),
        DeliveryState::Failed { .. } => (Tone::Bad, "failed"),
        DeliveryState::Dropped { reason, .. } => (Tone::Muted, dropped(*reason)),
    };
    pill(tone, word)
}

const fn dropped(reason: CutReason) -> &'static str {
    match reason {
        CutReason::Disabled => "dropped: webhook disabled",
        CutReason::Deleted => "dropped: webhook deleted",
        CutReason::Skipped => "dropped: skipped",
    }
}

pub(crate) fn of_webhook(state: WebhookState, health: &Health) -> Markup {
    let (tone, word) = match state {
        WebhookState::Disabled { reason: DisableReason::Paused, .. } => (Tone::Muted, "paused by you"),
        WebhookState::Disabled { reason: DisableReason::Gone, .. } => (Tone::Bad, "disabled: gone"),
        WebhookState::Disabled { reason: DisableReason::Failing, .. } => (Tone::Bad, "disabled: failing"),
        WebhookState::Disabled { reason: DisableReason::ByOwner, .. } => (Tone::Bad, "disabled"),
        WebhookState::Active => match health.standing() {
            Standing::Paused => (Tone::Warn, "paused by the engine, probing"),
            Standing::Slow => (Tone::Warn, "failing"),
            Standing::Normal => (Tone::Ok, "active"),
        },
    };
    pill(tone, word)
}

pub(crate) fn of_outcome(outcome: &Outcome) -> Markup {
    let tone = if outcome.is_success() { Tone::Ok } else { Tone::Bad };
    match outcome {
        Outcome::Status(status) => pill(tone, &status.to_string()),
        Outcome::Failed(failure) => pill(tone, failure.name()),
    }
}
