//! A delivery is attempted by one at a time, and by nobody once it has succeeded; and no more is in flight than may be.

use signalpost_core::limits::{CORE_IN_FLIGHT_MAX, LANE_IN_FLIGHT_MAX};

use super::{Evidence, recorded, succeeded};
use crate::ground::Moment;
use crate::network::{Sent, WEBHOOK_HEADER};

pub(super) fn check(evidence: &Evidence<'_>) -> Vec<String> {
    // Bounds first: where they are passed the rest may be many.
    let mut findings = check_bounds(evidence);
    for (delivery, sent) in &evidence.by_delivery {
        let found = [check_alone(evidence, sent), check_ended(evidence, delivery, sent)];
        findings.extend(found.into_iter().flatten().map(|finding| format!("delivery {delivery}: {finding}")));
    }
    findings
}

fn check_bounds(evidence: &Evidence<'_>) -> Vec<String> {
    let most = |count: fn(&Sent) -> usize| evidence.sent.iter().map(count).max().unwrap_or(0);
    let bounds = [
        ("for one webhook", most(|sent| sent.abreast), LANE_IN_FLIGHT_MAX),
        ("for one process", most(|sent| sent.in_flight), evidence.cores * CORE_IN_FLIGHT_MAX),
    ];
    let passed = bounds.into_iter().filter(|(_, most, bound)| most > bound);
    passed
        .map(|(what, most, bound)| format!("{most} requests in flight {what}, the bound is {bound}"))
        .collect()
}

/// No request starts while another of the same delivery is in flight. One whose process has died is not.
fn check_alone(evidence: &Evidence<'_>, sent: &[&Sent]) -> Option<String> {
    let together = sent.windows(2).find(|pair| {
        let (one, next) = (pair[0], pair[1]);
        let dead = evidence.ends.iter().any(|end| end.process == one.process && end.at < next.at);
        !dead && one.ended.is_none_or(|ended| ended.at > next.at)
    })?;
    Some(format!("the requests of {:?} and {:?} are in flight together", together[0].at, together[1].at))
}

/// After a success nothing is sent but by somebody's wish, a round for each, or because its process ended before that was
/// on disk.
fn check_ended(evidence: &Evidence<'_>, delivery: &str, sent: &[&Sent]) -> Option<String> {
    let webhook = sent.first()?.header(WEBHOOK_HEADER);
    let facts = evidence.facts;
    let of_it =
        facts.redeliveries.iter().filter(|asked| asked.delivery == delivery).map(|asked| asked.called);
    let of_all =
        facts.redelivered_lost.iter().filter(|(known, _)| known == webhook).map(|(_, called)| *called);
    let asked: Vec<Moment> = of_it.chain(of_all).collect();
    let mut again = sent.windows(2).filter(|pair| is_on_disk(evidence, pair[0], pair[1])).enumerate();
    let (rounds, pair) = again.find(|(rounds, pair)| {
        let before = asked.iter().filter(|called| **called < pair[1].at).count();
        before <= *rounds
    })?;
    Some(format!(
        "was delivered at {:?} and sent again at {:?}, after {rounds} rounds that were asked for",
        pair[0].at, pair[1].at
    ))
}

/// Whether the first request's success must have been on disk when the next began.
fn is_on_disk(evidence: &Evidence<'_>, one: &Sent, next: &Sent) -> bool {
    let delivered = one.ended.is_some_and(|ended| succeeded(ended.outcome));
    delivered && (one.process == next.process || recorded::must_be(evidence, one))
}
