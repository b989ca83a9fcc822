//! What an owner permits at most holds: so many requests at once, and so many in any stretch of time.
//!
//! Each process counts for itself. What one had in flight when it died is in flight for nobody any more, for its connections
//! died with it; and the next one begins anew.

use signalpost_core::ceilings::{Ceilings, MaxInFlight};
use signalpost_core::pace::Rate;

use super::Evidence;
use crate::facts::WebhookFacts;
use crate::network::Sent;

/// Lateness that costs none of the rate, written down a second time.
const LATENESS_US: u64 = 20_000;
/// One request goes with the beginning of a stretch. One of the first attempts, and one of the further ones, may have been counted
/// before it and have waited for its event.
const SPARE: u64 = 3;

pub(super) fn check(evidence: &Evidence<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    for webhook in evidence.webhooks.values() {
        let sent = evidence.by_webhook.get(webhook.public_id.as_str()).map_or(&[][..], Vec::as_slice);
        let found = [check_in_flight(webhook, sent), check_rate(webhook, sent)];
        let shown = |finding| format!("webhook {} {finding}", webhook.public_id);
        findings.extend(found.into_iter().flatten().map(shown));
    }
    findings
}

/// The most that may have been permitted when a request began; `None` when there may have been no ceiling.
fn permitted<T>(
    webhook: &WebhookFacts,
    sent: &Sent,
    ceiling: impl Fn(Ceilings) -> Option<T>,
    size: impl Fn(T) -> u64,
) -> Option<u64> {
    let states = webhook.between(sent.at, sent.at);
    let ceilings: Option<Vec<u64>> =
        states.into_iter().flatten().map(|wanted| ceiling(wanted.ceilings).map(&size)).collect();
    ceilings?.into_iter().max()
}

/// One that was lowered ends nothing that is under way, and nothing more begins before there is room.
fn check_in_flight(webhook: &WebhookFacts, sent: &[&Sent]) -> Option<String> {
    let most = |sent: &Sent| permitted(webhook, sent, |ceilings| ceilings.in_flight, size_of_ceiling);
    let passed = |sent: &&&Sent| most(sent).is_some_and(|most| sent.abreast as u64 > most);
    let sent = sent.iter().find(passed)?;
    Some(format!("had {} requests in flight at {:?}, more than its owner permits", sent.abreast, sent.at))
}

fn size_of_ceiling(most: MaxInFlight) -> u64 {
    most.get().into()
}

/// In any stretch of time in which one rate was in force no more requests began than it gives for that time.
fn check_rate(webhook: &WebhookFacts, sent: &[&Sent]) -> Option<String> {
    let size = |rate: Rate| u64::from(rate.requests_per_second());
    let mut begun_us = Vec::new();
    let mut counted = None;
    for one in sent {
        let rate = permitted(webhook, one, |ceilings| ceilings.rate, size);
        if counted != Some((one.process, rate)) {
            counted = Some((one.process, rate));
            begun_us.clear();
        }
        let Some(rate) = rate else { continue };
        begun_us.push(one.at.us);
        let too_many = begun_us.iter().enumerate().find_map(|(before, from_us)| {
            let count = (begun_us.len() - before) as u64;
            let most = (one.at.us - from_us + LATENESS_US) * rate / 1_000_000 + SPARE;
            (count > most).then(|| (count, one.at.us - from_us))
        });
        if let Some((count, within_us)) = too_many {
            let at = one.at;
            return Some(format!(
                "was sent {count} requests in {within_us} us up to {at:?}, faster than {rate}/s"
            ));
        }
    }
    None
}
