//! When a webhook's own failures switch it off: the rule of the product, written down a second time.
//!
//! A failure counts one more, a success or an owner who switches on what was off sets the count back, and a process that
//! starts goes on from what is on disk. Where a process died, nobody knows which of its last outcomes that is: so there are
//! ends that may have come, by the highest count that there may have been, and ends that must have come, by the lowest.

use signalpost_core::health::DisableRule;

use super::recorded::{must_be, settled_us};
use super::{Evidence, succeeded};
use crate::facts::{Change, Life, Scope, WebhookFacts};
use crate::ground::Moment;
use crate::network::{Ended, Sent};

/// An outcome that switches its webhook off.
#[derive(Clone, Copy)]
pub(super) struct Trip<'a> {
    pub(super) sent: &'a Sent,
    pub(super) ended: Ended,
    /// It has come to that by then, or comes to nothing.
    pub(super) settled_us: u64,
}

#[derive(Default)]
pub(super) struct Trips<'a> {
    pub(super) possible: Vec<Trip<'a>>,
    pub(super) sure: Vec<Trip<'a>>,
}

impl<'a> Trips<'a> {
    pub(super) fn of(evidence: &Evidence<'a>, webhook: &WebhookFacts) -> Self {
        let rule = evidence.facts.workspaces[webhook.workspace].style.rule;
        let sent = evidence.by_webhook.get(webhook.public_id.as_str()).map_or(&[][..], Vec::as_slice);
        let mut outcomes: Vec<(&Sent, Ended)> =
            sent.iter().filter_map(|sent| Some((*sent, sent.ended?))).collect();
        outcomes.sort_by_key(|(_, ended)| ended.at);
        let sure = sure(evidence, webhook, rule, &outcomes);
        let possible = possible(evidence, webhook, rule, &outcomes, &sure);
        Self { possible, sure }
    }

    /// Whether the webhook may have been off by itself at some moment of this time.
    pub(super) fn may_be_off(&self, webhook: &WebhookFacts, from: Moment, to: Moment) -> bool {
        let woken = |trip: &Trip<'_>| {
            wakes(webhook).any(|(_, wake)| {
                wake.called.us > trip.settled_us && wake.done.is_some_and(|done| done <= from)
            })
        };
        self.possible.iter().any(|trip| trip.ended.at < to && !woken(trip))
    }

    /// Whether it may have been switched off in this time.
    pub(super) fn may_go_off(&self, from: Moment, to: Moment) -> bool {
        self.possible.iter().any(|trip| trip.ended.at < to && trip.settled_us >= from.us)
    }
}

/// Whether its owner may have switched a webhook on between an outcome and a request.
pub(super) fn may_be_woken(webhook: &WebhookFacts, after: Moment, before: Moment) -> bool {
    wakes(webhook).any(|(_, wake)| wake.done.is_none_or(|done| done > after) && wake.called < before)
}

/// Calls for a webhook to be on, by their place.
fn wakes(webhook: &WebhookFacts) -> impl Iterator<Item = (usize, &Change)> {
    let on = |change: &Change| change.scope == Scope::Life && change.wanted.life == Life::Active;
    webhook.changes.iter().enumerate().filter(move |(_, change)| on(change))
}

fn ends(rule: DisableRule, ended: Ended, failures: usize) -> bool {
    let gone = rule.on_gone && ended.outcome.status() == Some(410);
    let limit = rule.consecutive_failures.and_then(|limit| usize::try_from(limit).ok());
    !succeeded(ended.outcome) && (gone || limit.is_some_and(|limit| failures >= limit))
}

fn trip<'a>(evidence: &Evidence<'_>, sent: &'a Sent, ended: Ended) -> Trip<'a> {
    Trip { sent, ended, settled_us: settled_us(evidence, sent, ended.at) }
}

/// By the failures that one process has seen since the last success, and since its owner may have switched it on.
fn sure<'a>(
    evidence: &Evidence<'_>,
    webhook: &WebhookFacts,
    rule: DisableRule,
    outcomes: &[(&'a Sent, Ended)],
) -> Vec<Trip<'a>> {
    let mut trips = Vec::new();
    let mut failures: Vec<Moment> = Vec::new();
    let mut process = 0;
    for (sent, ended) in outcomes {
        if sent.process != process || succeeded(ended.outcome) {
            failures.clear();
        }
        process = sent.process;
        failures.extend((!succeeded(ended.outcome)).then_some(ended.at));
        let woken = |failed: Moment| may_be_woken(webhook, failed, ended.at);
        let count = failures.iter().filter(|failed| !woken(**failed)).count();
        if ends(rule, *ended, count) {
            trips.push(trip(evidence, sent, *ended));
        }
    }
    trips
}

/// A count that the store may have.
struct Kept {
    failures: usize,
    settled_us: u64,
}

fn possible<'a>(
    evidence: &Evidence<'_>,
    webhook: &WebhookFacts,
    rule: DisableRule,
    outcomes: &[(&'a Sent, Ended)],
    sure: &[Trip<'_>],
) -> Vec<Trip<'a>> {
    let mut trips = Vec::new();
    let mut forgiven = wakes(webhook)
        .filter(|(place, _)| forgives(evidence, webhook, *place, sure))
        .map(|(_, wake)| wake.called)
        .peekable();
    let (mut process, mut failures) = (0, 0);
    let mut kept = vec![Kept { failures: 0, settled_us: 0 }];
    for (sent, ended) in outcomes {
        while let Some(called) = forgiven.next_if(|called| *called < ended.at) {
            failures = 0;
            kept.retain(|count| count.settled_us > called.us);
            kept.push(Kept { failures: 0, settled_us: called.us });
        }
        if sent.process != process {
            process = sent.process;
            failures = kept.iter().map(|count| count.failures).max().unwrap_or(0);
        }
        failures = if succeeded(ended.outcome) { 0 } else { failures + 1 };
        if must_be(evidence, sent) {
            // What came before it may still be written after it.
            kept.retain(|count| count.settled_us > ended.at.us);
        }
        let trip = trip(evidence, sent, *ended);
        kept.push(Kept { failures, settled_us: trip.settled_us });
        if ends(rule, *ended, failures) {
            trips.push(trip);
        }
    }
    trips
}

/// Whether the call with this place sets the count back: the webhook was off for certain, and the call was made once.
fn forgives(evidence: &Evidence<'_>, webhook: &WebhookFacts, place: usize, sure: &[Trip<'_>]) -> bool {
    let wake = &webhook.changes[place];
    let by_owner =
        place.checked_sub(1).is_some_and(|before| webhook.changes[before].wanted.life == Life::Disabled);
    let by_itself = sure.iter().any(|trip| {
        let told = trip.settled_us < wake.called.us && must_be(evidence, trip.sent);
        let woken = wakes(webhook)
            .any(|(other, change)| other < place && change.done.is_none_or(|done| done > trip.ended.at));
        told && !woken
    });
    let quiet = wake.done.is_some_and(|done| evidence.trouble.quiet_between(wake.called.us, done.us));
    (by_owner || by_itself) && quiet
}
