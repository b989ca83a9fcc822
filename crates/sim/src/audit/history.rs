//! Each delivery's recorded history against what was on the wire: nothing unrecorded but what a kill explains, the
//! schedule kept, and an end that the history accounts for.

use signalpost_core::attempt::{Attempt, Outcome, Verdict};
use signalpost_core::custom_header::MASKED;
use signalpost_core::delivery::{CutReason, DeliveryState, Step};
use signalpost_core::profile::PauseRule;
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::{DeliveryRecord, RequeueRule};

use super::holds;
use super::promises::number_of;
use super::{Evidence, recorded, succeeded};
use crate::facts::{Deaf, Facts, Life, Promise, Scope, WebhookFacts, WorkspaceFacts};
use crate::ground::Moment;
use crate::network::{Ended, OWN_HEADER, Sent};
use crate::process::HowEnded;

/// The longest wait that a receiver can ask for: a day.
const RETRY_DELAY_MAX_MS: i64 = 24 * 3_600 * 1_000;
/// What is kept of an answer, written down a second time.
const ANSWER_KEPT_SUCCESS_BYTES: usize = 256;
const ANSWER_KEPT_FAILURE_BYTES: usize = 4 * 1024;

pub(super) fn check(evidence: &Evidence<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    for (place, lists) in evidence.lists {
        let workspace = &evidence.facts.workspaces[*place];
        for record in &lists.deliveries {
            let id = record.summary.id.to_public();
            let found = check_delivery(evidence, (*place, workspace), record, &id);
            findings.extend(found.into_iter().map(|finding| format!("delivery {id}: {finding}")));
        }
    }
    findings
}

fn check_delivery(
    evidence: &Evidence<'_>,
    (place, workspace): (usize, &WorkspaceFacts),
    record: &DeliveryRecord,
    id: &str,
) -> Vec<String> {
    let mut unrecorded: Vec<&Sent> = evidence.by_delivery.get(id).cloned().unwrap_or_default();
    let mut findings = Vec::new();
    let mut last: Option<(&Sent, &Attempt)> = None;
    let mut tries = 0;
    for step in &record.steps {
        let Step::Attempted(attempt) = step else {
            (last, tries) = (None, 0);
            continue;
        };
        let superseded = attempt.verdict == Verdict::Superseded;
        let held = matches!(attempt.verdict, Verdict::HeldUntil(_));
        tries += usize::from(!superseded && !held);
        let Some(sent) = take_match(&mut unrecorded, attempt) else {
            findings.push(format!("attempt {} was recorded and never sent", attempt.number));
            continue;
        };
        findings.extend(check_fence(evidence, sent, attempt));
        findings.extend(check_masks(sent, attempt));
        findings.extend(check_answer(sent, attempt));
        if superseded {
            findings.extend(check_superseded(evidence, record, attempt, sent));
            continue;
        }
        if held {
            findings.extend(holds::check(evidence, record, sent, attempt));
        } else {
            let schedules = schedules_at(evidence, workspace, record, sent.at);
            findings.extend(check_verdict(&schedules, sent, attempt, tries));
        }
        findings.extend(last.and_then(|(before, due)| check_spacing(evidence, before, due, sent)));
        last = Some((sent, attempt));
    }
    findings.extend(unrecorded.iter().filter_map(|sent| unexplained(evidence, sent, record)));
    findings.extend(check_end(evidence, place, record));
    findings.extend(check_rounds(evidence, record, id));
    findings
}

/// Takes out the request that an attempt was. Two may have begun at the same time by a wall clock that was set back
/// between them: what was due waits for that very instant again.
fn take_match<'a>(unrecorded: &mut Vec<&'a Sent>, attempt: &Attempt) -> Option<&'a Sent> {
    let place = unrecorded.iter().position(|sent| {
        let took = |ended: Ended| ended.at.us - sent.at.us == attempt.timing.total_us;
        sent.at.wall == attempt.at
            && sent.ended.is_some_and(|ended| ended.outcome == attempt.outcome && took(ended))
    })?;
    Some(unrecorded.remove(place))
}

/// An attempt that was superseded started before its delivery was asked for once more, or before that was answered, or
/// by a process that was not woken for it and had yet to find it on disk.
fn check_superseded(
    evidence: &Evidence<'_>,
    record: &DeliveryRecord,
    attempt: &Attempt,
    sent: &Sent,
) -> Option<String> {
    let facts = evidence.facts;
    let id = record.summary.id.to_public();
    let unanswered = facts.redeliveries.iter().any(|asked| asked.delivery == id && asked.ended > sent.at);
    let unsure = unanswered || !facts.jumps.is_empty() || facts.deaf == Deaf::Sometimes;
    let requeued = record.steps.iter().filter(|step| step.number() < attempt.number).any(|step| match step {
        Step::Requeued { at, .. } => *at >= attempt.at || unsure,
        Step::Attempted(_) => false,
    });
    (!requeued).then(|| format!("attempt {} was superseded by nothing", attempt.number))
}

/// What ended when its lane group was another's by then is nothing that may be written.
fn check_fence(evidence: &Evidence<'_>, sent: &Sent, attempt: &Attempt) -> Option<String> {
    let end = evidence.end_of(sent.process).filter(|end| end.how == HowEnded::Fenced)?;
    let ended = sent.ended.filter(|ended| ended.at > end.at)?;
    let (number, at, taken) = (attempt.number, ended.at, end.at);
    Some(format!(
        "attempt {number} is on record, and its lane group had been another's before it ended at {at:?}, since {taken:?}"
    ))
}

/// What an owner has sent along is on record by its name alone.
fn check_masks(sent: &Sent, attempt: &Attempt) -> Option<String> {
    let recorded = attempt.request_headers.iter().find(|(name, _)| name == OWN_HEADER);
    let expected = (!sent.header(OWN_HEADER).is_empty()).then_some(MASKED);
    let shown = recorded.map(|(_, value)| value.as_str());
    (shown != expected).then(|| format!("the header {OWN_HEADER} is on record as {shown:?}"))
}

/// The beginning of the answer is on record, as the receiver sent it and no more of it than may be kept.
fn check_answer(sent: &Sent, attempt: &Attempt) -> Option<String> {
    let kept = if succeeded(attempt.outcome) { ANSWER_KEPT_SUCCESS_BYTES } else { ANSWER_KEPT_FAILURE_BYTES };
    let expected = &sent.answer[..sent.answer.len().min(kept)];
    (attempt.answer != expected)
        .then(|| format!("an answer of {} bytes is on record as {:?}", sent.answer.len(), attempt.answer))
}

/// The schedules that may have been in force for the webhook at that moment.
fn schedules_at(
    evidence: &Evidence<'_>,
    workspace: &WorkspaceFacts,
    record: &DeliveryRecord,
    at: Moment,
) -> Vec<Vec<u64>> {
    let webhook = evidence.webhooks.get(record.summary.webhook.as_str());
    let states = webhook.map(|webhook| webhook.between(at, at)).unwrap_or_default();
    let own = states.into_iter().flatten().map(|wanted| wanted.schedule_s.as_ref());
    own.map(|own| own.unwrap_or(&workspace.schedule_s).clone()).collect()
}

/// The verdict that an attempt must have had, from the schedules as they were asked for.
fn check_verdict(schedules: &[Vec<u64>], sent: &Sent, attempt: &Attempt, tries: usize) -> Option<String> {
    let ended = sent.ended?;
    let right = |schedule: &Vec<u64>| {
        let delay_ms = schedule.get(tries - 1).map(|s| i64::try_from(s * 1_000).expect("hours"));
        match (succeeded(ended.outcome), delay_ms, attempt.verdict) {
            (true, _, verdict) => verdict == Verdict::Delivered,
            (false, None, verdict) => verdict == Verdict::GiveUp,
            (false, Some(delay_ms), Verdict::RetryAt(at)) => {
                let busy = matches!(ended.outcome, Outcome::Status(429 | 503));
                let asked_ms = ended.retry_after_ms.min(RETRY_DELAY_MAX_MS);
                let least = delay_ms.max(if busy { asked_ms } else { 0 });
                at >= ended.at.wall.plus_ms(least) && at <= ended.at.wall.plus_ms(least + least / 10)
            }
            (false, Some(_), _) => false,
        }
    };
    (!schedules.iter().any(right))
        .then(|| format!("try {tries} of {schedules:?} ended {ended:?} and was judged {:?}", attempt.verdict))
}

/// A retry starts when it is due and not before, by the wall clock or, if that jumped, by the other.
fn check_spacing(evidence: &Evidence<'_>, before: &Sent, due: &Attempt, sent: &Sent) -> Option<String> {
    let (Some(due_at), Some(ended)) = (due.verdict.next_at(), before.ended) else {
        return Some(format!("a try at {} follows a final verdict", sent.at.wall));
    };
    let Some(waited_us) = sent.at.us.checked_sub(ended.at.us) else {
        return Some(format!("a try at {} began while the one before it was in flight", sent.at.wall));
    };
    // By a wall clock that ran fast it was longer.
    let waited_us = waited_us + waited_us / 1_000 * evidence.facts.drift_permille;
    let waited_us = i64::try_from(waited_us).expect("hours");
    let asked_us = due_at.ms_since(ended.at.wall) * 1_000;
    let jumps = evidence.facts.jumps.iter().filter(|jump| **jump > ended.at && **jump < sent.at).count();
    // Due times are whole milliseconds, and so is what the wall clock showed.
    let early = sent.at.wall < due_at && waited_us + 1_000 < asked_us;
    (early && jumps < 2).then(|| format!("a retry due at {due_at} was sent at {}", sent.at.wall))
}

/// A request without a record must be something that the end of its process explains.
fn unexplained(evidence: &Evidence<'_>, sent: &Sent, record: &DeliveryRecord) -> Option<String> {
    recorded::must_be(evidence, sent).then(|| {
        format!(
            "the request of {} by p{}, which ended {:?}, is not on record; p ended {:?}; history {:?}",
            sent.at.wall,
            sent.process,
            sent.ended,
            evidence.end_of(sent.process),
            shown(&record.steps)
        )
    })
}

fn shown(steps: &[Step]) -> Vec<String> {
    let show = |step: &Step| match step {
        Step::Attempted(attempt) => {
            format!("{} {} {} {:?}", attempt.number, attempt.at, attempt.outcome.name(), attempt.verdict)
        }
        Step::Requeued { number, at, born } => format!("{number} {at} requeued as {}", born.0),
    };
    steps.iter().map(show).collect()
}

/// The state at the end of the run must be final and have a reason.
fn check_end(evidence: &Evidence<'_>, place: usize, record: &DeliveryRecord) -> Option<String> {
    let webhook = evidence.webhooks.get(record.summary.webhook.as_str())?;
    let born = born(evidence, place, record);
    match record.summary.state {
        DeliveryState::Delivered { .. } => (!has_arrived(evidence, record))
            .then(|| "counts as delivered, and no receiver has ever answered with success".to_owned()),
        DeliveryState::Failed { .. } => None,
        DeliveryState::Pending { next_at } => Some(format!("is still pending, due at {next_at}")),
        DeliveryState::Dropped { at, reason: CutReason::Deleted } => {
            (!asked_at(evidence.facts, webhook, Life::Deleted, at, born))
                .then(|| format!("was dropped at {at} with a webhook that nobody deleted"))
        }
        DeliveryState::Dropped { at, reason: CutReason::Skipped } => {
            Some(format!("was skipped at {at}, and nobody asked for that"))
        }
        DeliveryState::Dropped { at, reason: CutReason::Disabled } => {
            let drops = evidence.facts.workspaces[webhook.workspace].style.pause == PauseRule::Drops;
            let by_owner = drops && asked_at(evidence.facts, webhook, Life::Disabled, at, born);
            // One that fails is off since the attempt that was too many.
            let trips = evidence.trips_of(webhook).into_iter().flat_map(|trips| &trips.possible);
            let by_itself = trips
                .into_iter()
                .any(|trip| trip.sent.at.wall == at && born.is_none_or(|born| trip.settled_us >= born.us));
            (!by_owner && !by_itself)
                .then(|| format!("was dropped at {at} with a webhook that nothing disabled"))
        }
    }
}

/// Before its event was accepted, or it was asked for once more, nothing could end it.
fn born(evidence: &Evidence<'_>, place: usize, record: &DeliveryRecord) -> Option<Moment> {
    let id = record.summary.id.to_public();
    let number = number_of(evidence, place, &record.event)?;
    let accepted = evidence.facts.events[number].called;
    let rounds = record.steps.iter().filter(|step| matches!(step, Step::Requeued { .. })).count();
    let of_it = evidence.facts.redeliveries.iter().filter(|asked| asked.delivery == id);
    let of_all =
        evidence.facts.redelivered_lost.iter().filter(|(webhook, _)| *webhook == record.summary.webhook);
    let mut asked: Vec<Moment> =
        of_it.map(|asked| asked.called).chain(of_all.map(|(_, called)| *called)).collect();
    asked.sort_unstable();
    // Not each of them has begun a round: the last one began with this one or a later one.
    let last = rounds.checked_sub(1).and_then(|place| asked.get(place).copied());
    Some(last.map_or(accepted, |last| last.max(accepted)))
}

/// Whether its owner asked for a webhook to be so at that moment by the wall clock, and not before this one of the history.
fn asked_at(facts: &Facts, webhook: &WebhookFacts, life: Life, at: Timestamp, born: Option<Moment>) -> bool {
    webhook.changes.iter().filter(|change| change.scope == Scope::Life && change.wanted.life == life).any(
        |change| {
            let Some(done) = change.done else { return true };
            let apart_ms = i64::try_from(facts.apart_ms).expect("minutes");
            let (from, to) = (change.called.wall.plus_ms(-apart_ms), done.wall.plus_ms(apart_ms));
            let then = (from..=to).contains(&at) || recorded::jumped_between(facts, change.called, done);
            then && born.is_none_or(|born| done > born)
        },
    )
}

/// Whether a request of it ended with a success.
fn has_arrived(evidence: &Evidence<'_>, record: &DeliveryRecord) -> bool {
    let id = record.summary.id.to_public();
    let mut sent = evidence.by_delivery.get(id.as_str()).into_iter().flatten();
    sent.any(|sent| sent.ended.is_some_and(|ended| succeeded(ended.outcome)))
}

/// Each redelivery that was answered is on record, and no other. One that was asked for whatever the status may have
/// found a round that had not begun, and be answered by that.
fn check_rounds(evidence: &Evidence<'_>, record: &DeliveryRecord, id: &str) -> Option<String> {
    let asked = evidence.facts.redeliveries.iter().filter(|asked| asked.delivery == id);
    let promises: Vec<(RequeueRule, Promise)> = asked.map(|asked| (asked.rule, asked.promise)).collect();
    let count = |wanted| promises.iter().filter(|(_, promise)| *promise == wanted).count();
    let of_ended = promises.iter().filter(|asked| **asked == (RequeueRule::Ended, Promise::Stored)).count();
    let stored = count(Promise::Stored);
    let least = of_ended.max(stored.min(1));
    let of_all = evidence.facts.redelivered_lost.iter().filter(|(known, _)| *known == record.summary.webhook);
    let most = stored + count(Promise::Unknown) + of_all.count();
    let rounds = record.steps.iter().filter(|step| matches!(step, Step::Requeued { .. })).count();
    (!(least..=most).contains(&rounds))
        .then(|| format!("{rounds} redeliveries on record, {promises:?} asked for"))
}
