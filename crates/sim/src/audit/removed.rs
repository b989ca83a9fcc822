//! What retention may have taken away by the time the auditor looks, and what it must not have.

use signalpost_core::profile::PauseRule;

use super::promises::wishes;
use super::{Evidence, succeeded};
use crate::facts::{EventFacts, Life, WebhookFacts};
use crate::ground::Moment;

/// Whether the event may be gone: it had the age, by what the wall clock ever showed. A clock that jumped while it
/// was accepted may have made it as old as it likes.
pub(super) fn may_be_gone(evidence: &Evidence<'_>, event: &EventFacts) -> bool {
    let Some(age) = evidence.facts.retention.as_ref().and_then(|rules| rules.event_age_max) else {
        return false;
    };
    let age_ms = i64::try_from(age.as_millis()).expect("hours");
    let Some(now) = evidence.facts.listed else { return false };
    evidence.facts.strays() || now.wall.ms_since(event.called.wall) >= age_ms
}

/// Each webhook that wanted an event had it, or its attempts were used up, or it was ended: else the event was pending
/// when it was taken away.
pub(super) fn check(evidence: &Evidence<'_>, number: usize, event: &EventFacts) -> Vec<String> {
    let ended = event.ended.unwrap_or(event.called);
    let webhooks = evidence.facts.webhooks.iter().filter(|webhook| webhook.workspace == event.workspace);
    let lost = webhooks.filter(|webhook| {
        wishes(evidence, webhook, event, ended).0 && !has_ended(evidence, webhook, number, event)
    });
    lost.map(|webhook| format!("event {number} was removed before webhook {} had it", webhook.public_id))
        .collect()
}

fn has_ended(evidence: &Evidence<'_>, webhook: &WebhookFacts, number: usize, event: &EventFacts) -> bool {
    let general = &evidence.facts.workspaces[webhook.workspace].schedule_s;
    let schedules = webhook.changes.iter().map(|change| change.wanted.schedule_s.as_ref().unwrap_or(general));
    let retries_least = schedules.map(Vec::len).min().unwrap_or(0);
    let sent = evidence.by_webhook.get(webhook.public_id.as_str()).map_or(&[][..], Vec::as_slice);
    let outcomes: Vec<_> = sent
        .iter()
        .filter(|sent| sent.event_number() == Some(number))
        .filter_map(|sent| sent.ended)
        .collect();
    let drops = evidence.facts.workspaces[webhook.workspace].style.pause == PauseRule::Drops;
    let ends = |life: Life| life == Life::Deleted || life == Life::Disabled && drops;
    let later = |done: Moment| done > event.called;
    let off = webhook.changes.iter().any(|change| ends(change.wanted.life) && change.done.is_none_or(later));
    outcomes.iter().any(|ended| succeeded(ended.outcome))
        || outcomes.len() > retries_least
        || off
        || evidence.facts.listed.is_some_and(|listed| evidence.may_go_off(webhook, event.called, listed))
}
