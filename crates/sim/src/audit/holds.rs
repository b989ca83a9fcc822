//! Pauses by the engine: the rule of the product, written down a second time.

use signalpost_core::attempt::Attempt;
use signalpost_store::ledger::DeliveryRecord;

use super::recorded::must_be;
use super::{Evidence, succeeded};
use crate::network::{Ended, Sent};

/// The longest time to the next probe.
const PROBE_MS_MAX: i64 = 15 * 60 * 1_000;
/// Outcomes of one moment may be judged in another order, and what was planned with them may begin a little later.
const ABREAST_US: u64 = 2_000_000;

/// An attempt of which nothing follows but that its delivery is held: its webhook's receiver only failed, often enough and for
/// long enough, and what comes next waits for the probe.
pub(super) fn check(
    evidence: &Evidence<'_>,
    record: &DeliveryRecord,
    sent: &Sent,
    attempt: &Attempt,
) -> Vec<String> {
    let Some(ended) = sent.ended else { return Vec::new() };
    let findings = [
        check_failures(evidence, record, sent, ended),
        check_time(ended, attempt),
        check_quiet(evidence, record, (sent, ended), attempt),
    ];
    let number = attempt.number;
    findings
        .into_iter()
        .flatten()
        .map(|finding| format!("was held after attempt {number}, {finding}"))
        .collect()
}

fn check_failures(
    evidence: &Evidence<'_>,
    record: &DeliveryRecord,
    sent: &Sent,
    ended: Ended,
) -> Option<String> {
    let webhook = evidence.webhooks.get(record.summary.webhook.as_str())?;
    let Some(rule) = evidence.facts.workspaces[webhook.workspace].style.hold else {
        return Some("and such webhooks are never paused".to_owned());
    };
    let outcomes: Vec<(&Sent, Ended)> = evidence
        .by_webhook
        .get(record.summary.webhook.as_str())?
        .iter()
        .filter_map(|other| Some((*other, other.ended?)))
        .filter(|(_, other)| other.at.us <= ended.at.us + ABREAST_US)
        .collect();
    // What a process that died has seen may have been forgotten.
    let known = |other: &Sent| other.process == sent.process || must_be(evidence, other);
    let since_us = outcomes
        .iter()
        .filter(|(other, end)| succeeded(end.outcome) && known(other) && end.at.us + ABREAST_US < ended.at.us)
        .map(|(_, end)| end.at.us.saturating_sub(ABREAST_US))
        .max()
        .unwrap_or(0);
    let failed = || {
        let failed = |end: &Ended| !succeeded(end.outcome) && end.at.us >= since_us;
        outcomes.iter().map(|(_, end)| end).filter(move |end| failed(end))
    };
    let failures = failed().count();
    if failures < usize::try_from(rule.failures_min).expect("few") {
        return Some(format!("with {failures} failures before it"));
    }
    let sure = evidence.facts.jumps.is_empty() && evidence.facts.drift_permille == 0;
    let first_us = failed().map(|end| end.at.us).min().unwrap_or(ended.at.us);
    let failing_us = u128::from(ended.at.us.saturating_sub(first_us) + ABREAST_US);
    (sure && failing_us < rule.failing_for.as_micros())
        .then(|| format!("when its receiver had failed for {failing_us} us"))
}

/// The delivery is held until the next probe, and no longer.
fn check_time(ended: Ended, attempt: &Attempt) -> Option<String> {
    let at = attempt.verdict.next_at()?;
    let last = ended.at.wall.plus_ms(PROBE_MS_MAX);
    (at > last || at < ended.at.wall).then(|| format!("at {}, until {at}", ended.at.wall))
}

/// Nothing of its webhook begins before that, in the same process, unless its owner changes it or a success ends the pause.
fn check_quiet(
    evidence: &Evidence<'_>,
    record: &DeliveryRecord,
    (sent, ended): (&Sent, Ended),
    attempt: &Attempt,
) -> Option<String> {
    let at = attempt.verdict.next_at()?;
    let webhook = evidence.webhooks.get(record.summary.webhook.as_str())?;
    if !evidence.facts.jumps.is_empty() {
        return None;
    }
    let requests = evidence.by_webhook.get(record.summary.webhook.as_str())?;
    let early = requests.iter().find(|next| {
        let begins =
            next.process == sent.process && next.at.us > ended.at.us + ABREAST_US && next.at.wall < at;
        let changed = || {
            webhook
                .changes
                .iter()
                .any(|change| change.called < next.at && change.done.is_none_or(|done| done > ended.at))
        };
        let is_back = || {
            let back = |other: &Ended| {
                succeeded(other.outcome) && other.at.us + ABREAST_US >= ended.at.us && other.at <= next.at
            };
            requests.iter().filter_map(|other| other.ended).any(|other| back(&other))
        };
        begins && !changed() && !is_back()
    })?;
    Some(format!("until {at}, and its webhook was sent to at {}", early.at.wall))
}
