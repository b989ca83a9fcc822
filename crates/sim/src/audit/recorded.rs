//! When an outcome that was seen must be on disk, and until when it may still come there.

use super::Evidence;
use crate::facts::Facts;
use crate::ground::Moment;
use crate::network::Sent;
use crate::process::{HowEnded, ProcessEnd};

/// An outcome is on disk this long after it was seen, if no commit fails: commits under way and pauses between tries.
/// Where commits fail it is so long after the trouble, and what comes later finds no excuse in that any more.
const RECORDED_AFTER_US: u64 = 15_000_000;
/// Time that a process gives to attempts in flight when it is asked to stop.
const GRACE_US: u64 = 20_000_000;

/// Whether the end of its process does not explain that a request is not on record.
pub(super) fn must_be(evidence: &Evidence<'_>, sent: &Sent) -> bool {
    let Some(end) = evidence.end_of(sent.process) else { return true };
    if end.how == HowEnded::HandedOver {
        // That is what nothing under way means.
        return true;
    }
    let seen_us = sent.ended.map_or(end.at.us, |ended| ended.at.us);
    had_time(evidence, seen_us, end) || went_in_order(evidence, seen_us, end)
}

fn had_time(evidence: &Evidence<'_>, seen_us: u64, end: &ProcessEnd) -> bool {
    evidence.trouble.quiet_for_us(seen_us, RECORDED_AFTER_US) < end.at.us
}

/// A process that is asked to stop waits for what is in flight, and for what is not on disk yet.
fn went_in_order(evidence: &Evidence<'_>, seen_us: u64, end: &ProcessEnd) -> bool {
    let grace_us = GRACE_US - GRACE_US / 1_000 * evidence.facts.drift_permille;
    let waited = end.at.us - end.asked.us < grace_us && !jumped_between(evidence.facts, end.asked, end.at);
    let from_us = seen_us.max(end.asked.us).saturating_sub(RECORDED_AFTER_US);
    end.how == HowEnded::Stopped && waited && evidence.trouble.quiet_between(from_us, end.at.us)
}

pub(super) fn jumped_between(facts: &Facts, from: Moment, to: Moment) -> bool {
    facts.jumps.iter().any(|jump| *jump > from && *jump < to)
}

/// From when on nothing comes of an outcome any more that has not come of it already: it is on disk, or lost with its
/// process.
pub(super) fn settled_us(evidence: &Evidence<'_>, sent: &Sent, ended: Moment) -> u64 {
    let end_us = evidence.end_of(sent.process).map_or(u64::MAX, |end| end.at.us);
    evidence.trouble.quiet_for_us(ended.us, RECORDED_AFTER_US).min(end_us)
}
