//! When a delivery that is pending goes out, or what it waits for.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use signalpost_core::delivery::DeliveryState;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::WorkspaceId;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::Webhook;
use signalpost_engine::{DeliverySummary, Engine};

use crate::look::time::moment;

/// Ago, before something that is due is said to be late.
const LATE_MS: i64 = 1_000;

/// Why nothing is sent to a webhook, whatever is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    ByEngine,
    SwitchedOff,
}

/// Webhooks that are paused, by their public ids.
pub(super) type Paused = BTreeMap<String, Pause>;

/// Which of the webhooks for which something is pending here are paused.
pub(super) async fn paused(
    engine: &Engine,
    workspace: WorkspaceId,
    rows: &[DeliverySummary],
) -> Result<Paused, Error> {
    let pending = rows.iter().filter(|row| matches!(row.state, DeliveryState::Pending { .. }));
    let webhooks: BTreeSet<&str> = pending.map(|row| row.webhook.as_str()).collect();
    let mut paused = Paused::new();
    for id in webhooks {
        match engine.webhook(workspace, id).await {
            Ok(webhook) => paused.extend(pause_of(&webhook).map(|pause| (id.to_owned(), pause))),
            // Deleted meanwhile, and what was pending with it.
            Err(error) if error.code == ErrorCode::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(paused)
}

const fn pause_of(webhook: &Webhook) -> Option<Pause> {
    if !webhook.state.is_active() {
        Some(Pause::SwitchedOff)
    } else if webhook.health.hold.is_some() {
        Some(Pause::ByEngine)
    } else {
        None
    }
}

const fn is_late(next_at: Timestamp, now: Timestamp) -> bool {
    now.ms_since(next_at) >= LATE_MS
}

/// In a cell of a list.
pub(super) fn in_short(next_at: Timestamp, pause: Option<Pause>, now: Timestamp) -> Markup {
    match pause {
        Some(_) => html! { "waits: webhook paused" },
        None if is_late(next_at, now) => html! { "due since " (moment(next_at, now)) },
        None => moment(next_at, now),
    }
}

/// As a sentence.
pub(super) fn in_words(next_at: Timestamp, pause: Option<Pause>, now: Timestamp) -> Markup {
    match pause {
        Some(Pause::SwitchedOff) => {
            html! { "Waits: the webhook is paused. Attempts go on once it is switched on again." }
        }
        Some(Pause::ByEngine) => {
            html! { "Waits: the webhook is paused by the engine. Attempts go on once its receiver answers a probe." }
        }
        None if is_late(next_at, now) => {
            html! { "The next attempt is due since " (moment(next_at, now)) ": it waits for its turn." }
        }
        None => html! { "The next attempt goes out " (moment(next_at, now)) "." },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_to_go_out_in_the_past_or_while_its_webhook_is_paused() {
        let now = Timestamp::from_ms(100_000_000);
        let said = |ago_ms: i64, pause| {
            let at = now.plus_ms(-ago_ms);
            [in_short(at, pause, now), in_words(at, pause, now)].map(|markup| text(&markup))
        };
        assert_eq!(said(-60_000, None), ["in 1 min", "The next attempt goes out in 1 min."]);
        assert_eq!(said(999, None), ["now", "The next attempt goes out now."]);
        let late = said(3 * 3_600_000, None);
        assert_eq!(
            late,
            ["due since 3 h ago", "The next attempt is due since 3 h ago: it waits for its turn."]
        );
        for ago_ms in [-60_000, 60_000] {
            let [short, words] = said(ago_ms, Some(Pause::SwitchedOff));
            assert_eq!(short, "waits: webhook paused");
            assert!(words.starts_with("Waits: the webhook is paused. "), "{words}");
            let [_, words] = said(ago_ms, Some(Pause::ByEngine));
            assert!(words.starts_with("Waits: the webhook is paused by the engine. "), "{words}");
        }
    }

    /// Without its tags.
    fn text(markup: &Markup) -> String {
        let parts = markup.0.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
        parts.collect()
    }
}
