//! What became of one delivery, by the receivers' ledger and by the server's record: they must agree.

use super::{Case, Evidence, Expectation, Judgement, Violation, expectation};
use crate::torture::book::Fate;
use crate::torture::chronicle::UNDER_WAY_MS;
use crate::torture::chronicles::Chronicles;
use crate::torture::ledger::{RETRY_AFTER_S, Reply, State, Temper};
use crate::torture::record::Status;
use crate::torture::stage::{ATTEMPTS, RETRY_DELAY_S, TIMEOUT_MS};
use crate::torture::stopwatch::{Ms, Span};

/// An attempt that takes all its time, and the longest delay until the next with its jitter of a tenth.
const TRY_MS_MAX: Ms = TIMEOUT_MS + RETRY_AFTER_S * 1_100;
/// All attempts, while the server works.
const RETRIES_MS: Ms = TRY_MS_MAX * ATTEMPTS as Ms;
/// Each wait makes room for further ones; more in a row than these there are not in what a delivery lives through.
const WAITS_MAX: usize = 8;

pub(super) fn judge(case: &Case<'_>, evidence: &Evidence<'_>, judgement: &mut Judgement) {
    let taken = case.arrivals.iter().any(|arrival| arrival.reply.is_taken());
    let is_owed = case.expectation == Expectation::Owed && case.event.fate != Fate::Refused;
    judgement.owed += usize::from(is_owed);
    judgement.delivered += usize::from(taken);
    let find = |judgement: &mut Judgement, violation, note: &str| {
        judgement.find(violation, case.event.number, Some(case.hook_number), note.to_owned());
    };
    match case.listed.map(|listed| listed.status) {
        None if !case.arrivals.is_empty() => {
            find(judgement, Violation::Unlisted, "it arrived, and is in no list");
        }
        None if is_owed => {
            judgement.lost += 1;
            find(judgement, Violation::Lost, "it never arrived, and is in no list");
        }
        None => {}
        Some(Status::Delivered) if !taken => {
            judgement.lost += usize::from(is_owed);
            find(
                judgement,
                Violation::Phantom,
                "the server calls it delivered; it never came, or was never taken",
            );
        }
        Some(Status::Delivered) => {}
        Some(Status::Pending) => {
            judgement.pending += 1;
            judgement.lost += 1;
            find(judgement, Violation::Pending, "it is still pending");
        }
        Some(Status::Failed) => {
            judgement.failed += usize::from(!taken);
            if let Some(note) = untrue_failure(case, evidence) {
                judgement.lost += usize::from(is_owed && !taken);
                find(judgement, Violation::UntrueReason, &note);
            } else if was_taken_for_certain(case, evidence.chronicle, None) {
                find(judgement, Violation::UntrueReason, "it was taken, and is on record as failed");
            }
        }
        Some(status @ (Status::DroppedByDisabling | Status::DroppedByDeletion)) => {
            judgement.dropped += usize::from(!taken);
            let ending = ending_of(status);
            if was_taken_for_certain(case, evidence.chronicle, Some(ending)) {
                find(judgement, Violation::UntrueReason, "it was taken, and is on record as dropped");
            } else if !was_ended(case, ending) {
                judgement.lost += usize::from(is_owed && !taken);
                find(
                    judgement,
                    Violation::UntrueReason,
                    "it was dropped, and nobody switched its webhook off",
                );
            }
        }
    }
}

const fn ending_of(status: Status) -> State {
    if matches!(status, Status::DroppedByDeletion) { State::Deleted } else { State::Off }
}

/// Whether the webhook was ended in the way that the record names, at a time when the delivery could be pending. An end that
/// was asked for before the event may still take effect after it, but not once it was answered.
fn was_ended(case: &Case<'_>, ending: State) -> bool {
    endings(case, ending).any(|end| end.to >= case.event.asked.from)
}

/// When the webhook was ended so: from each question to its answer, or to the next change's question.
fn endings(case: &Case<'_>, ending: State) -> impl Iterator<Item = Span> {
    let changes = &case.hook.changes;
    changes.iter().enumerate().filter(move |(_, change)| change.to == ending).map(|(place, change)| {
        let next = changes.get(place + 1).map_or(Ms::MAX, |next| next.asked);
        Span::new(change.asked, change.answered.unwrap_or(next))
    })
}

/// Whether the last arrival was taken, and nothing kept that from being recorded: no kill, no standstill, and no end of the
/// webhook at the same time. What came before it is judged as a repetition.
fn was_taken_for_certain(case: &Case<'_>, chronicle: &Chronicles, ending: Option<State>) -> bool {
    let Some(last) = case.arrivals.last().filter(|last| last.reply.is_taken()) else { return false };
    let may_be_gone = case.hook.temper == Temper::Failing;
    let meets = |end: Span| {
        last.at <= end.to.saturating_add(UNDER_WAY_MS)
            && chronicle.may_be_unrecorded_at(last.exchange(), end.from)
    };
    chronicle.excuse(last.exchange(), may_be_gone).is_none()
        && !ending.is_some_and(|ending| endings(case, ending).any(meets))
}

/// Why a failure on record is not what the receivers saw; `None` when it is.
fn untrue_failure(case: &Case<'_>, evidence: &Evidence<'_>) -> Option<String> {
    let outcomes = evidence.record.failed.get(&(case.event.number, case.hook_number));
    let outcomes = outcomes.map_or(&[][..], Vec::as_slice);
    if outcomes.len() != ATTEMPTS {
        return Some(format!("it failed after {} attempts of {ATTEMPTS}: {outcomes:?}", outcomes.len()));
    }
    let seen =
        |replies: &[Reply]| case.arrivals.iter().filter(|arrival| replies.contains(&arrival.reply)).count();
    let said = |outcome: &str| outcomes.iter().filter(|said| *said == outcome).count();
    for (status, reply) in [("500", Reply::ServerError), ("503", Reply::Unavailable), ("429", Reply::TooMany)]
    {
        if said(status) > seen(&[reply]) {
            return Some(format!(
                "{status} is on record {} times, and was answered less often",
                said(status)
            ));
        }
    }
    let answered = said("500") + said("503") + said("429");
    let broken = outcomes.len() - answered;
    let explained = seen(&[Reply::Hung, Reply::CutOff]) + breakable(case, evidence.chronicle);
    (broken > explained)
        .then(|| format!("attempts are said to have failed that had no reason to: {outcomes:?}"))
}

/// Attempts that may have broken because nobody listened, or somebody stood still, while the event was tried.
fn breakable(case: &Case<'_>, chronicle: &Chronicles) -> usize {
    let tried = tried_within(case, chronicle);
    // One that was under way, and then one after each delay.
    let during = |gone: &Span| (gone.length() / (RETRY_DELAY_S * 1_000) + 2) as usize;
    let gone = chronicle.gone().iter().filter(|gone| gone.touches(tried)).map(during).sum();
    let gone = if case.hook.temper == Temper::Failing { gone } else { 0 };
    gone + chronicle.timeouts_within(tried)
}

/// From the acceptance until all attempts are over: in time that the server worked and the webhook was on, or shortly after
/// the last arrival.
fn tried_within(case: &Case<'_>, chronicle: &Chronicles) -> Span {
    let Span { from, to } = case.event.stored_within();
    let mut tried = Span::new(from, to.saturating_add(RETRIES_MS));
    for _ in 0..WAITS_MAX {
        let waited =
            chronicle.idle_ms(tried) + expectation::held_ms(case.hook, tried) + chronicle.put_off_ms(tried);
        let until = to.saturating_add(RETRIES_MS).saturating_add(waited);
        if until <= tried.to {
            break;
        }
        tried.to = until;
    }
    let after_last = case.arrivals.last().map_or(0, |last| last.at + TRY_MS_MAX);
    Span::new(from, tried.to.max(after_last))
}
