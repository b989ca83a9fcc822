//! Events with the same key reach a webhook that keeps an order one after the other.
//!
//! What somebody has sent once more has left the order, and is passed over with its neighbours' claims on it.

use std::collections::BTreeMap;

use signalpost_core::delivery::{DeliveryState, Step};
use signalpost_store::ledger::DeliveryRecord;

use super::promises::number_of;
use super::{Evidence, succeeded};
use crate::facts::{Scope, WebhookFacts};
use crate::network::Sent;

/// A delivery that is in its first round, with its requests.
struct InOrder<'a> {
    record: &'a DeliveryRecord,
    id: String,
    sent: Vec<&'a Sent>,
}

pub(super) fn check(evidence: &Evidence<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    for ((webhook, key), mut deliveries) in by_key(evidence) {
        let Some(facts) = evidence.webhooks.get(webhook) else { continue };
        deliveries.sort_by_key(|delivery| delivery.record.event.sequence);
        for (place, later) in deliveries.iter().enumerate() {
            let found =
                deliveries[..place].iter().find_map(|earlier| overtaken(evidence, facts, earlier, later));
            let shown = |finding| format!("webhook {webhook}, {key}: delivery {} {finding}", later.id);
            findings.extend(found.map(shown));
        }
    }
    findings
}

type ByKey<'a> = BTreeMap<(&'a str, &'a str), Vec<InOrder<'a>>>;

fn by_key<'a>(evidence: &Evidence<'a>) -> ByKey<'a> {
    let mut grouped = ByKey::new();
    for (place, lists) in evidence.lists {
        for record in &lists.deliveries {
            let webhook = record.summary.webhook.as_str();
            let was_sent_again = record.steps.iter().any(|step| matches!(step, Step::Requeued { .. }));
            if was_sent_again || !keeps_order(evidence, webhook) {
                continue;
            }
            let key = number_of(evidence, *place, &record.event)
                .and_then(|number| evidence.facts.events[number].ordering_key.as_deref());
            let Some(key) = key else { continue };
            let id = record.summary.id.to_public();
            let sent = evidence.by_delivery.get(id.as_str()).cloned().unwrap_or_default();
            grouped.entry((webhook, key)).or_default().push(InOrder { record, id, sent });
        }
    }
    grouped
}

fn keeps_order(evidence: &Evidence<'_>, webhook: &str) -> bool {
    let wanted = evidence.webhooks.get(webhook).and_then(|facts| facts.wanted_last());
    wanted.is_some_and(|wanted| wanted.order.by_key)
}

/// How a delivery has overtaken one of the same key that came before it, if it has.
fn overtaken(
    evidence: &Evidence<'_>,
    webhook: &WebhookFacts,
    earlier: &InOrder<'_>,
    later: &InOrder<'_>,
) -> Option<String> {
    let first = later.sent.first()?;
    let began = |how: &str| Some(format!("began at {:?} {how} {}", first.at, earlier.id));
    let state = earlier.record.summary.state;
    if earlier.sent.is_empty() {
        return if matches!(state, DeliveryState::Dropped { .. }) {
            None
        } else {
            began("before any try of")
        };
    }
    let ended_us = |sent: &Sent| {
        let ended_us = sent.ended.map_or(u64::MAX, |ended| ended.at.us);
        // With its process, at the latest.
        evidence.end_of(sent.process).map_or(ended_us, |end| end.at.us.min(ended_us))
    };
    if earlier.sent.iter().any(|sent| sent.at > first.at) {
        return began("before the last try of");
    }
    if earlier.sent.iter().any(|sent| ended_us(sent) > first.at.us) {
        return began("while a request was in flight of");
    }
    let last = earlier.sent.last().expect("it is not empty");
    let has_succeeded =
        earlier.sent.iter().any(|sent| sent.ended.is_some_and(|ended| succeeded(ended.outcome)));
    let blocks = matches!(state, DeliveryState::Failed { .. }) && !has_succeeded;
    (blocks && !may_be_free(evidence, webhook, last, first))
        .then(|| began("although its key is blocked by"))?
}

/// Whether something may have freed a key between two requests: another rule, or a cut.
fn may_be_free(evidence: &Evidence<'_>, webhook: &WebhookFacts, from: &Sent, to: &Sent) -> bool {
    let rules = webhook.between(from.at, to.at);
    let skips = rules.iter().flatten().any(|wanted| !wanted.order.blocks());
    let cuts = webhook.changes.iter().skip(1).any(|change| {
        let during = change.called < to.at && change.done.is_none_or(|done| done > from.at);
        change.scope == Scope::Life && during
    });
    skips || cuts || evidence.may_go_off(webhook, from.at, to.at)
}
