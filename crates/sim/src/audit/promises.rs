//! What was promised to producers: what was acknowledged is there once, refused things are not, and each event went
//! to the webhooks that wanted it.

use std::collections::{BTreeMap, BTreeSet};

use signalpost_core::event::Event;
use signalpost_core::profile::EventIdRule;

use super::{Evidence, removed};
use crate::facts::{Again, EventFacts, FeedFacts, Promise, WebhookFacts, number_in};
use crate::ground::Moment;
use crate::settle::Lists;

pub(super) fn check(evidence: &Evidence<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    for (place, lists) in evidence.lists {
        let mut stored: BTreeMap<usize, Vec<&Event>> = BTreeMap::new();
        for event in &lists.events {
            match number_of(evidence, *place, event) {
                Some(number) => stored.entry(number).or_default().push(event),
                // Without its payload only one that was acknowledged can be told.
                None if event.payload_removed_at.is_some() => {}
                None => findings.push(format!("event {} has data that nobody sent", event.id.to_public())),
            }
        }
        findings.extend(check_sequences(lists));
        findings.extend(check_feed(&evidence.facts.workspaces[*place].feed, lists));
        findings.extend(check_growth(evidence, *place, &stored));
        let targets = targets_of(lists);
        for (number, facts) in evidence.facts.events.iter().enumerate() {
            let stored = stored.remove(&number).unwrap_or_default();
            if facts.workspace == *place {
                findings.extend(check_event(evidence, number, facts, &stored, &targets));
            } else if !stored.is_empty() {
                findings.push(format!(
                    "event {number} is in workspace {place}, it belongs to {}",
                    facts.workspace
                ));
            }
        }
    }
    findings
}

/// The number of an event, from its data or else from its receipt.
pub(super) fn number_of(evidence: &Evidence<'_>, place: usize, event: &Event) -> Option<usize> {
    if event.payload_removed_at.is_none() {
        return number_in(&event.content.data);
    }
    let told = |facts: &EventFacts| facts.receipts.iter().any(|receipt| receipt.sequence == event.sequence);
    evidence.facts.events.iter().position(|facts| facts.workspace == place && told(facts))
}

/// Whether what is stored may be another event than the one that was acknowledged first.
fn may_be_anew(evidence: &Evidence<'_>, facts: &EventFacts) -> bool {
    evidence.facts.retention.is_some() && facts.again == Again::Yes
}

/// Public ids of the webhooks that each event has a delivery for, by the event's number inside.
fn targets_of(lists: &Lists) -> BTreeMap<i64, BTreeSet<&str>> {
    let mut targets: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
    for record in &lists.deliveries {
        targets.entry(record.event.id.raw()).or_default().insert(record.summary.webhook.as_str());
    }
    targets
}

fn check_sequences(lists: &Lists) -> Option<String> {
    let distinct: BTreeSet<i64> = lists.events.iter().map(|event| event.sequence.0).collect();
    (distinct.len() != lists.events.len()).then(|| "two events of a workspace share a sequence".to_owned())
}

/// Whoever followed the feed has read every event that is there, but what retention has removed up to some place.
fn check_feed(feed: &FeedFacts, lists: &Lists) -> Option<String> {
    let cursor = feed.cursor?;
    let stored = lists.events.iter().map(|event| event.sequence.0);
    let mut missed = stored.filter(|sequence| {
        *sequence <= cursor
            && !feed.read.contains(sequence)
            && feed.expired.is_none_or(|upto| *sequence > upto)
    });
    missed.next().map(|sequence| format!("{sequence} never came in the feed, which was read up to {cursor}"))
}

/// An event that was published after another had been acknowledged has the higher id and the higher sequence,
/// whatever clocks and processes did in between.
fn check_growth(
    evidence: &Evidence<'_>,
    place: usize,
    stored: &BTreeMap<usize, Vec<&Event>>,
) -> Option<String> {
    let mut published: Vec<(Moment, Moment, i64, i64)> = Vec::new();
    for (number, facts) in evidence.facts.events.iter().enumerate() {
        let event = stored.get(&number).and_then(|events| events.first());
        let first = facts.workspace == place && !may_be_anew(evidence, facts);
        if let (Some(event), Some(ended)) = (event, facts.ended.filter(|_| first)) {
            published.push((facts.called, ended, event.id.raw(), event.sequence.0));
        }
    }
    let mut by_end = published.clone();
    by_end.sort_by_key(|(_, ended, ..)| *ended);
    published.sort();
    let mut ended_before = by_end.iter().peekable();
    let (mut highest_id, mut highest_sequence) = (0, 0);
    for (called, _, id, sequence) in published {
        while let Some((.., id, sequence)) = ended_before.next_if(|(_, ended, ..)| *ended < called) {
            (highest_id, highest_sequence) = (highest_id.max(*id), highest_sequence.max(*sequence));
        }
        // Ids grow by the clock of the node that has taken the event.
        let id_grows = id > highest_id || evidence.nodes > 1;
        if !id_grows || sequence <= highest_sequence {
            return Some(format!(
                "an event published at {called:?} has id {id} and sequence {sequence}, one before it had {highest_id} \
                 and {highest_sequence}"
            ));
        }
    }
    None
}

fn check_event(
    evidence: &Evidence<'_>,
    number: usize,
    facts: &EventFacts,
    stored: &[&Event],
    targets: &BTreeMap<i64, BTreeSet<&str>>,
) -> Vec<String> {
    let may_be_gone = removed::may_be_gone(evidence, facts);
    let expected = match facts.promise {
        Promise::Stored if may_be_gone => 0..=1,
        Promise::Stored => 1..=1,
        Promise::Unknown => 0..=1,
        Promise::Refused => 0..=0,
    };
    let mut findings = Vec::new();
    if !expected.contains(&stored.len()) {
        findings.push(format!("event {number} ({:?}) is stored {} times", facts.promise, stored.len()));
    }
    if stored.is_empty() && facts.promise == Promise::Stored && may_be_gone {
        findings.extend(removed::check(evidence, number, facts));
    }
    for event in stored {
        findings.extend(check_receipts(evidence, number, facts, event));
        let none = BTreeSet::new();
        let targets = targets.get(&event.id.raw()).unwrap_or(&none);
        if targets.len() != event.targets.len() {
            findings.push(format!("event {number} has {} targets, {targets:?}", event.targets.len()));
        }
        if !may_be_anew(evidence, facts) {
            findings.extend(check_targets(evidence, number, facts, targets));
        }
    }
    findings
}

fn check_receipts(evidence: &Evidence<'_>, number: usize, facts: &EventFacts, event: &Event) -> Vec<String> {
    let unique = evidence.facts.workspaces[facts.workspace].style.event_id == EventIdRule::Unique;
    let given = facts.producer_id.clone().filter(|_| unique);
    let id = given.unwrap_or_else(|| event.id.to_public());
    let content = &event.content;
    let same = (content.data == facts.data || event.payload_removed_at.is_some())
        && content.event_type == facts.event_type
        && content.subject == facts.subject
        && content.producer_id == facts.producer_id;
    let mut findings = Vec::new();
    if !same {
        findings.push(format!("event {number} was stored as something else: {event:?}"));
    }
    if may_be_anew(evidence, facts) {
        return findings;
    }
    for receipt in &facts.receipts {
        let true_to_it = receipt.id == id
            && receipt.sequence == event.sequence
            && receipt.deliveries == event.targets.len();
        if !true_to_it {
            findings.push(format!("event {number} was acknowledged as {receipt:?} and stored as {event:?}"));
        }
    }
    findings
}

fn check_targets(
    evidence: &Evidence<'_>,
    number: usize,
    facts: &EventFacts,
    targets: &BTreeSet<&str>,
) -> Vec<String> {
    let ended = facts.ended.unwrap_or(facts.called);
    let mut known = BTreeSet::new();
    let mut findings = Vec::new();
    for webhook in evidence.facts.webhooks.iter().filter(|webhook| webhook.workspace == facts.workspace) {
        let id = webhook.public_id.as_str();
        known.insert(id);
        let chosen = targets.contains(id);
        let (must, may) = wishes(evidence, webhook, facts, ended);
        if (must && !chosen) || (!may && chosen) {
            findings
                .push(format!("event {number} and webhook {id}: must {must}, may {may}, chosen {chosen}"));
        }
    }
    findings.extend(
        targets
            .difference(&known)
            .map(|id| format!("event {number} went to webhook {id}, which nobody made")),
    );
    findings
}

/// Whether the webhook wanted the event all the while it was published, and whether it did at any moment.
pub(super) fn wishes(
    evidence: &Evidence<'_>,
    webhook: &WebhookFacts,
    event: &EventFacts,
    ended: Moment,
) -> (bool, bool) {
    let states = webhook.between(event.called, ended);
    let wants: Vec<bool> =
        states.iter().map(|state| state.is_some_and(|wanted| wanted.wants(event))).collect();
    let off = evidence.may_be_off(webhook, event.called, ended);
    (wants.iter().all(|wants| *wants) && !off, wants.iter().any(|wants| *wants))
}
